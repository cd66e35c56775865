"""Samples before any edit: latent codes of one photo, and their fields made consistent.

A pick alone decides its code and field, bit for bit: codes are decoded and smoothed in chunks that
do not depend on what else is asked for, and the latest chunks are kept. Called by `colorizer`.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, section 3: z from the MDN, unary from the decoder,
colours from the G-CRF.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from huefield import lab, upsample
from huefield.candidates import POOL_SIZE, Candidates, small_grid
from huefield.gcrf import Solver
from huefield.mixture import Draws, Mixture, choose_for_edits
from huefield.networks import Networks
from huefield.picks import Pick
from huefield.strokes import Constraints, Edits, rasterize

Floats = NDArray[np.float32]

NUM_CANDIDATES = 48  # latent codes drawn where samples are conditioned on edits
FIT_DISTANCE = 15.0  # ab: a colouring this far from what was painted has a fit of 0.61
_KEPT_SETS = 12  # chunks of samples whose fields before edits are kept


class Sampler:
    """Codes and fields of one photo; safe to use from several threads.

    Attributes:
        gray: (h, w) float32, the networks' input on the working grid.
        mixture: the MDN's mixture of this photo.
    """

    def __init__(
        self,
        networks: Networks,
        lightness: Floats,
        grid: tuple[int, int],
        timings: dict[str, float],
        pool_size: int = POOL_SIZE,
    ) -> None:
        self._networks = networks
        self._lightness = lightness
        self._grid = grid
        self._timings = timings
        self._gain = lab.AB_SCALE * networks.info.chroma_gain
        self._lock = threading.Lock()
        self._sets: OrderedDict[tuple[object, ...], tuple[Draws, Floats]] = OrderedDict()
        with timed(timings, "grid"):
            self.gray = self._grid_gray(grid)
        with timed(timings, "mixture"):
            pi, mu = networks.mixture(self.gray)
            self.mixture = Mixture(pi, mu, networks.info.sigma)
        self._small = small_grid(grid, networks.info.multiple)
        small_gray = self._grid_gray(self._small)
        self._candidates = Candidates(
            self.mixture, lambda z: self._unary(small_gray, z), self._small, pool_size
        )

    @property
    def nbytes(self) -> int:
        """Bytes of the kept codes and fields."""
        with self._lock:
            return sum(draws.z.nbytes + fields.nbytes for draws, fields in self._sets.values())

    def chunk(self, solver: Solver, start: Pick, stop: int) -> tuple[Draws, Floats]:
        """Codes and fields (n, P, 2) before edits of a set's picks from `start` to `stop`."""
        kept = self._find((start,))
        if kept is not None:
            return kept
        draws, first = self._draws(start, stop), start.index
        draws = Draws(draws.z[first:], draws.component[first:], draws.log_prob[first:])
        return self._keep((start,), draws, self._fields(solver, draws))

    def conditioned(self, solver: Solver, n: int, seed: int, edits: Edits) -> tuple[Draws, Floats]:
        """n latent codes whose unary agrees with the edits and that differ, and their fields."""
        key = (n, seed, edits)
        kept = self._find(key)
        if kept is not None:
            return kept
        with timed(self._timings, "condition"):
            pool = self._candidates.pool(seed, max(NUM_CANDIDATES, n))
            draws = pool.draws
            fits = fits_of(pool.unary, rasterize(edits, self._small))
            chosen = choose_for_edits(draws, fits, pool.signature, n)
        draws = Draws(draws.z[chosen], draws.component[chosen], draws.log_prob[chosen])
        return self._keep(key, draws, self._fields(solver, draws))

    def draws(self, n: int, seed: int, *, wide: bool = False) -> Draws:
        """The first n latent codes of a seed, see `Candidates.first`."""
        with timed(self._timings, "choose"):
            return self._candidates.first(n, seed, wide=wide)

    def unary(self, z: Floats) -> Floats:
        """The unary of each code as ab, (n, P, 2)."""
        return self._unary(self.gray, z)

    def _find(self, key: tuple[object, ...]) -> tuple[Draws, Floats] | None:
        with self._lock:
            if key in self._sets:
                self._sets.move_to_end(key)
            return self._sets.get(key)

    def _keep(self, key: tuple[object, ...], draws: Draws, fields: Floats) -> tuple[Draws, Floats]:
        with self._lock:
            self._sets[key] = (draws, fields)
            while len(self._sets) > _KEPT_SETS:
                self._sets.popitem(last=False)
        return draws, fields

    def _draws(self, pick: Pick, n: int) -> Draws:
        """The first n latent codes of a pick's set."""
        if not pick.near:
            return self.draws(n, pick.seed, wide=pick.wide)
        seed, index = pick.near[-1]
        base = self._draws(Pick(seed, index, pick.near[:-1], pick.wide), index + 1)
        return self.mixture.around(base.z[index], n, pick.seed)

    def _fields(self, solver: Solver, draws: Draws) -> Floats:
        """Fields (n, P, 2) of latent codes, made consistent."""
        with timed(self._timings, "decode"):
            unary = self.unary(draws.z)
        with timed(self._timings, "smooth"):
            return solver.smooth(unary)

    def _unary(self, gray: Floats, z: Floats) -> Floats:
        """The unary of each code as ab, (n, P, 2), on the grid of `gray` (h, w)."""
        unary = self._networks.decode(gray, z)  # (n, 2, h, w)
        pixels = unary.reshape(len(z), 2, -1).transpose(0, 2, 1)
        return np.ascontiguousarray(pixels * np.float32(self._gain))

    def _grid_gray(self, grid: tuple[int, int]) -> Floats:
        """The networks' input (h, w) on a grid."""
        return lab.scale_gray(upsample.grid_lightness(self._lightness, grid))


def fits_of(fields: Floats, constraints: Constraints) -> NDArray[np.float64]:
    """How well fields (n, P, 2) agree with constraints: exp(-d^2 / 2 T^2), (n,) in 0..1.

    d is the root mean square distance from what is wanted, T is `FIT_DISTANCE`.
    """
    weights = constraints.weights / max(float(constraints.weights.sum()), 1e-12)
    misses = [constraints.rows @ field - constraints.targets for field in fields]
    squares = np.array([float(weights @ np.square(miss).sum(1)) for miss in misses])
    return np.asarray(np.exp(-0.5 * squares / FIT_DISTANCE**2))


@contextmanager
def timed(timings: dict[str, float], step: str) -> Iterator[None]:
    """Writes the seconds that a step takes into the timings."""
    start = time.perf_counter()
    yield
    timings[step] = time.perf_counter() - start
