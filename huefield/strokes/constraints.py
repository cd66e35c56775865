"""Edits as linear constraints on the grid, which is what the solvers take.

Called by `huefield.colorizer` and `train.evaluate`.  A cell's weight is the part of it that
strokes cover times their strength; a cell under several strokes gets one row whose target is
their weighted mean, which has the same energy as a row for each, up to a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from huefield.strokes.edits import Edits, Region
from huefield.strokes.labels import NONE, StrokeLabels, points_a_side
from huefield.strokes.raster import patches


@dataclass(frozen=True)
class Constraints:
    """Rows c, weights w and targets t: each pulls c x towards t.

    Attributes:
        rows: (k, P) float32; a stroke cell is a unit row, a tie a cell less the other region's
            mean.  Strokes' cells stand in the order in which strokes came to them.
        weights: (k,) float32 in 0..1, above 0.
        targets: (k, 2) float32, ab units, or (k, 2n) where each of n samples has its own; 0 for
            ties.
        num_ties: how many of the rows, at the end, come from ties.
    """

    rows: scipy.sparse.csr_matrix
    weights: npt.NDArray[np.float32]
    targets: npt.NDArray[np.float32]
    num_ties: int = 0

    @classmethod
    def empty(cls, num_pixels: int) -> Constraints:
        """No constraints on P pixels."""
        return cls(
            scipy.sparse.csr_matrix((0, num_pixels), dtype=np.float32),
            np.zeros(0, dtype=np.float32),
            np.zeros((0, 2), dtype=np.float32),
        )

    @classmethod
    def of_cells(
        cls,
        cells: npt.NDArray[np.integer],
        targets: npt.NDArray[np.float32],
        num_pixels: int,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> Constraints:
        """Colours known at single cells, as in the revealed-points test.

        Args:
            cells: (k,) pixel indices, each at most once.
            targets: (k, 2) ab units.
            num_pixels: P.
            weights: (k,) in 0..1; all 1 if not given.
        """
        size = len(cells)
        rows = scipy.sparse.csr_matrix(
            (np.ones(size, dtype=np.float32), np.asarray(cells), np.arange(size + 1)),
            shape=(size, num_pixels),
        )
        share = np.ones(size, dtype=np.float32) if weights is None else weights
        return cls(rows, np.asarray(share, np.float32), np.asarray(targets, np.float32))

    def __len__(self) -> int:
        return len(self.weights)


def rasterize(
    edits: Edits,
    grid: tuple[int, int],
    held: Mapping[int, npt.NDArray[np.float32]] | None = None,
    labels: StrokeLabels | None = None,
) -> Constraints:
    """The edits as constraints on a grid.

    Args:
        edits: strokes and ties, in pixels of `edits.size`.
        grid: (h, w); P = h * w, row by row.
        held: by index of a stroke that keeps, the fields (n, P, 2) that it holds; strokes that
            keep and are not named count as 0 strength.
        labels: what was painted for earlier edits of the photo, to save painting it again.
    """
    num_pixels = grid[0] * grid[1]
    points = StrokeLabels(grid) if labels is None else labels
    cells, weights, targets = _stroke_cells(edits, points, held or {})
    strokes = Constraints.of_cells(cells, targets, num_pixels, weights)
    parts = []
    for tie in edits.ties:
        a, b = (_region_share(region, edits.size, grid) for region in (tie.a, tie.b))
        if a.any() and b.any():
            parts += [_tied_rows(a, b), _tied_rows(b, a)]
    if not parts:
        return strokes
    tied = scipy.sparse.vstack([rows for rows, _ in parts], format="csr")
    return Constraints(
        rows=scipy.sparse.csr_matrix(
            scipy.sparse.vstack([strokes.rows, tied], format="csr"), dtype=np.float32
        ),
        weights=np.concatenate([weights, *(share for _, share in parts)]),
        targets=np.concatenate(
            [targets, np.zeros((tied.shape[0], targets.shape[1]), dtype=np.float32)]
        ),
        num_ties=int(tied.shape[0]),
    )


def _stroke_cells(
    edits: Edits, points: StrokeLabels, held: Mapping[int, npt.NDArray[np.float32]]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Cells that strokes cover: indices (k,), weights (k,), mean colours (k, 2 or 2n)."""
    h, w = points.grid
    _, _, labels, first = points.paint(edits)
    side = labels.shape[0] // h
    # By the stroke that came to them first: a further stroke leaves the order of the others.
    order = np.argsort(first, axis=None, kind="stable")
    cells = order[: np.count_nonzero(first != NONE)]
    # (h, side, w, side) -> the labels of each covered cell, (k, side * side)
    seen = labels.reshape(h, side, w, side).transpose(0, 2, 1, 3)[np.unravel_index(cells, (h, w))]
    seen = seen.reshape(len(cells), side * side)
    pulls = [
        0.0 if s.keep and index not in held else s.strength for index, s in enumerate(edits.strokes)
    ]
    strength = np.array([*pulls, 0.0], dtype=np.float32)
    color = np.array([s.ab for s in edits.strokes] + [(0.0, 0.0)], dtype=np.float32)
    share = strength[seen]  # -1, no stroke, reads the last entry
    weights = share.mean(axis=1)
    kept = weights > 0
    cells, seen, share, weights = cells[kept], seen[kept], share[kept], weights[kept]
    total = share.sum(axis=1, keepdims=True)
    part = share / total  # (k, side * side)
    # One channel at a time: sums along the last axis are many times quicker.
    channels = [np.einsum("ks,ks->k", part, color[:, c][seen]) for c in range(2)]
    targets = np.stack(channels, axis=1)  # (k, 2)
    if held:
        num_samples = len(next(iter(held.values())))
        targets = np.tile(targets, (1, num_samples))  # (k, 2n)
        for index, fields in held.items():
            own = (part * (seen == index)).sum(axis=1, keepdims=True)  # (k, 1)
            there = fields[:, cells].transpose(1, 0, 2)  # (k, n, 2)
            there = there.reshape(len(cells), 2 * num_samples)
            targets = targets + own * there
    return cells, weights, targets.astype(np.float32)


def _region_share(
    region: Region, size: tuple[int, int], grid: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Part of each cell that a region covers, (P,) in 0..1."""
    h, w = grid
    side = points_a_side(size, grid)
    mask = np.zeros((h * side, w * side), dtype=bool)
    for patch in patches(region, size, mask.shape):
        rows, columns = patch.mask.shape
        mask[patch.top : patch.top + rows, patch.left : patch.left + columns] |= patch.mask
    share = mask.reshape(h, side, w, side).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(share.reshape(-1))


def _tied_rows(
    own: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
) -> tuple[scipy.sparse.csr_matrix, npt.NDArray[np.float32]]:
    """Rows e_i - mean(other) for the cells i of one region, and their weights."""
    cells = np.flatnonzero(own)
    unit = scipy.sparse.csr_matrix(
        (np.ones(len(cells), dtype=np.float32), cells, np.arange(len(cells) + 1)),
        shape=(len(cells), len(own)),
    )
    mean = scipy.sparse.csr_matrix((other / other.sum())[None, :])
    repeated = scipy.sparse.csr_matrix(np.ones((len(cells), 1), dtype=np.float32)) @ mean
    return scipy.sparse.csr_matrix(unit - repeated), own[cells]
