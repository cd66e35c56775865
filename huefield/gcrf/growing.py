"""The factor of V + Q0^-1 at painted cells, which grows as cells are added at the end.

Whoever paints adds rows to those that are there, so what was factored for them stays right: rows
are factored in blocks of a fixed size, one after the other, and a block depends on itself and the
blocks before it alone. Blocks kept from an earlier call are those that a new factor would compute,
bit for bit, by the same operations: an opened edit file gives what its strokes gave one by one.
Called by `dense`.

Source: the Cholesky factor by block rows (Golub and Van Loan, Matrix Computations, 4.2.6).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg

from huefield.gcrf.interface import Float32, Float64

BLOCK = 64
_KEPT_BYTES = 16 << 20  # of factors that are kept: about 2000 rows


@dataclass(frozen=True)
class _Factored:
    """A factor L and what it is of.

    Attributes:
        cells: (k,) pixel indices.
        variance: (k,) float64.
        rows: block rows of L, each (n, s + n) float64 with s the rows before it.
    """

    cells: npt.NDArray[np.intp]
    variance: Float64
    rows: tuple[Float64, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all block rows."""
        return sum(row.nbytes for row in self.rows)


_NOTHING = _Factored(np.zeros(0, np.intp), np.zeros(0), ())


class GrowingFactor:
    """Solves with V + Q0^-1 at cells, quickly where the cells begin like the last ones.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._kept = _NOTHING
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._kept.nbytes

    def solve(
        self,
        cells: npt.NDArray[np.intp],
        variance: Float64,
        gram: Callable[[int, int], Float32],
        residuals: Float32,
    ) -> Float64:
        """(V + Q0^-1 at the cells)^-1 residuals: (k, c) float64.

        Args:
            cells: (k,) pixel indices, each once.
            variance: (k,) float64, 0 for rows that are to be met exactly.
            gram: `gram(start, stop)` are rows start..stop of Q0^-1 at the cells, (n, stop) float32.
            residuals: (k, c) float32.
        """
        with self._lock:
            kept = self._kept
        rows = kept.rows[: _common_blocks(kept, cells, variance)]
        for start in range(BLOCK * len(rows), len(cells), BLOCK):
            stop = min(start + BLOCK, len(cells))
            rows = (*rows, _block_row(rows, gram(start, stop), variance[start:stop]))
        factored = _Factored(cells, variance, rows)
        if factored.nbytes <= _KEPT_BYTES:
            with self._lock:
                self._kept = factored
        return _solved(rows, residuals)


def _common_blocks(kept: _Factored, cells: npt.NDArray[np.intp], variance: Float64) -> int:
    """How many whole blocks of a factor hold for these cells too."""
    shared = min(len(kept.cells), len(cells))
    same = (kept.cells[:shared] == cells[:shared]) & (kept.variance[:shared] == variance[:shared])
    return int(shared if same.all() else same.argmin()) // BLOCK


def _block_row(rows: tuple[Float64, ...], gram: Float32, variance: Float64) -> Float64:
    """The next block row (n, s + n) of L after those of the first s rows."""
    row = gram.astype(np.float64)
    start = BLOCK * len(rows)
    for j, above in enumerate(rows):
        before, own = slice(0, BLOCK * j), slice(BLOCK * j, BLOCK * (j + 1))
        row[:, own] -= row[:, before] @ above[:, before].T
        row[:, own] = _solve_lower(above[:, own], row[:, own].T).T
    square = row[:, start:]
    # Exact rows get a variance too small to see, so that two that say the same stay solvable.
    square[np.diag_indices(len(row))] += np.maximum(variance, 1e-7 * square.diagonal())
    square -= row[:, :start] @ row[:, :start].T
    row[:, start:] = scipy.linalg.cholesky(square, lower=True, check_finite=False)
    return row


def _solved(rows: tuple[Float64, ...], residuals: Float32) -> Float64:
    """(L L^T)^-1 residuals."""
    x = residuals.astype(np.float64)
    for k, row in enumerate(rows):
        start, stop = BLOCK * k, row.shape[1]
        x[start:stop] -= row[:, :start] @ x[:start]
        x[start:stop] = _solve_lower(row[:, start:], x[start:stop])
    for k, row in reversed(list(enumerate(rows))):
        start, stop = BLOCK * k, row.shape[1]
        x[start:stop] = _solve_lower(row[:, start:], x[start:stop], transposed=True)
        x[:start] -= row[:, :start].T @ x[start:stop]
    return x


def _solve_lower(L: Float64, b: Float64, *, transposed: bool = False) -> Float64:
    """L^-1 b, or L^-T b, for a lower triangle."""
    return np.asarray(
        scipy.linalg.solve_triangular(L, b, lower=True, trans=int(transposed), check_finite=False)
    )
