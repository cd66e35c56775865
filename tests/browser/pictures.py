"""Takes the documentation's pictures of the studio anew, with the shipped models.

python -m tests.browser.pictures docs/images
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, SIZES, serving
from tests.browser.studio_page import (
    choose_color,
    close_tray,
    open_example,
    paint,
    place,
    show_tray,
    wait_for_samples,
)

MODELS = Path(__file__).parents[2] / "models"


def main() -> int:
    """The exit code."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as instance,
        serving(MODELS, Path(instance)) as address,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _studio(_page(chromium, address, "desk", "dark"), out)
        _methods(_page(chromium, address, "desk", "light"), out)
        _phone(_page(chromium, address, "phone", "light"), out)
        chromium.close()
    return 0


def _page(chromium: Browser, address: str, layout: str, scheme: str) -> Page:
    width, height = SIZES[layout]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=layout == "phone",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.add_init_script("if (origin !== 'null') localStorage.setItem('huefield.tour', '1')")
    page.goto(address)
    return page


def _studio(page: Page, out: Path) -> None:
    """The meadow painted green and the roof brick; then its split view and list of edits."""
    open_example(page, "boothbay")
    _green_meadow(page)
    choose_color(page, "Brick, rust")
    _brush(page, 47)
    paint(page, (0.605, 0.472), (0.677, 0.472))
    wait_for_samples(page)
    page.mouse.move(*place(page, 0.62, 0.47))
    page.wait_for_timeout(1500)  # suggestions for the spot
    _save(page, out / "studio.jpg")
    page.locator("#compare").click()
    page.locator("#tab-edits").click()
    wait_for_samples(page)
    _save(page, out / "studio-compare.jpg")


def _methods(page: Page, out: Path) -> None:
    open_example(page, "boothbay")
    _green_meadow(page)
    page.locator("#compare").click()
    page.locator("#methods-open").click()
    page.locator("#method-rows section").last.wait_for()
    page.locator("#method-rows .tile[data-waiting]").first.wait_for(state="detached")
    wait_for_samples(page)
    _save(page, out / "studio-methods.jpg")


def _phone(page: Page, out: Path) -> None:
    open_example(page, "main-street")
    choose_color(page, "Sky")
    paint(page, (0.15, 0.06), (0.35, 0.05))
    wait_for_samples(page)
    show_tray(page, "color")
    page.wait_for_timeout(500)
    _save(page, out / "studio-phone.jpg")
    close_tray(page)


def _green_meadow(page: Page) -> None:
    choose_color(page, "Leaves, grass")
    _brush(page, 58)
    paint(page, (0.08, 0.82), (0.5, 0.9))
    wait_for_samples(page)


def _brush(page: Page, size: int) -> None:
    page.locator("#size").fill(str(size))


def _save(page: Page, path: Path) -> None:
    page.evaluate("for (const part of document.querySelectorAll('*')) part.scrollTop = 0;")
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(path, quality=88, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
