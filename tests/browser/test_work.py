"""What people do beyond painting: tools, samples, comparing, finishing, coming back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.studio_page import (
    around,
    canvas_pixels,
    choose_color,
    choose_tool,
    open_example,
    paint,
    place,
    settle,
    show_tray,
    tile_pixels,
    wait_for_samples,
)

pytestmark = pytest.mark.browser


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


def quiet_picture(page: Page) -> np.ndarray:
    page.mouse.move(*place(page, 0.02, 0.02))
    wait_for_samples(page)
    return canvas_pixels(page, "#picture")


def test_each_tool_does_its_own(page: Page) -> None:
    open_example(page)
    red, green, _ = around(page, quiet_picture(page), 0.5, 0.5)
    plain = red - green
    choose_color(page, "Red")
    choose_tool(page, "point")
    page.mouse.click(*place(page, 0.5, 0.5))
    page.mouse.move(*place(page, 0.02, 0.02))
    wait_for_samples(page)
    red, green, _ = around(page, canvas_pixels(page, "#picture"), 0.5, 0.5)
    painted = red - green
    assert painted > max(20, plain + 15)
    choose_tool(page, "neutral")
    paint(page, (0.25, 0.3), (0.35, 0.3))
    picture = quiet_picture(page)
    assert np.ptp(around(page, picture, 0.3, 0.3)) < 4
    choose_tool(page, "keep")
    paint(page, (0.7, 0.7), (0.8, 0.7))
    choose_tool(page, "tie")
    page.mouse.click(*place(page, 0.1, 0.8))
    page.mouse.click(*place(page, 0.9, 0.8))
    wait_for_samples(page)
    show_tray(page, "edits")
    kinds = [text.split()[0] for text in page.locator(".edit-name").all_text_contents()]
    assert kinds == ["Tie", "Keep", "No", "Point"]
    choose_tool(page, "erase")
    paint(page, (0.5, 0.45), (0.5, 0.55))
    wait_for_samples(page)
    expect(page.locator(".edit-name")).to_have_count(3)
    red, green, _ = around(page, quiet_picture(page), 0.5, 0.5)
    assert red - green < (painted + plain) / 2


def test_the_list_hides_weakens_reorders_and_deletes(page: Page) -> None:
    open_example(page)
    plain = quiet_picture(page)
    for name in ("Red", "Blue"):
        choose_color(page, name)
        paint(page, (0.4, 0.5), (0.6, 0.5))
        wait_for_samples(page)
    painted = quiet_picture(page)
    assert around(page, painted, 0.5, 0.5)[2] > around(page, painted, 0.5, 0.5)[0]
    show_tray(page, "edits")
    page.locator('[data-key="down-2"]').click()
    reordered = quiet_picture(page)
    assert around(page, reordered, 0.5, 0.5)[0] > around(page, reordered, 0.5, 0.5)[2]
    page.locator('[data-key="hide-1"]').click()
    assert difference(quiet_picture(page), painted) > 0
    page.locator('[data-key="delete-2"]').click()
    assert difference(quiet_picture(page), plain) == 0
    page.keyboard.press("Control+Z")
    page.locator('[data-key="strength-2"]').fill("20")
    weak = quiet_picture(page)
    assert 0 < difference(weak, plain) < difference(painted, plain)


def test_favourites_stay_while_others_change(page: Page) -> None:
    open_example(page)
    before = tile_pixels(page)
    page.locator(".tile").nth(2).hover()
    page.locator(".star").nth(2).click()
    page.keyboard.press("d")
    wait_for_samples(page)
    after = tile_pixels(page)
    assert difference(after[0], before[2]) < 0.5
    assert difference(after[1], before[1]) > 0.5
    for _ in range(3):
        page.locator("#more").click()
    wait_for_samples(page)
    assert len(tile_pixels(page)) == 9
    page.locator(".choice").nth(4).click()
    chosen = tile_pixels(page)[4]
    page.keyboard.press("l")
    wait_for_samples(page)
    like = tile_pixels(page)
    apart = [difference(tile, chosen) for tile in like]
    assert min(apart) < 0.5
    assert np.median(apart) < np.median([difference(tile, chosen) for tile in before])


def test_pointing_at_a_tile_shows_it_large(page: Page) -> None:
    open_example(page)
    first = quiet_picture(page)
    page.locator(".choice").nth(3).hover()
    page.wait_for_timeout(400)
    settle(page)
    assert difference(first, canvas_pixels(page, "#picture")) > 0.5
    expect(page.locator("#badge")).to_have_text("Colouring 4")
    assert difference(quiet_picture(page), first) == 0


def test_two_pictures_are_compared(page: Page) -> None:
    open_example(page)
    whole = quiet_picture(page)
    page.locator("#compare").click()
    settle(page)
    split = canvas_pixels(page, "#picture")
    middle = whole.shape[1] // 2
    assert difference(split[:, : middle - 2], whole[:, : middle - 2]) == 0
    assert np.ptp(split[:, middle + 2 :], axis=2).max() <= 3
    page.locator("#divider").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settle(page)
    moved = canvas_pixels(page, "#picture")
    assert np.ptp(moved[:, middle + 2 : int(1.3 * middle)], axis=2).mean() > 3
    page.locator("#compare-other").select_option("2")
    page.locator('[data-mode="flip"]').click()
    settle(page)
    assert difference(canvas_pixels(page, "#picture"), whole) == 0
    page.keyboard.down("f")
    settle(page)
    assert difference(canvas_pixels(page, "#picture"), whole) > 0.5
    page.keyboard.up("f")
    page.locator('[data-mode="side"]').click()
    settle(page)
    side = canvas_pixels(page, "#picture")
    assert 0.5 < difference(side[:, :middle], side[:, middle : 2 * middle]) < 40
    page.locator("#compare").click()
    settle(page)
    assert difference(canvas_pixels(page, "#picture"), whole) == 0


def test_insights_are_one_click_each(page: Page) -> None:
    open_example(page)
    page.locator("#uncertainty").click()
    page.wait_for_timeout(600)
    grey = np.array([119, 119, 119], np.float32)
    overlay = np.abs(canvas_pixels(page, "#marks-layer") - grey).max(axis=2)
    assert (overlay > 20).sum() > 10_000
    expect(page.locator("#badge")).to_contain_text("helps most")
    page.locator("#influence").click()
    page.mouse.move(*place(page, 0.5, 0.5))
    page.mouse.move(*place(page, 0.51, 0.5))
    page.wait_for_timeout(900)
    around_it = np.abs(canvas_pixels(page, "#marks-layer") - grey).max(axis=2)
    assert around_it.max() > 60
    assert np.abs(around_it - overlay).mean() > 0.5
    whole = quiet_picture(page)
    page.locator("#unary").click()
    page.wait_for_timeout(700)
    settle(page)
    halves = canvas_pixels(page, "#picture")
    middle = whole.shape[1] // 2
    assert 0.2 < difference(halves[:, :middle], halves[:, middle : 2 * middle]) < 40


def test_what_the_sliders_show_is_what_is_saved(page: Page) -> None:
    open_example(page)
    plain = quiet_picture(page)
    show_tray(page, "finish")
    page.locator("#saturation").fill("150")
    page.locator("#warmth").fill("60")
    shown = quiet_picture(page)
    assert difference(plain, shown) > 2
    page.locator("#save").click()
    page.locator("#mark").check()
    with page.expect_download() as waiting:
        page.locator('#save-menu [data-format="png"]').click()
    with Image.open(waiting.value.path()) as image:
        assert "guess" in image.info["Description"]
        saved = np.asarray(image.convert("RGB"), np.float32)
    for across, down in ((0.2, 0.2), (0.5, 0.5), (0.7, 0.3), (0.3, 0.8)):
        y, x = int(down * saved.shape[0]), int(across * saved.shape[1])
        wanted = saved[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1))
        assert np.abs(around(page, shown, across, down) - wanted).max() < 14
    page.locator("#tone-reset").click()
    assert difference(quiet_picture(page), plain) == 0


def test_layer_and_favourites_are_saved(page: Page) -> None:
    open_example(page)
    page.locator(".tile").nth(1).hover()
    page.locator(".star").nth(1).click()
    page.locator(".tile").nth(3).hover()
    page.locator(".star").nth(3).click()
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator("#save-stars").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.namelist() == ["mechanic-2.png", "mechanic-4.png"]
        assert archive.testzip() is None
        with Image.open(io.BytesIO(archive.read("mechanic-4.png"))) as image:
            assert image.size == (570, 444)
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator("#save-layer").click()
    with Image.open(waiting.value.path()) as image:
        assert image.mode == "RGBA"


def test_an_edit_file_gives_the_same_download_bit_for_bit(page: Page, tmp_path: Path) -> None:
    open_example(page)
    page.keyboard.press("d")
    wait_for_samples(page)
    page.keyboard.press("4")
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    show_tray(page, "finish")
    page.locator("#saturation").fill("130")

    def save(selector: str) -> bytes:
        page.locator("#save").click()
        with page.expect_download() as waiting:
            page.locator(selector).click()
        return Path(waiting.value.path()).read_bytes()

    edits = save("#save-edits")
    assert json.loads(edits)["strokes"][0]["color"] == "#b8302c"
    first = save('#save-menu [data-format="png"]')
    file = tmp_path / "edits.json"
    file.write_bytes(edits)
    page.locator("#close").click()
    open_example(page)
    page.set_input_files("#edits-file", file)
    wait_for_samples(page)
    assert save('#save-menu [data-format="png"]') == first


def test_a_reload_brings_everything_back(page: Page) -> None:
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    page.keyboard.press("3")
    picture = quiet_picture(page)
    page.wait_for_timeout(600)
    page.reload()
    wait_for_samples(page)
    assert difference(quiet_picture(page), picture) < 0.05
    page.keyboard.press("Control+Z")
    wait_for_samples(page)
    expect(page.locator("#undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+Z")
    page.wait_for_timeout(600)
    page.goto("about:blank")
    page.go_back()
    wait_for_samples(page)
    assert difference(quiet_picture(page), picture) < 0.05


def test_another_tab_has_its_own_work_and_may_take_over(
    page: Page, context: BrowserContext
) -> None:
    open_example(page)
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    page.wait_for_timeout(600)
    other = context.new_page()
    other.goto(page.url)
    other.locator("#left-off-list button").first.click()
    wait_for_samples(other)
    other.keyboard.press("Control+Z")
    wait_for_samples(other)
    expect(other.locator("#undo")).to_be_disabled()
    expect(page.locator("#undo")).to_be_enabled()


def test_several_photos_lie_in_a_strip(page: Page, example_photos: Mapping[str, Path]) -> None:
    names = ("main-street", "footbridge")
    page.set_input_files("#file", [example_photos[name] for name in names])
    expect(page.locator("#film button")).to_have_count(2, timeout=30_000)
    # Both can be told apart before the second was on the stage.
    drawn = """() => [...document.querySelectorAll("#film canvas")].every((canvas) => {
      const { width, height } = canvas;
      return new Set(canvas.getContext("2d").getImageData(0, 0, width, height).data).size > 8;
    })"""
    page.wait_for_function(drawn, timeout=10_000)
    wait_for_samples(page)
    expect(page.locator("#photo-name")).to_have_text("main-street")
    choose_color(page, "Red")
    paint(page, (0.4, 0.5), (0.6, 0.5))
    wait_for_samples(page)
    page.locator("#film button").nth(1).click()
    expect(page.locator("#photo-name")).to_have_text("footbridge")
    expect(page.locator("#undo")).to_be_disabled()
    page.locator("#film button").nth(0).click()
    expect(page.locator("#undo")).to_be_enabled()
    page.locator("#close").click()
    expect(page.locator("#photo-name")).to_have_text("footbridge")


def test_a_colour_photo_offers_its_own_colours(
    page: Page, color_photos: Mapping[str, Path]
) -> None:
    page.set_input_files("#file", next(iter(color_photos.values())))
    wait_for_samples(page)
    expect(page.locator("#notice-text")).to_contain_text("colours of its own")
    before = quiet_picture(page)
    page.locator("#reference-picture").click(position={"x": 40, "y": 40})
    page.locator("#own-colors").click()
    wait_for_samples(page)
    expect(page.locator("#edits-count")).to_have_text("35")
    assert difference(quiet_picture(page), before) > 1


def test_with_the_keyboard_alone(page: Page) -> None:
    page.locator('[data-example="mechanic"]').focus()
    page.keyboard.press("Enter")
    wait_for_samples(page)
    page.keyboard.press("2")
    page.locator("#picture").focus()
    page.keyboard.press("o")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    wait_for_samples(page)
    first = page.evaluate("document.querySelectorAll('.edit-name').length")
    assert first == 1
    before = canvas_pixels(page, "#picture")
    for _ in range(6):
        page.keyboard.press("Alt+ArrowRight")
    wait_for_samples(page)
    assert difference(before, canvas_pixels(page, "#picture")) > 0.01
    page.keyboard.press("Delete")
    wait_for_samples(page)
    assert page.evaluate("document.querySelectorAll('.edit-name').length") == 0
    page.keyboard.press("?")
    expect(page.locator("#help-page")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help-page")).to_be_hidden()


def test_the_first_visit_is_shown_around_once(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    open_example(page)
    for _ in range(3):
        page.locator("#tour-next").click()
    expect(page.locator("#tour")).to_be_hidden()
    page.reload()
    wait_for_samples(page)
    expect(page.locator("#tour")).to_be_hidden()


def test_the_picker_offers_only_what_exists_here(page: Page) -> None:
    open_example(page)
    page.mouse.move(*place(page, 0.5, 0.5))
    page.mouse.move(*place(page, 0.505, 0.5))
    page.wait_for_timeout(400)
    picker = page.locator("#picker")
    picker.focus()
    before = page.locator("#color").input_value()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    edge = page.locator("#color").input_value()
    assert edge != before
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    further = page.locator("#color").input_value()
    steps = [abs(int(edge[k : k + 2], 16) - int(further[k : k + 2], 16)) for k in (1, 3, 5)]
    assert max(steps) < 12
    choose_tool(page, "pick")
    page.mouse.click(*place(page, 0.3, 0.2))
    wanted = around(page, canvas_pixels(page, "#picture"), 0.3, 0.2)
    picked = page.locator("#color").input_value()
    got = [int(picked[k : k + 2], 16) for k in (1, 3, 5)]
    assert np.abs(np.array(got) - wanted).max() < 16


def test_one_hundred_percent_shows_the_photos_own_pixels(page: Page) -> None:
    open_example(page)
    fitted = page.locator("#zoom-value").text_content()
    assert fitted != "100 %"
    page.locator("#zoom-full").click()
    expect(page.locator("#zoom-value")).to_have_text("100 %")
    settle(page)
    colored = np.ptp(quiet_picture(page), axis=2) > 0
    columns = np.flatnonzero(colored.any(axis=0))
    assert columns[-1] - columns[0] + 1 == pytest.approx(570, abs=3)
    page.locator("#zoom-fit").click()
    expect(page.locator("#zoom-value")).to_have_text(str(fitted))
