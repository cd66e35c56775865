"""What a person keeps when things go wrong around the page: servers, tabs, time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import model_copies
from tests.browser.served import Served
from tests.browser.studio_page import (
    around,
    canvas_pixels,
    choose_color,
    open_example,
    paint,
    place,
    settle,
    show_tray,
    wait_for_samples,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def served(tiny_model: Path, tmp_path: Path) -> Iterator[Served]:
    models = tmp_path / "models"
    models.mkdir()
    server = Served(tmp_path, model_copies(tiny_model, models))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def studio(context: BrowserContext, served: Served) -> Page:
    page = context.new_page()
    page.add_init_script("if (origin !== 'null') localStorage.setItem('huefield.tour', '1')")
    page.goto(served.address)
    return page


def is_red(page: Page, across: float, down: float) -> bool:
    red, green, blue = around(page, canvas_pixels(page, "#picture"), across, down)
    return bool(red - max(green, blue) > 20)


@pytest.mark.parametrize("instance", ["instance", "another"])
def test_a_killed_server_costs_no_stroke(studio: Page, served: Served, instance: str) -> None:
    """Started again with its photos, and without: then the photo is sent once more."""
    page = studio
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.2, 0.3), (0.3, 0.3))
    wait_for_samples(page)
    served.kill()
    paint(page, (0.6, 0.7), (0.7, 0.7))
    expect(page.locator("#notice-text")).to_contain_text("Your edits are kept")
    assert is_red(page, 0.25, 0.3)
    assert is_red(page, 0.65, 0.7)
    paint(page, (0.2, 0.8), (0.3, 0.8))
    served.start(instance)
    # It comes back by itself, and goes on with what was painted meanwhile.
    expect(page.locator("#notice")).to_be_hidden(timeout=60_000)
    wait_for_samples(page)
    page.mouse.move(*place(page, 0.02, 0.02))
    assert all(is_red(page, *spot) for spot in ((0.25, 0.3), (0.65, 0.7), (0.25, 0.8)))
    show_tray(page, "edits")
    expect(page.locator(".edit-name")).to_have_count(3)
    paint(page, (0.7, 0.2), (0.8, 0.2))
    wait_for_samples(page)
    assert is_red(page, 0.75, 0.2)


def test_a_page_loaded_while_the_server_is_away_has_all_edits_afterwards(
    studio: Page, served: Served
) -> None:
    page = studio
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    page.wait_for_timeout(600)
    served.kill()
    served.start("another")
    page.reload()
    wait_for_samples(page)
    page.mouse.move(*place(page, 0.02, 0.02))
    settle(page)
    assert is_red(page, 0.5, 0.5)
    expect(page.locator("#undo")).to_be_enabled()


def forget_photo(page: Page) -> None:
    """Let the photo expire on the server."""
    page.evaluate(
        """async () => {
          const photos = document.body.dataset.photos;
          const pictures = performance.getEntriesByType("resource").map((entry) => entry.name);
          const id = pictures.join(" ").match(/photos\\/([^/]+)\\/grey/)[1];
          await fetch(`${photos}/${id}`, { method: "DELETE" });
        }"""
    )


def test_saving_an_expired_photo_says_what_to_do_and_then_works(page: Page) -> None:
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    forget_photo(page)
    page.locator("#save").click()
    page.locator('#save-menu [data-format="png"]').click()
    expect(page.locator("#notice-text")).to_contain_text("Please save once more")
    wait_for_samples(page)
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator('#save-menu [data-format="png"]').click()
    assert Path(waiting.value.path()).stat().st_size > 10_000
    assert is_red(page, 0.5, 0.5)


def test_two_tabs_keep_each_their_own_strokes(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto(page.url)
    pictures = []
    for tab, down in ((page, 0.3), (other, 0.7)):
        tab.bring_to_front()  # as a person does; what is hidden draws seldom
        open_example(tab)
        choose_color(tab, "Red")
        paint(tab, (0.4, down), (0.6, down))
        wait_for_samples(tab)
        tab.mouse.move(*place(tab, 0.02, 0.02))
        settle(tab)
        pictures.append(canvas_pixels(tab, "#picture"))
        tab.wait_for_timeout(600)
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.2
    for tab, picture in zip((page, other), pictures, strict=True):
        tab.bring_to_front()
        tab.reload()
        wait_for_samples(tab)
        tab.mouse.move(*place(tab, 0.02, 0.02))
        settle(tab)
        assert np.abs(canvas_pixels(tab, "#picture") - picture).mean() < 0.05


def test_back_and_forward_bring_the_strokes_again(page: Page) -> None:
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    # At once: nothing waits until the page had time to keep it.
    page.goto("about:blank")
    page.go_back()
    wait_for_samples(page)
    expect(page.locator("#undo")).to_be_enabled()
    assert is_red(page, 0.5, 0.5)
    page.go_forward()
    page.go_back()
    wait_for_samples(page)
    expect(page.locator("#undo")).to_be_enabled()
