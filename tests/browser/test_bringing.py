"""Photos and pens as they really are: a camera's orientation, a pen's pressure."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from tests.browser.studio_page import (
    around,
    canvas_pixels,
    choose_color,
    drop,
    open_example,
    place,
    settle,
    wait_for_samples,
)

pytestmark = pytest.mark.browser
ORIENTATION = 0x0112


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_dropped_photo_stands_upright(
    page: Page, example_photos: Mapping[str, Path], orientation: int
) -> None:
    stream = io.BytesIO()
    with Image.open(example_photos["main-street"]) as image:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.convert("L").resize((640, 420)).save(stream, "JPEG", quality=95, exif=exif)
    with Image.open(stream) as image:
        upright = ImageOps.exif_transpose(image)
    drop(page, base64.b64encode(stream.getvalue()).decode(), "turned.jpg", "image/jpeg")
    expect(page.locator("#photo-name")).to_have_text("turned")
    wait_for_samples(page)
    expect(page.locator("#photo-size")).to_have_text(f"{upright.width} × {upright.height}")
    page.locator("#before").click()
    settle(page)
    shown = canvas_pixels(page, "#picture")
    small = np.asarray(upright.resize((upright.width // 8, upright.height // 8)), np.float32)
    rows, columns = np.mgrid[0.1:0.9:9j, 0.1:0.9:9j]
    seen, wanted = [], []
    for down, across in zip(rows.ravel(), columns.ravel(), strict=True):
        seen.append(around(page, shown, across, down).mean())
        y, x = int(down * small.shape[0]), int(across * small.shape[1])
        wanted.append(small[y, x])
    assert np.corrcoef(seen, wanted)[0, 1] > 0.8
    assert np.corrcoef(seen, wanted[::-1])[0, 1] < 0.5


def test_a_pen_draws_as_thick_as_it_is_pressed(page: Page, tmp_path: Path) -> None:
    open_example(page)
    choose_color(page, "Red")
    client = page.context.new_cdp_session(page)

    def draw(down: float, force: float) -> None:
        for k, kind in enumerate(("mousePressed", "mouseMoved", "mouseMoved", "mouseReleased")):
            x, y = place(page, 0.3 + 0.12 * k, down)
            client.send(
                "Input.dispatchMouseEvent",
                {
                    "type": kind,
                    "x": x,
                    "y": y,
                    "button": "left",
                    "buttons": 0 if kind == "mouseReleased" else 1,
                    "clickCount": 1,
                    "pointerType": "pen",
                    "force": 0 if kind == "mouseReleased" else force,
                },
            )

    # Without answers the view shows the strokes as they were drawn, and nothing spreads.
    page.route("**/colorizations", lambda route: route.abort())
    plain = canvas_pixels(page, "#picture")
    draw(0.3, 0.1)
    draw(0.7, 1.0)
    expect(page.locator("#notice-text")).to_contain_text("Your edits are kept")
    page.mouse.move(*place(page, 0.02, 0.02))
    drawn = canvas_pixels(page, "#picture")
    changed = np.abs(drawn - plain).max(axis=2) > 8
    half = changed.shape[0] // 2
    assert 0 < changed[:half].sum() < 0.6 * changed[half:].sum()
    page.unroute("**/colorizations")
    page.locator("#notice-retry").click()
    wait_for_samples(page)
    page.locator("#save").click()
    with page.expect_download() as waiting:
        page.locator("#save-edits").click()
    file = tmp_path / "edits.json"
    waiting.value.save_as(file)
    light, firm = (stroke["radius"] for stroke in json.loads(file.read_text())["strokes"])
    assert light / firm == pytest.approx(0.3 + 0.7 * 0.1, abs=0.02)
