"""Edits as a change of low rank: what Q0^-1 becomes under k constraint rows C.

delta = Q0^-1 C^T (V + C Q0^-1 C^T)^-1 r, with V the rows' variances and r their residuals.  Q0^-1
is read only at the cells that a row touches, so the solvers hand in that small part (`gram`) and
get back what to multiply those columns with.  Called by the dense solvers.

Source: Woodbury 1950; the form with V is the one that also holds for exact rows (V = 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse

from huefield.gcrf.interface import Float32, Float64, Rows

_DENSE_SHARE = 0.05
# Rows, in pixels, from which a fresh factor is quicker (measured at P = 4096: 3000 rows 0.54 s,
# 4096 rows 1.40 s, fresh 0.78 s on one core).
_FRESH_SHARE = 0.8


def fresh_is_quicker(num_rows: int, num_pixels: int) -> bool:
    """Whether this many constraint rows are better solved by factoring anew."""
    return num_rows > _FRESH_SHARE * num_pixels


@dataclass(frozen=True)
class LowRank:
    """Constraint rows on the cells that they touch.

    Attributes:
        cells: (m,) pixel indices, each once.
        matrix: (k, m) rows restricted to those cells; dense where ties fill it; None where each
            row is one of the cells, in their order, as with strokes alone.
        variance: (k,) float64, 0 for exact rows.
    """

    cells: npt.NDArray[np.intp]
    matrix: scipy.sparse.csr_matrix | Float32 | None
    variance: Float64

    @classmethod
    def of(cls, rows: Rows) -> LowRank:
        """The low-rank form of some constraint rows."""
        with np.errstate(divide="ignore"):
            variance = 1.0 / rows.precision
        indices, entries = rows.matrix.indices, rows.matrix.data
        cells = np.unique(indices).astype(np.intp)
        if len(indices) == len(rows) == len(cells) and (entries == 1).all():
            return cls(indices.astype(np.intp), None, variance)
        matrix = rows.matrix[:, cells]
        if matrix.nnz > _DENSE_SHARE * matrix.shape[0] * matrix.shape[1]:
            matrix = matrix.toarray()
        return cls(cells, matrix, variance)

    def multipliers(self, gram: Float32, residuals: Float32) -> Float32:
        """What to multiply the columns Q0^-1[:, cells] with to get delta: (m, c) float32.

        Args:
            gram: (m, m) float32, Q0^-1 at the cells.
            residuals: (k, c) float32.
        """
        solved = scipy.linalg.cho_solve(
            (self._factor(gram), True), residuals.astype(np.float64), check_finite=False
        )
        spread = solved if self.matrix is None else self.matrix.T @ solved
        return np.ascontiguousarray(spread, dtype=np.float32)

    def half(self, gram: Float32) -> Float64:
        """B (m, k) with Q^-1 = Q0^-1 - (columns B)(columns B)^T once the edits hold."""
        L = self._factor(gram)
        if self.matrix is None:
            dense = np.eye(len(L))
        elif isinstance(self.matrix, np.ndarray):
            dense = self.matrix.astype(np.float64)
        else:
            dense = self.matrix.toarray().astype(np.float64)
        half = scipy.linalg.solve_triangular(L, dense, lower=True, check_finite=False)
        return np.asarray(half.T)

    def _factor(self, gram: Float32) -> Float64:
        """Lower Cholesky factor (k, k) of V + C gram C^T, in float64."""
        if self.matrix is None:
            K = np.array(gram, dtype=np.float64, order="F")  # (k, k)
        else:
            touched = np.asarray(self.matrix @ gram)  # (k, m)
            K = np.asarray((self.matrix @ touched.T), dtype=np.float64, order="F")
        diagonal = K.reshape(-1, order="F")[:: len(K) + 1]
        # Exact rows get a variance too small to see, so that two that say the same stay solvable.
        diagonal += np.maximum(self.variance, 1e-7 * diagonal)
        L, _ = scipy.linalg.cho_factor(K, lower=True, overwrite_a=True, check_finite=False)
        return np.asarray(L)
