"""How long a person waits on the studio page: real server, shipped weights, real Chromium.

The figures go to the terminal; the limits are those that the page was made for, with room for a
machine that does other things too.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.served import Served

pytestmark = pytest.mark.bench
STROKES = 60
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    served = Served(tmp_path_factory.mktemp("bench"), ROOT / "models")
    served.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.add_init_script("localStorage.setItem('huefield.tour', '1')")
        page.goto(served.address)
        yield page
        browser.close()
    served.kill()


def times(page: Page, name: str) -> list[float]:
    script = f"performance.getEntriesByName('{name}').map((entry) => entry.duration)"
    return [float(value) for value in page.evaluate(script)]


def test_sixty_strokes_follow_at_once(
    page: Page, example_photos: Mapping[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / "megapixel.jpg"
    with Image.open(example_photos["main-street"]) as image:
        image.convert("L").resize((1160, 870)).save(file, quality=92)
    page.set_input_files("#file", file)
    expect(page.locator(".tile[data-waiting]")).to_have_count(0, timeout=60_000)
    opened = times(page, "photo to samples")[-1]
    seen = times(page, "photo to something")[-1]
    page.wait_for_timeout(4000)  # the solver is prepared for strokes
    box = page.locator("#picture").bounding_box()
    assert box is not None
    page.evaluate(
        """() => {
          window.frames_ = [];
          const tick = (now) => { window.frames_.push(now); requestAnimationFrame(tick); };
          requestAnimationFrame(tick);
        }"""
    )
    heap = []
    for k in range(STROKES):
        x = box["x"] + box["width"] * (0.15 + 0.7 * (k % 10) / 10)
        y = box["y"] + box["height"] * (0.15 + 0.7 * (k // 10) / 6)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y + 15, steps=10)
        page.mouse.up()
        expect(page.locator(".tile[data-waiting]")).to_have_count(0, timeout=20_000)
        page.wait_for_timeout(80)
        heap.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
    one, six = times(page, "stroke to picture"), times(page, "stroke to all pictures")
    gaps = page.evaluate("window.frames_.slice(1).map((now, k) => now - window.frames_[k])")
    rate = 1000 / statistics.mean(gaps)
    p95 = statistics.quantiles(one, n=20)[-1]
    print(
        f"\nsomething to see {seen:.0f} ms, six samples {opened:.0f} ms; pen-up to the chosen one "
        f"{statistics.median(one):.0f} ms (p95 {p95:.0f}), to all {statistics.median(six):.0f} ms; "
        f"first ten {statistics.median(one[:10]):.0f} ms, last ten "
        f"{statistics.median(one[-10:]):.0f} ms; {rate:.0f} frames/s; heap {heap[9]:.0f} MB after "
        f"ten strokes, {heap[-1]:.0f} MB after {len(one)}"
    )
    assert len(one) >= STROKES - 2
    assert seen <= 300
    assert opened <= 3000
    assert statistics.median(one) <= 200
    assert p95 <= 400
    assert statistics.median(six) <= 500
    assert statistics.median(one[-10:]) <= 2 * statistics.median(one[:10])
    assert rate >= 50
