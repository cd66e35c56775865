"""What a phone hides behind one tap more: count of samples, model, the marks of strokes."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.studio_page import (
    canvas_pixels,
    choose_color,
    open_example,
    place,
    tile_pixels,
    wait_for_samples,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("layout", ["phone"], indirect=True),
]


def test_more_and_fewer_samples_can_be_had(page: Page) -> None:
    open_example(page)
    expect(page.locator("#more")).to_be_hidden()
    page.locator("#sheet-options").tap()
    page.locator("#more").tap()
    wait_for_samples(page)
    assert len(tile_pixels(page)) == 7
    expect(page.locator("#count")).to_have_text("7")
    for _ in range(2):
        page.locator("#fewer").tap()
    wait_for_samples(page)
    assert len(tile_pixels(page)) == 5
    page.touchscreen.tap(*place(page, 0.5, 0.2))
    expect(page.locator("#more")).to_be_hidden()


def test_another_model_gives_other_colours(page: Page) -> None:
    open_example(page)
    before = canvas_pixels(page, "#picture")
    page.locator("#sheet-options").tap()
    page.locator("#model").select_option("weaker")
    wait_for_samples(page)
    after = canvas_pixels(page, "#picture")
    assert np.abs(after - before).mean() > 0.2
    usual = page.locator('#model option:not([value="weaker"])').get_attribute("value")
    page.locator("#model").select_option(usual)
    wait_for_samples(page)
    assert np.abs(canvas_pixels(page, "#picture") - before).mean() == 0


def test_the_marks_of_strokes_can_be_hidden(page: Page) -> None:
    open_example(page)
    choose_color(page, "Red")
    page.touchscreen.tap(*place(page, 0.5, 0.5))
    wait_for_samples(page)
    grey = np.array([119, 119, 119], np.float32)

    def marked() -> int:
        page.wait_for_timeout(100)
        return int((np.abs(canvas_pixels(page, "#marks-layer") - grey).max(axis=2) > 20).sum())

    assert marked() > 20
    page.locator("#marks").tap()
    assert marked() == 0
    expect(page.locator("#marks")).to_have_attribute("aria-pressed", "false")
    page.locator("#marks").tap()
    assert marked() > 20
