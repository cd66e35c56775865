"""Painted strokes at the size of a picture: they show their own colour, with soft edges.

The G-CRF knows a stroke as shares of grid cells, tens of pixels wide. Here the stroke's own pixels
get its colour, and the colour fades out over a narrow rim beyond them, sooner where the lightness
leaves what was painted over. Called by `colorizer` for every rendering.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from huefield.strokes import Edits, coverage

Floats = NDArray[np.float32]

RIM = 0.5  # width of the rim, in radii of the stroke
RIM_LIGHTNESS = 6.0  # L that a rim pixel may differ from the stroke's, one deviation


@dataclass(frozen=True)
class Paint:
    """What strokes put on a picture within the rectangle that they touch.

    Attributes:
        rows: rows of the picture.
        columns: columns of the picture.
        opacity: (rows, columns) float16 in 0..1; the stroke's strength inside it, fading beyond.
        stroke: (rows, columns) int16, the nearest stroke.
        colors: (num_strokes, 2) float32, ab.
    """

    rows: slice
    columns: slice
    opacity: NDArray[np.float16]
    stroke: NDArray[np.int16]
    colors: Floats

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.opacity.nbytes + self.stroke.nbytes

    def apply(self, ab: Floats) -> None:
        """Lays the strokes over `ab`, (H, W, 2), in place."""
        for k in range(2):
            part = ab[self.rows, self.columns, k]
            part += self.opacity * (self.colors[:, k][self.stroke] - part)


def paint(edits: Edits, lightness: Floats) -> Paint | None:
    """The strokes of an edit file for a picture; None where no stroke covers a pixel.

    Args:
        edits: strokes in pixels of `edits.size`; the picture may have any other size.
        lightness: (H, W) float32 in 0..100, the picture's L.
    """
    if not edits.strokes:
        return None
    height, width = lightness.shape
    labels, colors = coverage(edits, (height, width))  # (H, W), -1 where nothing is painted
    painted = labels >= 0
    if not painted.any():
        return None
    scale = max(height, width) / max(edits.size)
    rims = np.array([max(1.0, RIM * stroke.radius * scale) for stroke in edits.strokes], np.float32)
    rows, columns = _grown(painted, int(np.ceil(rims.max())))
    labels, painted = labels[rows, columns], painted[rows, columns]
    light = lightness[rows, columns]
    distance, nearest = ndimage.distance_transform_edt(~painted, return_indices=True)
    stroke = labels[nearest[0], nearest[1]]
    away = light - light[nearest[0], nearest[1]]
    fade = np.clip(1.0 - distance.astype(np.float32) / (rims[stroke] + 1.0), 0.0, 1.0)
    fade = np.where(painted, 1.0, fade * fade * (3.0 - 2.0 * fade))
    fade *= np.exp(-0.5 * np.square(away / RIM_LIGHTNESS))
    strength = np.array([stroke.strength for stroke in edits.strokes], np.float32)
    opacity = np.asarray(fade * strength[stroke], np.float16)
    return Paint(rows, columns, opacity, stroke, colors)


def _grown(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Rows and columns of the rectangle around a mask, `margin` wider on each side."""
    spans = []
    for axis in (1, 0):
        used = np.flatnonzero(mask.any(axis=axis))
        first, last = max(0, int(used[0]) - margin), int(used[-1]) + 1 + margin
        spans.append(slice(first, min(last, mask.shape[1 - axis])))
    return spans[0], spans[1]
