"""Which stroke is seen at each of many points in every cell of the grid, kept from call to call.

People add strokes at the end: what those before it cover is painted once and copied, so a stroke
costs the same after sixty others as after none. Painting is exact, so what is kept changes nothing.
Called by `constraints`; an open photo keeps one for its edits.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from huefield.strokes.edits import Edits, Stroke
from huefield.strokes.raster import Patch, patches

# Points a side in each cell: at photo size, but no fewer than 4 and, for large photos, no more
# than 16, where the covered part is known to better than a hundredth.
_LEAST_SIDE = 4
_MOST_SIDE = 16
# A list that keeps colours is solved up to that stroke first: two lists are in use at a time.
_KEPT = 2
NONE = np.iinfo(np.int16).max


class Painted(NamedTuple):
    """Strokes painted over one another; the arrays are not to be changed.

    Attributes:
        size: (width, height) that the strokes refer to.
        strokes: the strokes.
        labels: (h * side, w * side) int16, index of the topmost stroke, -1 where there is none.
        first: (h, w) int16, index of the first stroke that covers a part of the cell, `NONE` where
            there is none.
    """

    size: tuple[int, int]
    strokes: tuple[Stroke, ...]
    labels: npt.NDArray[np.int16]
    first: npt.NDArray[np.int16]


class StrokeLabels:
    """Strokes painted on the grid of one photo; safe to use from several threads.

    Args:
        grid: (h, w).
    """

    def __init__(self, grid: tuple[int, int]) -> None:
        self.grid = grid
        self._kept: list[Painted] = []
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(kept.labels.nbytes + kept.first.nbytes for kept in list(self._kept))

    def paint(self, edits: Edits) -> Painted:
        """The strokes of some edits, ties left aside."""
        with self._lock:
            painted = self._extended(edits)
            others = [kept for kept in self._kept if kept is not painted]
            self._kept = [painted, *others][:_KEPT]
            return painted

    def _extended(self, edits: Edits) -> Painted:
        """What is kept of the longest beginning of these strokes, and the rest painted over it."""
        start = Painted(edits.size, (), *_nothing(self.grid, points_a_side(edits.size, self.grid)))
        for kept in self._kept:
            begins = kept.strokes == edits.strokes[: len(kept.strokes)]
            if kept.size == edits.size and begins and len(kept.strokes) > len(start.strokes):
                start = kept
        if len(start.strokes) == len(edits.strokes):
            return start
        labels, first = start.labels.copy(), start.first.copy()
        side = labels.shape[0] // self.grid[0]
        for index, stroke in enumerate(edits.strokes):
            if index < len(start.strokes):
                continue
            for patch in patches(stroke, edits.size, (labels.shape[0], labels.shape[1])):
                rows, columns = patch.mask.shape
                bottom, right = patch.top + rows, patch.left + columns
                labels[patch.top : bottom, patch.left : right][patch.mask] = index
                above, covered = covered_cells(patch, side)
                height, width = covered.shape
                part = first[above[0] : above[0] + height, above[1] : above[1] + width]
                part[covered & (part == NONE)] = index
        return Painted(edits.size, edits.strokes, labels, first)


def points_a_side(size: tuple[int, int], grid: tuple[int, int]) -> int:
    """Points a side that each cell is looked at with."""
    finest = int(np.ceil(max(size[0] / grid[1], size[1] / grid[0])))
    return min(max(finest, _LEAST_SIDE), _MOST_SIDE)


def covered_cells(patch: Patch, side: int) -> tuple[tuple[int, int], npt.NDArray[np.bool_]]:
    """First cell (row, column) under a patch, and which cells from there it covers a part of."""
    rows, columns = patch.mask.shape
    top, left = patch.top // side, patch.left // side
    height = -(-(patch.top + rows) // side) - top
    width = -(-(patch.left + columns) // side) - left
    padded = np.zeros((height * side, width * side), dtype=bool)
    down, right = patch.top - top * side, patch.left - left * side
    padded[down : down + rows, right : right + columns] = patch.mask
    covered = np.asarray(padded.reshape(height, side, width, side).any(axis=(1, 3)))
    return (top, left), covered


def _nothing(
    grid: tuple[int, int], side: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Labels and first strokes where nothing is painted."""
    h, w = grid
    return np.full((h * side, w * side), -1, np.int16), np.full(grid, NONE, np.int16)
