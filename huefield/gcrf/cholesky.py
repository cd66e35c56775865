"""Precision matrices: formed, factored, inverted and solved with LAPACK, in place.

Called by the dense CPU solver.  Matrices are in Fortran order with their lower triangle filled,
so that no routine makes a copy: at P = 4096 each copy would be 64 MB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from huefield.gcrf.interface import GcrfError

Matrix = npt.NDArray[np.floating[Any]]
_BLOCK = 512


def precision(M: Matrix, diagonal: Any, pairs: float = 0.0) -> Matrix:
    """Lower triangle of Q = M^T M + pairs (D - W) + diag(diagonal), (P, P) Fortran, M's dtype.

    The symmetric rank-k product does half the work of a full one.

    Args:
        M: I - S, (P, P) in C order.
        diagonal: (P,) or a number.
        pairs: pull of alike pixels to each other; W = (S + S^T) / 2, D its row sums.
    """
    (syrk,) = get_blas_funcs(("syrk",), (M,))
    Q: Matrix = syrk(1.0, M.T, lower=1)
    own = Q.reshape(-1, order="F")[:: len(Q) + 1]
    own += np.asarray(diagonal, dtype=M.dtype)
    if pairs:
        # D - W = (M + M^T) / 2 less its own row sums on the diagonal, block by block.
        half = M.dtype.type(0.5 * pairs)
        own -= half * (M.sum(axis=0) + M.sum(axis=1))
        for first in range(0, len(Q), _BLOCK):
            last = min(first + _BLOCK, len(Q))
            Q[first:, first:last] += half * (M[first:, first:last] + M[first:last, first:].T)
    return Q


def factor_in_place(Q: Matrix) -> Matrix:
    """Lower Cholesky factor L of Q, in the memory of Q.

    Raises:
        GcrfError: Q is not positive definite in this precision.
    """
    (potrf,) = get_lapack_funcs(("potrf",), (Q,))
    L, info = potrf(Q, lower=1, clean=0, overwrite_a=1)
    if info != 0:
        raise GcrfError(
            f"the precision is not positive definite in {Q.dtype} (minor {info}): raise the ridge"
        )
    return np.asarray(L)


def solve_factored(L: Matrix, rhs: Matrix) -> Matrix:
    """The solution of L L^T x = rhs, (P, c)."""
    (potrs,) = get_lapack_funcs(("potrs",), (L,))
    x, _ = potrs(L, np.asfortranarray(rhs, dtype=L.dtype), lower=1, overwrite_b=0)
    return np.asarray(x)


def invert_in_place(Q: Matrix) -> Matrix:
    """Q^-1, both triangles filled, in the memory of Q.

    Raises:
        GcrfError: Q is not positive definite in this precision.
    """
    L = factor_in_place(Q)
    (potri,) = get_lapack_funcs(("potri",), (L,))
    inverse, info = potri(L, lower=1, overwrite_c=1)
    if info != 0:
        raise GcrfError(f"the precision could not be inverted (minor {info}): raise the ridge")
    mirror_in_place(inverse)
    return np.asarray(inverse)


def mirror_in_place(Q: Matrix) -> None:
    """Copies the lower triangle of Q to the upper one, block by block."""
    for first in range(0, len(Q), _BLOCK):
        last = min(first + _BLOCK, len(Q))
        own = Q[first:last, first:last]
        own[...] = np.tril(own) + np.tril(own, -1).T
        for below in range(last, len(Q), _BLOCK):
            end = min(below + _BLOCK, len(Q))
            Q[first:last, below:end] = Q[below:end, first:last].T
