"""Sample sheets: rows of pictures from Lab arrays, written as one PNG. Called by the stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from huefield import lab


def picture(gray: Tensor, ab: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Returns sRGB (h, w, 3) uint8 of gray (1, h, w) and ab (2, h, w) in the networks' scaling."""
    lightness = gray[0].float().cpu().numpy() * lab.L_SCALE + lab.L_CENTER
    colours = np.moveaxis(ab.float().cpu().numpy(), 0, -1) * lab.AB_SCALE
    return lab.render_rgb8(np.ascontiguousarray(lightness), np.ascontiguousarray(colours))


def write_sheet(path: Path, gray: Tensor, columns: list[Tensor], scale: int = 2) -> None:
    """Writes a row for each photo: the gray picture, then one picture a column.

    Args:
        path: PNG to write.
        gray: (N, 1, h, w).
        columns: each (N, 2, h, w).
        scale: pixels of the sheet per pixel of the grid.
    """
    blank = columns[0][0] * 0.0
    rows = [
        np.concatenate(
            [picture(gray[i], blank), *(picture(gray[i], c[i]) for c in columns)], axis=1
        )
        for i in range(len(gray))
    ]
    image = Image.fromarray(np.concatenate(rows, axis=0))
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    temporary = path.with_suffix(".tmp.png")
    image.save(temporary)
    temporary.replace(path)
