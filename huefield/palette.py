"""Colour suggestions for a place: what samples have there, alike ones taken together.

Called by `colorizer.OpenPhoto.palette`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield.lab import render_rgb8

SAME = 9.0  # colours no further apart than this, in ab, count as one


@dataclass(frozen=True)
class PaletteColor:
    """One suggestion.

    Attributes:
        color: "#rrggbb" at the lightness of the place.
        ab: its a and b.
        share: share of the samples that have it there, 0..1.
    """

    color: str
    ab: tuple[float, float]
    share: float


def group_colors(
    candidates: NDArray[np.float32], lightness: float, size: int
) -> list[PaletteColor]:
    """At most `size` colours that stand for the candidates, the most frequent first.

    Time after time the candidate with the most others near it is taken, with those others.

    Args:
        candidates: (n, 2) float32, ab.
        lightness: L of the place, 0..100.
        size: most colours given.
    """
    distance = np.linalg.norm(candidates[:, None] - candidates[None], axis=2)
    near = distance <= SAME  # (n, n)
    left = np.ones(len(candidates), bool)
    colors: list[PaletteColor] = []
    while left.any() and len(colors) < size:
        counts = np.where(left, (near & left).sum(1), 0)
        members = near[int(np.argmax(counts))] & left
        ab = candidates[members].mean(0, dtype=np.float32)
        rgb = render_rgb8(np.full((1, 1), lightness, np.float32), ab[None, None])[0, 0]
        text = "#" + "".join(f"{int(channel):02x}" for channel in rgb)
        share = float(members.sum()) / len(candidates)
        colors.append(PaletteColor(text, (float(ab[0]), float(ab[1])), share))
        left &= ~members
    return colors
