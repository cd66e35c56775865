"""What a person does on the studio page, and what they see, as functions of a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

TWO_FRAMES = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
READ = "canvas => canvas.toDataURL('image/png')"


def open_example(page: Page, name: str = "mechanic") -> None:
    page.locator(f'[data-example="{name}"]').click()
    wait_for_samples(page)


def wait_for_samples(page: Page) -> None:
    """Until all tiles are coloured and nothing is on its way."""
    settle(page)
    expect(page.locator(".tile[data-waiting]")).to_have_count(0, timeout=60_000)
    settle(page)


def settle(page: Page) -> None:
    """Until nothing is asked of the server for the big view, and it is drawn."""
    page.wait_for_timeout(200)  # the view rests for a moment before it is made sharp
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false", timeout=60_000)
    page.evaluate(TWO_FRAMES)


def canvas_pixels(page: Page, selector: str) -> NDArray[np.float32]:
    """Pixels of a canvas, (H, W, 3) float32 in 0..255; where it is clear, the stage's grey."""
    text = page.locator(selector).first.evaluate(READ)
    with Image.open(io.BytesIO(base64.b64decode(text.split(",")[1]))) as image:
        shown = Image.new("RGBA", image.size, (119, 119, 119, 255))
        shown.alpha_composite(image.convert("RGBA"))
    return np.asarray(shown.convert("RGB"), np.float32)


def tile_pixels(page: Page) -> list[NDArray[np.float32]]:
    count = page.locator(".tile").count()
    return [canvas_pixels(page, f".tile:nth-of-type({k}) canvas") for k in range(1, count + 1)]


def drop(page: Page, data: str, name: str, kind: str) -> None:
    """A file (base64) dropped on the stage."""
    page.evaluate(
        """([data, name, type]) => {
          const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          const where = document.getElementById("stage");
          const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
          where.dispatchEvent(new DragEvent("dragenter", options));
          where.dispatchEvent(new DragEvent("drop", options));
        }""",
        [data, name, kind],
    )


def choose_color(page: Page, name: str) -> None:
    show_tray(page, "color")
    page.locator(f'#everyday [aria-label="{name}"]').click()
    close_tray(page)


def show_tray(page: Page, name: str) -> None:
    tab = page.locator(f"#tab-{name}")
    if tab.is_visible():
        tab.click()
    else:
        page.locator(f'[data-panel="{name}"]').click()


def close_tray(page: Page) -> None:
    if page.locator("#trays-close").is_visible():
        page.locator("#trays-close").click()
        page.mouse.move(4, 60)


def choose_tool(page: Page, name: str) -> None:
    toggle = page.locator("#tools-toggle")
    if toggle.is_visible():
        toggle.click()
    page.locator(f"#tool-{name}").click()


def place(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place of the photo, given as shares of its sides, in CSS pixels of the window."""
    box = page.locator("#picture").bounding_box()
    size = page.locator("#photo-size").text_content()
    assert box is not None
    assert size is not None
    width, height = (int(part) for part in size.split(" × "))
    margin = 0 if box["width"] < 600 else 24
    scale = min((box["width"] - 2 * margin) / width, (box["height"] - 2 * margin) / height)
    return (
        box["x"] + box["width"] / 2 + (across - 0.5) * width * scale,
        box["y"] + box["height"] / 2 + (down - 0.5) * height * scale,
    )


def paint(page: Page, *points: tuple[float, float]) -> None:
    """A stroke with the mouse through places given as shares of the photo's sides."""
    spots = [place(page, *point) for point in points]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=8)
    page.mouse.up()


def around(
    page: Page, picture: NDArray[np.float32], across: float, down: float
) -> NDArray[np.float32]:
    """Mean colour (3,) of the big view around a place of the photo."""
    box = page.locator("#picture").bounding_box()
    assert box is not None
    x, y = place(page, across, down)
    density = picture.shape[1] / box["width"]
    column, row = int((x - box["x"]) * density), int((y - box["y"]) * density)
    return np.asarray(picture[row - 2 : row + 3, column - 2 : column + 3].mean((0, 1)))
