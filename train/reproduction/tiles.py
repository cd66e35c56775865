"""Tiles of figures that are no colourings: heat maps, marked places, strokes. For `explained`.

Maps come on a working grid; between its cells they are interpolated, blind to the photo, so that
nothing is shown that the grid does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from huefield import lab, upsample
from huefield.strokes import Edits

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_HEAT = "inferno"
_DIM = 0.5  # of L under a heat map
_RING = 9.0  # radius of a ring, pixels
_NUMBER_SIZE = 24
_STROKE_LIGHTNESS = 60.0


def heat(values: Floats) -> Bytes:
    """Values in 0..1 (H, W) as colours (H, W, 3) uint8, from black over red to pale yellow."""
    return np.asarray(colormaps[_HEAT](np.clip(values, 0, 1), bytes=True)[..., :3], np.uint8)


def heat_over(values: Floats, lightness: Floats) -> Bytes:
    """A map as heat over a dim photo, (H, W, 3) uint8; the photo shows where the map is near 0.

    Args:
        values: (h, w) float32; below 0 counts as 0, the largest is the brightest, in between goes
            the square root.
        lightness: (H, W) float32, L of the photo.
    """
    positive = np.maximum(values, 0)
    shares = np.sqrt(positive / max(float(positive.max()), 1e-12))
    shares = np.clip(enlarged(shares, lightness.shape), 0, 1)
    gray = np.zeros((*lightness.shape, 2), np.float32)
    dim = lab.render_rgb8(lightness * np.float32(_DIM), gray)
    cover = np.clip(2 * shares, 0, 1)[..., None]
    return np.asarray(np.rint(dim * (1 - cover) + heat(shares) * cover), np.uint8)


def enlarged(values: Floats, shape: tuple[int, ...]) -> Floats:
    """A map (h, w) at the size of a photo (H, W), float32."""
    full = upsample.bilinear(values[..., None], (shape[0], shape[1]))
    return np.asarray(full[..., 0], np.float32)


def marked(picture: Bytes, places: Sequence[tuple[float, float]], first: int = 1) -> Bytes:
    """A picture (H, W, 3) with a ring around each place (x, y) in pixels, numbered from `first`."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for number, (x, y) in enumerate(places, start=first):
        for reach, width, color in ((_RING + 2, 7, "black"), (_RING, 3, "white")):
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=color, width=width)
        _write_number(draw, number, (x - _RING, x + _RING), y, image.size)
    return np.asarray(image)


def painted(picture: Bytes, edits: Edits) -> Bytes:
    """A picture (H, W, 3) with strokes in their own colours, outlined and numbered from 1."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for number, stroke in enumerate(edits.strokes, start=1):
        ab = np.asarray(stroke.ab, np.float32)[None, None]
        light = np.full((1, 1), _STROKE_LIGHTNESS, np.float32)
        red, green, blue = (int(value) for value in lab.render_rgb8(light, ab)[0, 0])
        for wider, color in ((4.0, (0, 0, 0)), (2.5, (255, 255, 255)), (0.0, (red, green, blue))):
            reach = stroke.radius + wider
            for x, y in _along(stroke.points):
                draw.ellipse((x - reach, y - reach, x + reach, y + reach), color)
        xs = [x for x, _ in stroke.points]
        ends = min(xs) - stroke.radius, max(xs) + stroke.radius
        _write_number(draw, number, ends, stroke.points[0][1], image.size)
    return np.asarray(image)


def _along(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Points (x, y) a pixel apart along a line."""
    yield points[0]
    for (x, y), (end_x, end_y) in pairwise(points):
        steps = max(1, round(np.hypot(end_x - x, end_y - y)))
        for step in range(1, steps + 1):
            yield x + (end_x - x) * step / steps, y + (end_y - y) * step / steps


def _write_number(
    draw: ImageDraw.ImageDraw,
    number: int,
    ends: tuple[float, float],
    y: float,
    size: tuple[int, int],
) -> None:
    """Writes a number to the right of what lies between two x, or left of it where it would be cut.

    Args:
        draw: the picture.
        number: of one digit.
        ends: first and last x of what is numbered.
        y: its middle.
        size: (width, height) of the picture.
    """
    width, height = size
    first, last = ends
    beside = last + 6 if last + 6 + _NUMBER_SIZE < width else first - 6 - 0.7 * _NUMBER_SIZE
    above = min(max(y - _NUMBER_SIZE / 2 - 2, 0), height - _NUMBER_SIZE - 4)
    font = ImageFont.load_default(_NUMBER_SIZE)
    draw.text((beside, above), str(number), "white", font, stroke_width=3, stroke_fill="black")
