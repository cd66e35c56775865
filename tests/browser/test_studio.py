from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.studio_page import (
    around,
    canvas_pixels,
    choose_color,
    close_tray,
    drop,
    open_example,
    paint,
    place,
    settle,
    show_tray,
    tile_pixels,
    wait_for_samples,
)

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize("layout", ["desk", "phone"], indirect=True)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first - second).mean())


@BOTH
def test_an_example_gives_six_different_colourings(page: Page) -> None:
    open_example(page)
    tiles = tile_pixels(page)
    assert all(np.ptp(tile, axis=2).mean() > 3 for tile in tiles)
    for index, tile in enumerate(tiles):
        assert all(difference(tile, other) > 0.5 for other in tiles[index + 1 :])
    assert np.ptp(canvas_pixels(page, "#picture"), axis=2).mean() > 3


def test_choosing_another_sample_shows_it(page: Page) -> None:
    open_example(page)
    first = canvas_pixels(page, "#picture")
    page.locator(".choice").nth(2).click()
    page.mouse.move(*place(page, 0.02, 0.02))
    settle(page)
    third = canvas_pixels(page, "#picture")
    assert difference(first, third) > 0.5
    page.keyboard.press("1")
    settle(page)
    assert difference(first, canvas_pixels(page, "#picture")) == 0


@BOTH
def test_a_stroke_colours_the_view_and_all_samples_and_undo_takes_it_back(page: Page) -> None:
    open_example(page)
    plain, plain_tiles = canvas_pixels(page, "#picture"), tile_pixels(page)
    choose_color(page, "Red")
    paint(page, (0.45, 0.5), (0.55, 0.5), (0.6, 0.55))
    wait_for_samples(page)
    page.mouse.move(*place(page, 0.02, 0.02))
    painted = canvas_pixels(page, "#picture")
    red, green, blue = around(page, painted, 0.5, 0.5)
    assert red - max(green, blue) > 20
    for before, after in zip(plain_tiles, tile_pixels(page), strict=True):
        assert difference(before, after) > 0.2

    page.locator("#undo").click()
    wait_for_samples(page)
    assert difference(plain, canvas_pixels(page, "#picture")) == 0
    for before, after in zip(plain_tiles, tile_pixels(page), strict=True):
        assert difference(before, after) == 0
    expect(page.locator("#undo")).to_be_disabled()

    page.keyboard.press("Control+Shift+Z")
    wait_for_samples(page)
    assert difference(painted, canvas_pixels(page, "#picture")) == 0


@BOTH
def test_deleting_all_strokes_can_be_undone(page: Page) -> None:
    open_example(page)
    plain = canvas_pixels(page, "#picture")
    for down in (0.3, 0.7):
        paint(page, (0.3, down), (0.5, down))
    wait_for_samples(page)
    painted = canvas_pixels(page, "#picture")
    show_tray(page, "edits")
    page.locator("#clear").click()
    close_tray(page)
    wait_for_samples(page)
    assert difference(plain, canvas_pixels(page, "#picture")) == 0
    page.keyboard.press("Control+Z")
    wait_for_samples(page)
    assert difference(painted, canvas_pixels(page, "#picture")) == 0


def test_the_stroke_is_seen_while_it_is_drawn(page: Page) -> None:
    open_example(page)
    choose_color(page, "Red")
    page.mouse.move(*place(page, 0.4, 0.5))
    page.mouse.down()
    page.mouse.move(*place(page, 0.6, 0.5), steps=8)
    page.wait_for_timeout(100)
    red, green, blue = around(page, canvas_pixels(page, "#picture"), 0.5, 0.5)
    assert red - max(green, blue) > 20
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("#undo")).to_be_disabled()


def test_before_shows_the_grey_photo_by_click_by_hold_and_by_key(page: Page) -> None:
    open_example(page)
    after = canvas_pixels(page, "#picture")
    button = page.locator("#before")

    def is_grey() -> bool:
        page.wait_for_timeout(80)
        return bool(np.ptp(canvas_pixels(page, "#picture"), axis=2).max() <= 3)

    button.click()
    assert is_grey()
    expect(page.locator("#badge")).to_have_text("Before")
    button.click()
    assert not is_grey()
    box = button.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    assert is_grey()
    page.wait_for_timeout(400)
    page.mouse.up()
    assert not is_grey()
    page.keyboard.down("b")
    assert is_grey()
    page.keyboard.up("b")
    page.wait_for_timeout(80)
    assert difference(after, canvas_pixels(page, "#picture")) == 0


@pytest.mark.parametrize("image_format", ["jpg", "webp"])
def test_the_download_has_the_photos_own_size(page: Page, image_format: str) -> None:
    open_example(page)
    page.keyboard.press("2")
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator(f'#save-menu [data-format="{image_format}"]').click()
    assert waiting.value.suggested_filename == f"mechanic-2.{image_format}"
    with Image.open(waiting.value.path()) as image:
        size = page.locator("#photo-size").text_content()
        assert f"{image.width} × {image.height}" == size


def test_strokes_are_saved_and_opened_again(page: Page, tmp_path: Path) -> None:
    open_example(page)
    plain = canvas_pixels(page, "#picture")
    paint(page, (0.3, 0.4), (0.5, 0.4))
    wait_for_samples(page)
    page.mouse.move(*place(page, 0.02, 0.02))
    painted = canvas_pixels(page, "#picture")
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator("#save-edits").click()
    file = tmp_path / "strokes.json"
    waiting.value.save_as(file)
    edits = json.loads(file.read_text())
    assert edits["version"] == 1
    assert len(edits["strokes"]) == 1
    show_tray(page, "edits")
    page.locator("#clear").click()
    close_tray(page)
    wait_for_samples(page)
    assert difference(plain, canvas_pixels(page, "#picture")) == 0
    page.set_input_files("#edits-file", file)
    wait_for_samples(page)
    assert difference(painted, canvas_pixels(page, "#picture")) == 0
    file.write_text("{}")
    page.set_input_files("#edits-file", file)
    expect(page.locator("#notice-text")).to_contain_text("not an edit file")


def test_a_chosen_file_and_a_dropped_one_open(
    page: Page, example_photos: Mapping[str, Path]
) -> None:
    page.set_input_files("#file", example_photos["main-street"])
    wait_for_samples(page)
    expect(page.locator("#photo-name")).to_have_text("main-street")
    drop(page, encoded(example_photos["footbridge"]), "dropped one.jpg", "image/jpeg")
    expect(page.locator("#photo-name")).to_have_text("dropped_one")
    wait_for_samples(page)


def test_a_pasted_picture_opens(page: Page, example_photos: Mapping[str, Path]) -> None:
    page.evaluate(
        """data => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "image.png", { type: "image/png" }));
          window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        }""",
        encoded(example_photos["footbridge"]),
    )
    wait_for_samples(page)


def test_what_is_no_photo_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.jpg"
    file.write_text("no picture at all")
    page.set_input_files("#file", file)
    expect(page.locator("#notice-text")).to_contain_text("cannot be opened")
    page.locator("#notice-close").click()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_failing_request_loses_no_stroke(page: Page) -> None:
    open_example(page)
    page.route("**/colorizations", lambda route: route.abort())
    choose_color(page, "Red")
    paint(page, (0.45, 0.5), (0.55, 0.5))
    expect(page.locator("#notice-text")).to_contain_text("edits are kept")
    expect(page.locator("#undo")).to_be_enabled()
    red, green, blue = around(page, canvas_pixels(page, "#picture"), 0.5, 0.5)
    assert red - max(green, blue) > 20
    page.unroute("**/colorizations")
    page.locator("#notice-retry").click()
    wait_for_samples(page)
    expect(page.locator("#notice")).to_be_hidden()
    red, green, blue = around(page, canvas_pixels(page, "#picture"), 0.5, 0.5)
    assert red - max(green, blue) > 20


def test_late_answers_do_not_overtake(page: Page) -> None:
    open_example(page)
    bodies: list[int] = []

    def slow(route: Route) -> None:
        bodies.append(len(route.request.post_data_json["edits"]["strokes"]))
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/colorizations", slow)
    for down in (0.2, 0.4, 0.6, 0.8):
        paint(page, (0.3, down), (0.5, down))
    page.wait_for_timeout(400)
    wait_for_samples(page)
    assert bodies[-1] == 4
    assert bodies == sorted(bodies)
    expect(page.locator("#progress")).to_be_hidden()


def test_an_expired_photo_is_sent_again_with_its_strokes(page: Page) -> None:
    open_example(page)
    page.evaluate(
        """async () => {
          const photos = document.body.dataset.photos;
          const pictures = performance.getEntriesByType("resource").map((entry) => entry.name);
          const id = pictures.join(" ").match(/photos\\/([^/]+)\\/grey/)[1];
          await fetch(`${photos}/${id}`, { method: "DELETE" });
        }"""
    )
    choose_color(page, "Red")
    paint(page, (0.45, 0.5), (0.55, 0.5))
    page.wait_for_timeout(300)
    wait_for_samples(page)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#undo")).to_be_enabled()
    red, green, blue = around(page, canvas_pixels(page, "#picture"), 0.5, 0.5)
    assert red - max(green, blue) > 20


def test_a_new_set_differs_and_keeps_the_strokes(page: Page) -> None:
    open_example(page)
    paint(page, (0.45, 0.5), (0.55, 0.5))
    wait_for_samples(page)
    before = tile_pixels(page)
    page.locator("#more-different").click()
    page.wait_for_timeout(300)
    wait_for_samples(page)
    assert max(difference(*pair) for pair in zip(before, tile_pixels(page), strict=True)) > 0.5
    expect(page.locator("#undo")).to_be_enabled()


@BOTH
def test_suggestions_appear_where_the_pointer_rests(page: Page, layout: str) -> None:
    open_example(page)
    if layout == "phone":
        page.touchscreen.tap(*place(page, 0.5, 0.4))
        wait_for_samples(page)
    else:
        page.mouse.move(*place(page, 0.5, 0.4))
        page.wait_for_timeout(600)
    show_tray(page, "color")
    swatch = page.locator("#suggested .swatch").first
    swatch.click()
    expect(swatch).to_have_attribute("aria-pressed", "true")
    assert page.locator("#color").input_value() == swatch.get_attribute("data-color")


def test_closing_deletes_the_photo_on_the_server(page: Page) -> None:
    open_example(page)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        page.locator("#close").click()
    assert deleted.value.status == 204
    expect(page.locator("#choose")).to_be_visible()


def test_zooming_keeps_the_place_under_the_pointer_and_strokes_land_there(page: Page) -> None:
    open_example(page)
    spot = place(page, 0.5, 0.5)
    page.mouse.move(*spot)
    for _ in range(6):
        page.mouse.wheel(0, -200)
    settle(page)
    choose_color(page, "Red")
    page.mouse.move(*spot)
    page.mouse.down()
    page.mouse.move(spot[0] + 60, spot[1], steps=6)
    page.mouse.up()
    wait_for_samples(page)
    page.keyboard.press("0")
    settle(page)
    page.mouse.move(*place(page, 0.02, 0.02))
    red, green, blue = around(page, canvas_pixels(page, "#picture"), 0.51, 0.5)
    assert red - max(green, blue) > 20


@pytest.mark.parametrize("layout", ["phone"], indirect=True)
def test_two_fingers_zoom_and_leave_no_stroke(page: Page) -> None:
    open_example(page)
    before = canvas_pixels(page, "#picture")
    x, y = place(page, 0.5, 0.5)
    client = page.context.new_cdp_session(page)

    def touch(kind: str, spread: float) -> None:
        points = [{"x": x - spread, "y": y, "id": 0}, {"x": x + spread, "y": y, "id": 1}]
        if kind == "touchEnd":
            points = []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for spread in (40, 60, 80, 100):
        touch("touchMove", spread)
    touch("touchEnd", 0)
    settle(page)
    assert difference(before, canvas_pixels(page, "#picture")) > 3
    expect(page.locator("#undo")).to_be_disabled()


@BOTH
def test_everything_fits_and_can_be_hit(page: Page, layout: str) -> None:
    open_example(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, .tile, .own, select")]
          .map((each) => [each.id || each.className, each.getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && (box.width < 40 || box.height < 40))
          .map(([name, box]) => `${name} ${box.width} × ${box.height}`)"""
    )
    assert small == []
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    share = stage["width"] * stage["height"] / (1440 * 900 if layout == "desk" else 390 * 844)
    assert share > 0.55
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")]
          .filter((each) => each.getClientRects().length > 0)
          .filter((each) => !(each.innerText || each.ariaLabel || each.title))
          .filter((each) => !each.labels?.length)
          .map((each) => each.outerHTML)"""
    )
    assert unnamed == []


def test_the_keyboard_reaches_every_tool(page: Page) -> None:
    open_example(page)
    paint(page, (0.45, 0.5), (0.55, 0.5))
    wait_for_samples(page)
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(100):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = {
        "before",
        "compare",
        "save",
        "close",
        "undo",
        "picture",
        "more-like",
        "more-different",
    }
    assert wanted <= reached
    page.locator(".choice").first.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    expect(page.locator(".choice").nth(1)).to_have_attribute("aria-pressed", "true")


def test_nothing_jumps_while_the_samples_come(page: Page) -> None:
    page.evaluate(
        """() => {
          window.shifts = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) {
              if (!entry.hadRecentInput) window.shifts += entry.value;
            }
          }).observe({ type: "layout-shift", buffered: true });
        }"""
    )
    open_example(page)
    paint(page, (0.45, 0.5), (0.55, 0.5))
    wait_for_samples(page)
    assert page.evaluate("window.shifts") < 0.02


def encoded(path: Path) -> str:
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.convert("L").resize((320, 240)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()
