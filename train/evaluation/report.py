"""What an evaluation leaves behind: contact sheets as PNG, figures as JSON and Markdown.

Called by `train.evaluate`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from huefield import lab
from train.evaluation.photos import SquarePhoto

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

BACKGROUND = (119, 119, 119)  # middle grey (L = 50), so that it does not tint the judgement
GAP = 4
CAPTION = 16
PHOTOS_PER_SHEET = 10


class Table(Protocol):
    """Figures of one suite."""

    def to_json(self) -> dict[str, object]:
        """For `results.json`."""
        ...

    def to_markdown(self) -> str:
        """For `results.md`."""
        ...


def contact_sheet(rows: Sequence[Sequence[Bytes]], captions: Sequence[str], side: int) -> Bytes:
    """One picture of rows of pictures, each scaled into a square of `side` pixels.

    Args:
        rows: Pictures (H, W, 3) uint8; rows may differ in length.
        captions: A text for each column.
        side: Pixels.
    """
    num_columns = max(len(row) for row in rows)
    width = GAP + num_columns * (side + GAP)
    sheet = Image.new("RGB", (width, CAPTION + GAP + len(rows) * (side + GAP)), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for column, text in enumerate(captions):
        draw.text((GAP + column * (side + GAP), 2), text, fill=(255, 255, 255))
    for number, row in enumerate(rows):
        for column, pixels in enumerate(row):
            picture = Image.fromarray(pixels)
            scale = side / max(picture.size)
            shape = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            if shape != picture.size:
                picture = picture.resize(shape, Image.Resampling.BICUBIC)
            left = GAP + column * (side + GAP) + (side - shape[0]) // 2
            top = CAPTION + GAP + number * (side + GAP) + (side - shape[1]) // 2
            sheet.paste(picture, (left, top))
    return np.asarray(sheet)


def sample_row(photo: SquarePhoto, fields: Floats) -> list[Bytes]:
    """Grey, truth and samples (N, h, w, 2) of a photo, as pictures."""
    grey = lab.render_rgb8(photo.lightness, np.zeros_like(photo.ab))
    return [grey, photo.rgb, *(lab.render_rgb8(photo.lightness, ab) for ab in fields)]


def write_sheets(
    rows: Sequence[Sequence[Bytes]], captions: Sequence[str], out: Path, stem: str, side: int = 128
) -> list[Path]:
    """Writes `stem-1.png`, `stem-2.png`, ... with ten photos each; returns their paths."""
    paths = []
    for number, first in enumerate(range(0, len(rows), PHOTOS_PER_SHEET), start=1):
        path = out / f"{stem}-{number}.png"
        sheet = contact_sheet(rows[first : first + PHOTOS_PER_SHEET], captions, side)
        Image.fromarray(sheet).save(path)
        paths.append(path)
    return paths


def write_results(
    out: Path,
    about: Mapping[str, object],
    tables: Mapping[str, Mapping[str, Table]],
    sheets: Mapping[str, Sequence[Path]],
) -> None:
    """Writes `results.json` and `results.md`.

    Args:
        out: An existing folder.
        about: What was run: model, seed, data.
        tables: {data set: {suite: figures}}.
        sheets: Contact sheets of each data set, named in the Markdown.
    """
    results = {
        **about,
        "results": {
            data: {suite: table.to_json() for suite, table in suites.items()}
            for data, suites in tables.items()
        },
    }
    text = json.dumps(results, indent=2, allow_nan=False, default=str) + "\n"
    (out / "results.json").write_text(text, encoding="utf-8")
    lines = [f"# Evaluation of {about['model']}", ""]
    lines += [f"- {key}: {value}" for key, value in about.items() if key != "model"]
    for data in {**tables, **sheets}:
        lines += ["", f"## {data}"]
        for suite, table in tables.get(data, {}).items():
            lines += ["", f"### {suite}", "", table.to_markdown()]
        for path in sheets.get(data, ()):
            lines += ["", f"![{path.stem}]({path.name})"]
    (out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
