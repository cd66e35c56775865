"""The general Eq. 6 solved from nothing: any weights, any targets, any edits.

Called by the dense CPU solver for `solve`, and for edits of so many rows that this
is quicker than a change of low rank.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from huefield.gcrf.cholesky import (
    Matrix,
    factor_in_place,
    mirror_in_place,
    precision,
    solve_factored,
)
from huefield.gcrf.interface import Rows


def exact_cells(rows: Rows) -> tuple[Any, Any, Any]:
    """Cells that edits fix, which row fixes each, and the mask of the other rows.

    Returns:
        cells (f,) ascending, their row numbers (f,), and finite (k,) bool.
    """
    finite = np.isfinite(rows.precision)
    exact = np.flatnonzero(~finite)
    cells = rows.matrix[exact].indices
    cells, first = np.unique(cells, return_index=True)
    return cells, exact[first], finite


def normal_terms(rows: Rows, residuals: Matrix) -> tuple[scipy.sparse.csr_matrix, Matrix]:
    """C^T W C (P, P) sparse and C^T W r (P, c) of the rows that are not exact."""
    finite = np.isfinite(rows.precision)
    C = rows.matrix[finite].astype(np.float64)
    weighted = C.multiply(rows.precision[finite, None]).tocsr()
    return scipy.sparse.csr_matrix(C.T @ weighted), np.asarray(weighted.T @ residuals[finite])


def solve_fresh(
    M: Matrix,
    diagonal: Any,
    rhs: Matrix,
    rows: Rows | None,
    residuals: Matrix | None,
    pairs: float = 0.0,
) -> Matrix:
    """The solution (P, c) of (M^T M + diag + C^T W C) x = rhs + C^T W r, in M's dtype.

    Args:
        M: I - S, (P, P).
        diagonal: (P,) or a number.
        rhs: (P, c).
        rows: edits, if any; exact ones are met by elimination.
        residuals: (k, c), what the rows should come to.
        pairs: pull of alike pixels to each other, see `precision`.
    """
    Q = precision(M, diagonal, pairs)
    del M
    if rows is None or residuals is None or len(rows) == 0:
        return solve_factored(factor_in_place(Q), rhs)
    added, pull = normal_terms(rows, residuals)
    lower = scipy.sparse.tril(added).tocoo()
    Q[lower.row, lower.col] += lower.data.astype(Q.dtype)
    rhs = rhs + pull
    cells, fixing, _ = exact_cells(rows)
    if len(cells) == 0:
        return solve_factored(factor_in_place(Q), rhs)
    mirror_in_place(Q)
    x = np.empty_like(rhs, dtype=Q.dtype)
    x[cells] = residuals[fixing]
    free = np.setdiff1d(np.arange(len(Q)), cells)
    if len(free):
        rest = rhs[free] - Q[np.ix_(free, cells)] @ x[cells]
        x[free] = solve_factored(factor_in_place(np.asfortranarray(Q[np.ix_(free, free)])), rest)
    return x
