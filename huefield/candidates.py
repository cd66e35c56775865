"""Latent codes worth showing: many are drawn and seen in small, few stand for all.

A handful of random draws leaves some likely colourings out and shows others twice. So a pool is
drawn from the mixture and decoded on a grid of half the sides, which costs a quarter; each next
sample is the one of the pool that, beside those before it, brings the whole pool nearest to a
sample. `huefield.colorizer` shows these; with edits, `choose_for_edits` picks from the same pool.

Source: the paper (section 3.3) draws at random, which `size=0` does too. The order is the greedy
k-median of Nemhauser, Wolsey, Fisher 1978.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from huefield.mixture import Draws, Mixture, MixtureError

Floats = npt.NDArray[np.float32]
POOL_SIZE = 64
_BLOCK = 4  # cells of the small grid along a side of one of a signature's
_KEPT = 8  # pools


@dataclass(frozen=True)
class Pool:
    """Draws of one seed and how they look.

    Attributes:
        draws: N latent codes, as `Mixture.sample` gives them.
        unary: (N, P, 2) float32 ab on the small grid.
        signature: (N, F) their colours, averaged over blocks of 4 x 4 cells.
    """

    draws: Draws
    unary: Floats
    signature: Floats


class Candidates:
    """Pools of one photo under one model.

    Args:
        mixture: what is drawn from.
        decode: the unary (n, P, 2) ab, on the small grid, of codes (n, Z).
        grid: (h, w) of the small grid, multiples of 4.
        size: draws in a pool; 0 shows the mixture's draws as they come, as the paper does.
    """

    def __init__(
        self,
        mixture: Mixture,
        decode: Callable[[Floats], Floats],
        grid: tuple[int, int],
        size: int = POOL_SIZE,
    ) -> None:
        if size < 0:
            raise MixtureError(f"expected a pool of at least 0 draws, got {size}")
        self._mixture, self._decode, self._grid, self._size = mixture, decode, grid, size
        self._lock = threading.Lock()
        self._ordered: OrderedDict[int, Draws] = OrderedDict()

    def pool(self, seed: int, size: int | None = None) -> Pool:
        """The pool of a seed."""
        draws = self._mixture.sample(self._size if size is None else size, seed)
        unary = self._decode(draws.z)
        height, width = (side // _BLOCK for side in self._grid)
        blocks = unary.reshape(len(draws), height, _BLOCK, width, _BLOCK, 2).mean((2, 4))
        return Pool(draws, unary, blocks.reshape(len(draws), -1))

    def first(self, n: int, seed: int) -> Draws:
        """The first n codes of a seed, the likeliest before all others.

        Code k depends on the photo, the seed and k alone. After the pool come the mixture's own
        further draws.
        """
        ordered = self._of_pool(seed)
        if n > len(ordered):
            further = self._mixture.sample(n, seed)
            after = len(ordered)
            return Draws(
                np.concatenate([ordered.z, further.z[after:]]),
                np.concatenate([ordered.component, further.component[after:]]),
                np.concatenate([ordered.log_prob, further.log_prob[after:]]),
            )
        return _taken(ordered, np.arange(n))

    def _of_pool(self, seed: int) -> Draws:
        with self._lock:
            if seed not in self._ordered:
                if self._size > 1:
                    pool = self.pool(seed)
                    found = _taken(pool.draws, cover(pool.signature))
                else:
                    found = self._mixture.sample(1, seed)
                self._ordered[seed] = found
                while len(self._ordered) > _KEPT:
                    self._ordered.popitem(last=False)
            return self._ordered[seed]


def cover(signature: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """All rows (N,) in the order in which they stand for the whole: the first stays the first.

    Each next one makes the sum over all rows of the distance to the nearest chosen one smallest.

    Args:
        signature: (N, F); distances are mean absolute differences.
    """
    rows = np.asarray(signature, dtype=np.float32)
    apart = np.stack([np.abs(rows - row).mean(axis=1, dtype=np.float64) for row in rows])  # (N, N)
    order = [0]
    nearest = apart[0]
    while len(order) < len(rows):
        left = np.minimum(nearest, apart).sum(axis=1)
        left[order] = np.inf
        order.append(int(left.argmin()))
        nearest = np.minimum(nearest, apart[order[-1]])
    return np.array(order, dtype=np.int64)


def small_grid(grid: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The grid (h, w) of half the sides on which pools are decoded, in multiples."""
    height, width = (max(multiple, side // 2 // multiple * multiple) for side in grid)
    return height, width


def _taken(draws: Draws, places: npt.NDArray[np.int64]) -> Draws:
    return Draws(draws.z[places], draws.component[places], draws.log_prob[places])
