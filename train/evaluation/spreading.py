"""Our method and the bounds on revealed points: functions of a square photo and its points.

Called by `train.evaluate` and the tests; `points` makes the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.gcrf import Kernel, Weights, open_solver
from huefield.gcrf.opening import Backend
from huefield.hints import hint_map
from huefield.strokes import Constraints
from train.evaluation.photos import SquarePhoto
from train.evaluation.revealed import Revealed

Floats = NDArray[np.float32]

EmbedFn = Callable[[Floats], Floats]
"""Embedding (D, h, w) of a scaled gray grid (h, w), as `Networks.embed`."""

FieldsFn = Callable[[Floats], Floats]
"""Candidate colour fields (n, h, w, 2), ab units, of a scaled gray grid (h, w)."""

HintedFn = Callable[[Floats, Floats], Floats]
"""Colours (n, 2, h, w) of a scaled gray grid and hints (n, 3, h, w), as `Networks.hinted`."""


def spread_grey(photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
    """No colour at all: the lower bound."""
    return [np.zeros_like(photo.ab) for _ in points]


def spread_mean(photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
    """The true mean colour everywhere: what the best tint of one colour would get."""
    mean = photo.ab.mean(axis=(0, 1))
    return [np.broadcast_to(mean, photo.ab.shape) for _ in points]


def spread_truth(
    photo: SquarePhoto, points: Sequence[Revealed], grid: tuple[int, int]
) -> list[Floats]:
    """The true colours through the grid and back: the ceiling of whatever works on that grid."""
    ab = upsample.upsample(upsample.grid_ab(photo.ab, grid), photo.lightness)
    return [ab for _ in points]


@dataclass(frozen=True)
class GcrfSpread:
    """Our method: a correction of a prior field through the G-CRF on the grid, then upsampled.

    Without `fields` the prior is the mean revealed colour everywhere: rows of S sum to 1, so a
    constant may be taken off and put back, and the weak pull to it only keeps Eq. 6 solvable. This
    is the paper's form, which has no unary. With them, the candidate that agrees best with the
    points is corrected. With `hinted`, what the hints network makes of the points is corrected.

    Attributes:
        embed: Embedding of the gray grid.
        grid: (h, w).
        fields: Candidates of the prior, if any.
        hinted: The hints network, if its colours are the prior.
        kernel: How S is made of the embedding.
        weights: `beta_edit` pulls a revealed cell, `beta_prior` the correction to 0.
        backend: which solver, see `huefield.gcrf.open_solver`.
    """

    embed: EmbedFn
    grid: tuple[int, int]
    fields: FieldsFn | None = None
    hinted: HintedFn | None = None
    kernel: Kernel = field(default_factory=Kernel)
    weights: Weights = field(default_factory=lambda: Weights(beta_edit=5.0, beta_prior=0.0))
    backend: Backend = "auto"

    def __call__(self, photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
        """The field (H, W, 2) ab of each set of points."""
        gray = lab.scale_gray(upsample.grid_lightness(photo.lightness, self.grid))
        embedding = self.embed(gray)
        if embedding.shape[1:] != self.grid:
            raise ValueError(f"expected an embedding on {self.grid}, got {embedding.shape}")
        flat = embedding.reshape(len(embedding), -1)  # (D, P)
        solver = open_solver(flat, self.kernel, self.weights, self.backend)
        constraints = [p.on_grid(self.grid) for p in points]
        priors = self._priors(gray, constraints)
        guide = upsample.Guide(photo.lightness)
        found = []
        for prior, constraint in zip(priors, constraints, strict=True):
            x = solver.correct(prior, constraint)
            found.append(guide.upsample(x.reshape(*self.grid, 2)))
        return found

    def _priors(self, gray: Floats, constraints: Sequence[Constraints]) -> list[Floats]:
        """The prior field (1, P, 2) for each set of points."""
        if self.hinted is not None:
            colours = hinted_fields(self.hinted, gray, constraints)
            return [colour.reshape(1, -1, 2) for colour in colours]
        if self.fields is None:
            return [mean_field(c, gray.size) for c in constraints]
        candidates = self.fields(gray).reshape(-1, gray.size, 2)
        return [candidates[[nearest(candidates, c)]] for c in constraints]


@dataclass(frozen=True)
class HintedSpread:
    """What the hints network makes of the points, without the G-CRF.

    Attributes:
        hinted: The hints network.
        grid: (h, w).
    """

    hinted: HintedFn
    grid: tuple[int, int]

    def __call__(self, photo: SquarePhoto, points: Sequence[Revealed]) -> list[Floats]:
        """The field (H, W, 2) ab of each set of points."""
        gray = lab.scale_gray(upsample.grid_lightness(photo.lightness, self.grid))
        fields = hinted_fields(self.hinted, gray, [p.on_grid(self.grid) for p in points])
        guide = upsample.Guide(photo.lightness)
        return [guide.upsample(field) for field in fields]


def hinted_fields(
    hinted: HintedFn, gray: Floats, constraints: Sequence[Constraints]
) -> list[Floats]:
    """The hints network's colours (h, w, 2), ab units, under each set of constraints."""
    grid = (gray.shape[0], gray.shape[1])
    maps = [hint_map(c, c.targets[None], grid)[0] for c in constraints]
    colours = hinted(gray, np.stack(maps)) * np.float32(lab.AB_SCALE)  # (n, 2, h, w)
    return list(np.ascontiguousarray(colours.transpose(0, 2, 3, 1)))


def mean_field(constraints: Constraints, num_pixels: int) -> Floats:
    """The weighted mean of the revealed colours on every pixel, (1, P, 2)."""
    mean = np.average(constraints.targets, axis=0, weights=constraints.weights)
    return np.broadcast_to(mean.astype(np.float32), (1, num_pixels, 2)).copy()


def nearest(candidates: Floats, constraints: Constraints) -> int:
    """Index of the candidate (n, P, 2) that is nearest to the constraints' targets."""
    cells = constraints.rows.indices
    distance = np.linalg.norm(candidates[:, cells] - constraints.targets, axis=2)  # (n, k)
    return int((distance @ constraints.weights).argmin())
