"""What strokes change beyond the cells that they cover, as the hints network expects it.

Called by `huefield.following` before the G-CRF makes the strokes exact. The network has learned
from true colours; alone it would take a stroke in an odd colour for the light of the whole photo.
So it is told, too, that the photo stays as it is at anchors: cells spread over it whose embedding
is far from that of the painted ones. What it changes then is the painted thing. It is asked once
for each stroke, whatever the samples: each of them moves by the same share of its own distance.

Source: the network follows Zhang et al., SIGGRAPH 2017. Anchors, and the moved sample as the weak
prior of the G-CRF, are Huefield's own; without the network the prior is "no change", the form of
Messaoud et al. with beta_u.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse
from cachetools import LRUCache
from numpy.typing import NDArray

from huefield import lab
from huefield.gcrf.threads import one_blas_thread
from huefield.networks import Networks
from huefield.strokes import Constraints, Edits, Stroke, rasterize

Floats = NDArray[np.float32]

ANCHOR_STEP = 4  # cells between anchors
# Squared distance of embeddings, where 1 stands for 6 cells or 12.5 L at the start of training. On
# 8 validation photos a stroke changed its region, the rest of the photo by 22 and 0.7 ab units with
# 4 cells and 9, by 27 and 1.3 with 4 and 20, by 26 and 1.3 with 6 and 9, by 25 and 1.0 with 3 and
# 20; without the network by 12 and 0.25.
ANCHOR_DISTANCE = 9.0
LEAST_CHANGE = 30.0  # ab, by which the network is asked what goes along
MOST_STROKES = 512  # that are remembered, 16 kB each


def hint_map(
    constraints: Constraints, colours: Floats, grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Input of the hints network: (n, 3, h, w) float32, ab / 128 and the share that is known.

    Args:
        constraints: the strokes; ties are left out.
        colours: (n, k, 2) ab, what each cell under a stroke shall show.
        grid: (h, w).
    """
    cells, shares = stroke_cells(constraints)
    maps = np.zeros((len(colours), 3, grid[0] * grid[1]), np.float32)
    maps[:, :2, cells] = lab.scale_ab(colours).transpose(0, 2, 1)
    maps[:, 2, cells] = shares
    return maps.reshape(len(colours), 3, *grid)


def stroke_cells(constraints: Constraints) -> tuple[NDArray[np.intp], Floats]:
    """Cells (k,) that strokes cover, and the covered share of each times its strength."""
    count = len(constraints) - constraints.num_ties
    cells = np.asarray(constraints.rows.indices[:count], np.intp)
    return cells, constraints.weights[:count]


def anchor_cells(
    embedding: Floats, grid: tuple[int, int], cells: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Cells (k,), spread over the grid, that lie on other things than some strokes do.

    Args:
        embedding: (D, P), as the HOC network gives it.
        grid: (h, w).
        cells: (m,) cells under strokes, at least one.
    """
    height, width = grid
    first = ANCHOR_STEP // 2
    rows, columns = np.mgrid[first:height:ANCHOR_STEP, first:width:ANCHOR_STEP]
    spread = (rows * width + columns).ravel()
    apart = embedding[:, spread, None] - embedding[:, None, cells]  # (D, k, m)
    distance = np.square(apart).sum(axis=0).min(axis=1)
    return np.asarray(spread[distance > ANCHOR_DISTANCE], np.intp)


class Reached(NamedTuple):
    """Where a stroke lies and what goes along with it.

    Attributes:
        cells: (m,) under the stroke.
        weights: (m,) covered shares of them.
        share: (P,) which part, 0 to 1, of a change of colour under the stroke each cell takes on.
    """

    cells: NDArray[np.intp]
    weights: Floats
    share: Floats


class Reach:
    """How far each stroke of one photo reaches, asked for once; safe to use from several threads.

    Args:
        networks: with a hints network.
        gray: (h, w), scaled.
        embedding: (D, P), by which anchors are told from what is painted.
    """

    def __init__(self, networks: Networks, gray: Floats, embedding: Floats) -> None:
        self._networks = networks
        self._gray = gray
        self._grid = (gray.shape[0], gray.shape[1])
        self._embedding = embedding
        self._base: Floats | None = None
        self._found: LRUCache[tuple[tuple[int, int], Stroke], Reached] = LRUCache(MOST_STROKES)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        held = (1 + len(self._found)) * self._gray.nbytes
        return held if self._base is None else held + self._base.nbytes

    def moved(self, fields: Floats, edits: Edits) -> Floats:
        """The samples (n, P, 2), ab, each stroke's thing moved to its colour, later ones on top.

        A stroke in a sample's own colour moves nothing of it.
        """
        pairs = [(s, self.reached(s, edits.size)) for s in edits.strokes if not s.keep]
        pairs = [(stroke, reached) for stroke, reached in pairs if len(reached.cells)]
        if not pairs:
            return fields
        found = [reached for _, reached in pairs]
        shares = np.stack([reached.share for reached in found])  # (K, P)
        # What lies under stroke k is, in the mean, its own and what each stroke before it moved:
        # all are solved for there first, and the fields are moved once.
        means = scipy.sparse.csr_matrix(
            (
                np.concatenate([reached.weights / reached.weights.sum() for reached in found]),
                np.concatenate([reached.cells for reached in found]),
                np.cumsum([0, *(len(reached.cells) for reached in found)]),
            ),
            shape=shares.shape,
        )
        own = np.stack([means @ field for field in fields], axis=1)  # (K, n, 2)
        passed = means @ shares.T  # (K, K)
        wanted = np.zeros_like(own)
        for k, (stroke, _) in enumerate(pairs):
            there = own[k] + np.tensordot(passed[k, :k], wanted[:k], axes=1)
            wanted[k] = stroke.strength * (np.asarray(stroke.ab, np.float32) - there)
        with one_blas_thread():
            change = wanted.reshape(len(found), -1).T @ shares  # (n * 2, P)
        return fields + change.reshape(len(fields), 2, -1).transpose(0, 2, 1)

    def reached(self, stroke: Stroke, size: tuple[int, int]) -> Reached:
        """What a stroke of a colour reaches on a photo of some size (width, height)."""
        key = (size, replace(stroke, strength=1.0))
        with self._lock:
            found: Reached | None = self._found.get(key)
            if found is None:
                found = self._found[key] = self._ask(*key)
        return found

    def _ask(self, size: tuple[int, int], stroke: Stroke) -> Reached:
        """Tells the network its own colours at anchors and another colour under the stroke."""
        if self._base is None:
            (self._base,) = self._colours(np.zeros((1, 3, *self._grid), np.float32))
        constraints = rasterize(Edits(size, (stroke,)), self._grid)
        cells, weights = stroke_cells(constraints)
        if not len(cells):
            return Reached(cells, weights, np.zeros(len(self._base), np.float32))
        own = np.average(self._base[cells], axis=0, weights=weights)  # (2,)
        wanted = np.array(stroke.ab) - own
        length = float(np.hypot(*wanted))
        direction = wanted / length if length > 1.0 else np.array([1.0, 0.0])
        wanted = direction * max(length, LEAST_CHANGE)
        colours = np.broadcast_to(own + wanted, (1, len(cells), 2)).astype(np.float32)
        maps = hint_map(constraints, colours, self._grid).reshape(1, 3, -1)
        anchors = anchor_cells(self._embedding, self._grid, cells)
        maps[:, :2, anchors] = lab.scale_ab(self._base[anchors]).T
        maps[:, 2, anchors] = 1.0
        (told,) = self._colours(maps.reshape(1, 3, *self._grid))
        share = (told - self._base) @ wanted / (wanted @ wanted)
        return Reached(cells, weights, np.clip(share, 0.0, 1.0).astype(np.float32))

    def _colours(self, maps: Floats) -> Floats:
        """What the network makes of maps (n, 3, h, w): (n, P, 2) ab."""
        found = self._networks.hinted(self._gray, maps) * np.float32(lab.AB_SCALE)
        return np.asarray(found.reshape(len(maps), 2, -1).transpose(0, 2, 1))
