"""A few points of a photo show their true colour: where, and how near a spread field comes.

The protocol of the paper's Table 3, apart from the methods: at 256 x 256, 7 x 7 patches of a photo
show their mean ab, their places drawn from N(centre, side / 4) and clipped; PSNR on 8-bit RGB tells
how near a method comes. Called by `points` and `spreading`.

Source: Messaoud et al. 2018, section 4.2; Zhang et al. 2017 for the points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield import lab, metrics
from huefield.strokes import Constraints
from train.baselines.known import known_cells
from train.evaluation.photos import SquarePhoto

Floats = NDArray[np.float32]

COUNTS = (1, 10, 50, 100, 500)
PATCH = 7


@dataclass(frozen=True)
class Revealed:
    """Points of one photo: the same for every method.

    Attributes:
        known: (H, W) true where a patch shows its colour.
        colors: (H, W, 2) float32 ab of the patches, 0 elsewhere.
    """

    known: NDArray[np.bool_]
    colors: Floats

    def on_grid(self, grid: tuple[int, int]) -> Constraints:
        """Constraints on grid cells: weight = share of the cell that is known."""
        return known_cells(self.known, self.colors, grid)


Spread = Callable[[SquarePhoto, Sequence[Revealed]], list[Floats]]
"""ab (H, W, 2) for each set of points of a photo."""


def reveal(ab: Floats, counts: Sequence[int], seed: int) -> list[Revealed]:
    """Points for each count; those of a smaller count are among those of a larger one.

    Args:
        ab: (H, W, 2) true colours, sides at least `PATCH`.
        counts: Numbers of patches, ascending.
        seed: Of their places.
    """
    height, width = ab.shape[:2]
    half = PATCH // 2
    random = np.random.default_rng(seed)
    offsets = random.standard_normal((counts[-1], 2))
    sides = np.array([height, width])
    places = np.rint((sides - 1) / 2 + offsets * sides / 4).astype(int)
    places = np.clip(places, half, sides - 1 - half)
    known = np.zeros((height, width), bool)
    colors = np.zeros_like(ab)
    revealed = []
    for number, (y, x) in enumerate(places, start=1):
        patch = (slice(y - half, y + half + 1), slice(x - half, x + half + 1))
        known[patch] = True
        colors[patch] = ab[patch].mean(axis=(0, 1))
        if number in counts:
            revealed.append(Revealed(known.copy(), colors.copy()))
    return revealed


def points_seed(seed: int, number: int) -> int:
    """The seed of the points of photo `number` in a measurement of this seed."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def score(photo: SquarePhoto, fields: Sequence[Floats]) -> list[float]:
    """PSNR of each field (H, W, 2) rendered with the photo's own L."""
    return [metrics.psnr(lab.render_rgb8(photo.lightness, ab), photo.rgb) for ab in fields]
