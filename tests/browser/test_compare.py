"""The drawer of earlier methods: rows beside ours, one on the stage, faults in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import model_copies, serving
from tests.browser.studio_page import (
    canvas_pixels,
    choose_color,
    open_example,
    paint,
    settle,
    wait_for_samples,
)
from tests.browser.test_access import AXE, faults

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize("layout", ["desk", "phone"], indirect=True)
ROWS = "#method-rows section"


@pytest.fixture(scope="module")
def address(
    tiny_model: Path, baseline_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The app with two earlier methods beside our models, the second one altered."""
    models = model_copies(tiny_model, tmp_path_factory.mktemp("compare-models"))
    for method, name in (("cgan", "a-cgan"), ("vae_mdn", "b-vae-mdn")):
        folder = Path(shutil.copytree(baseline_models / method, models / name))
        note = json.loads((folder / "model.json").read_text())
        told = {"name": name, "description": "Untrained, for tests"}
        (folder / "model.json").write_text(json.dumps(note | told))
    (models / "b-vae-mdn" / "mdn.onnx").write_bytes(b"no graph")
    with serving(models, tmp_path_factory.mktemp("compare-instance")) as served:
        yield served


@pytest.fixture
def expected_complaints() -> tuple[str, ...]:
    return ("503 (SERVICE", "ERR_FAILED")


def open_drawer(page: Page) -> None:
    open_example(page)
    page.locator("#compare").click()
    page.locator("#methods-open").click()
    wait_for_samples(page)


def pictures(page: Page, row: int) -> list[np.ndarray]:
    found = page.locator(f"{ROWS}:nth-of-type({row}) .choice")
    return [
        canvas_pixels(page, f"{ROWS}:nth-of-type({row}) .choice:nth-of-type({k + 1}) canvas")
        for k in range(found.count())
    ]


def apart(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


@BOTH
def test_a_row_of_another_method_lies_under_ours(page: Page, layout: str) -> None:
    open_drawer(page)
    expect(page.locator(f"{ROWS} h3")).to_have_text(["Ours ", "c-GAN Untrained, for tests"])
    ours, theirs = pictures(page, 1), pictures(page, 2)
    assert len(ours) == len(theirs) == 6
    for picture in (*ours, *theirs):
        assert np.ptp(picture, axis=2).mean() > 3
    for k, picture in enumerate(theirs):
        assert picture.shape == ours[0].shape
        assert all(apart(picture, other) > 0.5 for other in (*ours, *theirs[k + 1 :]))
    boxes = page.locator(f"{ROWS} .choice").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map(({ width, height }) => "
        "[Math.round(width), Math.round(height)])"
    )
    assert len({tuple(box) for box in boxes}) == 1
    assert boxes[0][1] >= 44
    stage, drawer = (page.locator(which).bounding_box() for which in ("#stage", "#methods"))
    assert stage is not None
    assert drawer is not None
    assert stage["y"] + stage["height"] <= drawer["y"] + 1
    assert stage["height"] > 200
    if AXE.exists():
        assert faults(page) == []


@BOTH
def test_a_click_shows_a_sample_beside_ours_and_closing_keeps_it(page: Page, layout: str) -> None:
    open_drawer(page)
    against_grey = canvas_pixels(page, "#picture")
    strip = page.locator(f"{ROWS}:nth-of-type(2) .strip")
    page.locator(f"{ROWS}:nth-of-type(2) .choice").last.click()
    settle(page)
    assert (strip.evaluate("strip => strip.scrollLeft") > 0) == (layout == "phone")
    page.locator(f"{ROWS}:nth-of-type(2) .choice").nth(1).click()
    settle(page)
    split = canvas_pixels(page, "#picture")
    middle = split.shape[1] // 2
    assert apart(split[:, : middle - 2], against_grey[:, : middle - 2]) == 0
    assert np.ptp(split[:, middle + 2 :], axis=2).mean() > 3
    chosen = page.locator(f'{ROWS} [aria-pressed="true"]')
    expect(chosen).to_have_count(2)
    expect(chosen.last).to_have_attribute("aria-label", "c-GAN, 2")
    other = page.locator("#compare-other")
    expect(other.locator("option:checked")).to_have_text("c-GAN, 2")

    page.locator("#methods-close").click()
    expect(page.locator("#methods")).to_be_hidden()
    expect(page.locator("#compare")).to_be_focused()
    settle(page)
    page.locator('[data-mode="flip"]').click()
    page.keyboard.down("f")
    settle(page)
    flipped = canvas_pixels(page, "#picture")
    page.keyboard.up("f")
    other.select_option("-1")
    settle(page)
    assert apart(flipped, canvas_pixels(page, "#picture")) > 0.5
    page.locator("#compare").click()
    expect(page.locator("#compare-bar")).to_be_hidden()


def test_by_keyboard(page: Page) -> None:
    open_example(page)
    page.keyboard.press("c")
    page.locator("#methods-open").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#methods-close")).to_be_focused()
    wait_for_samples(page)
    page.locator(f"{ROWS}:nth-of-type(2) .choice").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    held = page.locator(":focus")
    expect(held).to_have_attribute("aria-label", "c-GAN, 2")
    expect(held).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#methods")).to_be_hidden()


def test_a_broken_method_says_so_and_can_be_tried_again(page: Page) -> None:
    open_drawer(page)
    page.locator("#method-list").get_by_text("VAE-MDN").click()
    fault = page.locator(f"{ROWS} [role=alert]")
    expect(fault).to_contain_text("files of b-vae-mdn are incomplete")
    expect(page.locator(f"{ROWS}:nth-of-type(2) .choice")).to_have_count(6)

    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.abort()

    page.route("**/comparisons", answer)
    page.locator(ROWS).get_by_role("button", name="Try again").click()
    expect(fault).to_contain_text("cannot be reached")
    assert asked == ['{"method":"b-vae-mdn"}']
    page.locator("#method-list").get_by_text("VAE-MDN").click()
    expect(fault).to_have_count(0)


@BOTH
def test_methods_of_strokes_come_with_the_first_and_follow_the_next(
    page: Page, layout: str
) -> None:
    open_drawer(page)
    names = page.locator("#method-list button")
    expect(names).to_have_text(["c-GAN", "VAE-MDN"])
    page.locator("#methods-close").click()
    page.locator("#compare").click()
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    page.locator("#compare").click()
    page.locator("#methods-open").click()
    expect(names).to_have_text(["c-GAN", "VAE-MDN", "Levin 2004", "Barron & Poole 2016"])
    names.last.click()
    wait_for_samples(page)
    assert len(pictures(page, 3)) == 1
    red = pictures(page, 3)[0]
    assert red[..., 0].mean() > red[..., 2].mean() + 5
    page.locator(f"{ROWS}:nth-of-type(3) .choice").click()
    settle(page)
    other = page.locator("#compare-other option:checked")
    expect(other).to_have_text("Barron & Poole 2016, 1")
    page.locator("#undo").click()
    expect(names).to_have_text(["c-GAN", "VAE-MDN"])
    expect(page.locator(ROWS)).to_have_count(2)
    expect(other).to_have_text("The grey photo")


def test_without_an_earlier_method_there_is_no_drawer(page: Page) -> None:
    page.wait_for_load_state("networkidle")  # a reload amid requests would break them off
    page.route("**/methods", lambda route: route.fulfill(json={"methods": []}))
    page.reload()
    open_example(page)
    page.locator("#compare").click()
    expect(page.locator("#compare-bar")).to_be_visible()
    expect(page.locator("#methods-open")).to_be_hidden()
    expect(page.locator("#methods")).to_be_hidden()
