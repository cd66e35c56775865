"""Sheets of small pictures with labels, for the figures of `train.reproduce`.

A sheet has blocks of lines, a line its label and a row of tiles; heads stand over the columns. The
page is white, text black, every gap a multiple of one unit.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from train.reproduction.tiles import heat

Bytes = NDArray[np.uint8]

QUALITY = 88
MOST_BYTES = 1_500_000
SIDES = (176, 160, 144, 128, 112, 96, 80)  # of a tile, in pixels; the first whose file is allowed
WIDEST = 1700  # pixels of a sheet
UNIT = 6  # pixels between tiles; margins and gaps between blocks are multiples
LABEL_WIDTH = 106  # most pixels of a label
TEXT_SIZE = 15


@dataclass(frozen=True)
class Line:
    """One row of a sheet.

    Attributes:
        label: what stands left of it.
        tiles: pictures (H, W, 3) uint8, one a column.
    """

    label: str
    tiles: tuple[Bytes, ...]


@dataclass(frozen=True)
class Legend:
    """What the colours of heat maps mean: the text at the dark end and at the bright end."""

    low: str
    high: str


def write_sheet(
    path: Path,
    heads: Sequence[str],
    blocks: Sequence[Sequence[Line]],
    legend: Legend | None = None,
) -> None:
    """Writes a sheet as JPEG, its tiles the largest that keep to `WIDEST` and `MOST_BYTES`.

    Args:
        path: the file; it appears as a whole or not at all.
        heads: text over each column.
        blocks: lines that belong together.
        legend: of heat maps, if there are any.
    """
    for side in SIDES:
        image = draw_sheet(heads, blocks, side, legend)
        if image.width > WIDEST and side != SIDES[-1]:
            continue
        data = jpeg(np.asarray(image), QUALITY)
        if len(data) <= MOST_BYTES or side == SIDES[-1]:
            write_bytes(path, data)
            return


def draw_sheet(
    heads: Sequence[str],
    blocks: Sequence[Sequence[Line]],
    side: int,
    legend: Legend | None = None,
) -> Image.Image:
    """The sheet with square tiles of `side` pixels."""
    font = ImageFont.load_default(TEXT_SIZE)
    margin, gap, height = 3 * UNIT, 3 * UNIT, round(1.25 * TEXT_SIZE)
    head_lines = [_wrapped(text, font, side) for text in heads]
    head_height = height * max(len(lines) for lines in head_lines)
    labels = {
        line.label: _wrapped(line.label, font, LABEL_WIDTH) for each in blocks for line in each
    }
    widest = max(font.getlength(text) for lines in labels.values() for text in lines)
    left = margin + round(widest) + 2 * UNIT
    top = margin + head_height + UNIT
    width = left + len(heads) * (side + UNIT) - UNIT + margin
    rows = sum(len(block) for block in blocks)
    tall = rows * (side + UNIT) - UNIT + (len(blocks) - 1) * (gap - UNIT)
    below = 0 if legend is None else gap + height
    image = Image.new("RGB", (width, top + tall + below + margin), "white")
    draw = ImageDraw.Draw(image)
    for column, lines in enumerate(head_lines):
        middle = left + column * (side + UNIT) + side / 2
        for number, text in enumerate(lines):
            y = top - UNIT - height * (len(lines) - number)
            draw.text((middle, y), text, "black", font, anchor="ma")
    y = top
    for block in blocks:
        for line in block:
            said = labels[line.label]
            first = y + (side - height * len(said)) / 2
            for number, text in enumerate(said):
                draw.text((margin, first + number * height), text, "black", font)
            for column, tile in enumerate(line.tiles):
                image.paste(_tile(tile, side), (left + column * (side + UNIT), y))
            y += side + UNIT
        y += gap - UNIT
    if legend is not None:
        _draw_legend(draw, legend, (left, top + tall + gap), height, font)
    return image


def jpeg(rgb: Bytes, quality: int) -> bytes:
    """A picture (H, W, 3) uint8 as JPEG, colours as sharp as lightness."""
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality, subsampling=0, optimize=True)
    return stream.getvalue()


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file as a whole or not at all, its folder made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _tile(picture: Bytes, side: int) -> Image.Image:
    image = Image.fromarray(picture)
    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.LANCZOS)


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float
) -> list[str]:
    """The text in lines of at most `width` pixels, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _draw_legend(
    draw: ImageDraw.ImageDraw,
    legend: Legend,
    place: tuple[int, int],
    height: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A bar of the heat colours between the texts of its ends."""
    x, y = place
    draw.text((x, y), legend.low, "black", font)
    x += round(font.getlength(legend.low)) + UNIT
    steps = 160
    colors = heat(np.linspace(0, 1, steps, dtype=np.float32)[None])[0]
    for step in range(steps):
        red, green, blue = (int(value) for value in colors[step])
        draw.line((x + step, y + 2, x + step, y + height - 2), (red, green, blue))
    draw.text((x + steps + UNIT, y), legend.high, "black", font)
