"""Latent codes worth showing: many are drawn and seen in small, few stand for all.

A handful of random draws leaves some likely colourings out and shows others twice. So a pool is
drawn from the mixture and decoded on a grid of half the sides, which costs a quarter; each next
sample is the one of the pool that, beside those before it, brings the whole pool nearest to a
sample. `huefield.colorizer` shows these; with edits, `choose_for_edits` picks from the same pool.

Another seed's pool looks much the same, so a wide set is there for who wants to see others: it is
drawn with larger deviations and stands for what the first samples of seed 0 leave out.

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
WIDE = 2.0  # times the mixture's deviation, in a wide set
USUAL = 6  # samples of seed 0 that a wide set goes beyond
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
        self._lock = threading.RLock()
        self._ordered: OrderedDict[tuple[int, bool], Draws] = OrderedDict()

    def pool(self, seed: int, size: int | None = None, *, temperature: float = 1.0) -> Pool:
        """The pool of a seed."""
        count = self._size if size is None else size
        draws = self._mixture.sample(count, seed, temperature)
        unary = self._decode(draws.z)
        return Pool(draws, unary, self._signature(unary))

    def first(self, n: int, seed: int, *, wide: bool = False) -> Draws:
        """The first n codes of a seed, the likeliest before all others.

        Code k depends on the photo, the seed and k alone. After the pool come the mixture's own
        further draws.

        Args:
            n: how many.
            seed: of the set.
            wide: codes unlike the usual ones; of the pool the likeliest comes last.
        """
        ordered = self._of_pool(seed, wide)
        if n > len(ordered):
            further = self._mixture.sample(n, seed, WIDE if wide else 1.0)
            after = len(ordered)
            return Draws(
                np.concatenate([ordered.z, further.z[after:]]),
                np.concatenate([ordered.component, further.component[after:]]),
                np.concatenate([ordered.log_prob, further.log_prob[after:]]),
            )
        return _taken(ordered, np.arange(n))

    def _signature(self, unary: Floats) -> Floats:
        """Unaries (n, P, 2) of the small grid, averaged over blocks: (n, F)."""
        height, width = (side // _BLOCK for side in self._grid)
        blocks = unary.reshape(len(unary), height, _BLOCK, width, _BLOCK, 2).mean((2, 4))
        return np.asarray(blocks.reshape(len(unary), -1))

    def _of_pool(self, seed: int, wide: bool) -> Draws:
        with self._lock:
            if (seed, wide) not in self._ordered:
                # A wide set asks for the usual one in here: the lock may be taken twice.
                found = self._beyond_usual(seed) if wide else self._usual(seed)
                self._ordered[seed, wide] = found
                while len(self._ordered) > _KEPT:
                    self._ordered.popitem(last=False)
            return self._ordered[seed, wide]

    def _usual(self, seed: int) -> Draws:
        if self._size <= 1:
            return self._mixture.sample(1, seed)
        pool = self.pool(seed)
        return _taken(pool.draws, cover(pool.signature))

    def _beyond_usual(self, seed: int) -> Draws:
        usual = self._signature(self._decode(self.first(USUAL, 0).z))
        # The likeliest leads the usual ones and every pool, so here it comes last.
        pool = self.pool(seed, max(self._size, 2), temperature=WIDE)
        return _taken(pool.draws, cover(pool.signature, beyond=usual))


def cover(
    signature: npt.ArrayLike, *, beyond: npt.ArrayLike | None = None
) -> npt.NDArray[np.int64]:
    """All rows (N,) in the order in which they stand for the whole: the first stays the first.

    Each next one makes the sum over all rows of the distance to the nearest chosen one smallest.

    Args:
        signature: (N, F); distances are mean absolute differences.
        beyond: (K, F), chosen before all rows; then the first is chosen as every next one is.
    """
    rows = np.asarray(signature, dtype=np.float32)
    apart = _apart(rows, rows)
    order = [0] if beyond is None else []
    nearest = apart[0] if beyond is None else _apart(np.asarray(beyond, np.float32), rows).min(0)
    while len(order) < len(rows):
        left = np.minimum(nearest, apart).sum(axis=1)
        left[order] = np.inf
        order.append(int(left.argmin()))
        nearest = np.minimum(nearest, apart[order[-1]])
    return np.array(order, dtype=np.int64)


def _apart(rows: Floats, others: Floats) -> npt.NDArray[np.float64]:
    """Mean absolute differences, (N, M)."""
    return np.stack([np.abs(others - row).mean(axis=1, dtype=np.float64) for row in rows])


def small_grid(grid: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The grid (h, w) of half the sides on which pools are decoded, in multiples."""
    height, width = (max(multiple, side // 2 // multiple * multiple) for side in grid)
    return height, width


def _taken(draws: Draws, places: npt.NDArray[np.int64]) -> Draws:
    return Draws(draws.z[places], draws.component[places], draws.log_prob[places])
