"""Conjugate gradients over many right-hand sides, for NumPy arrays and torch tensors alike.

Called by the dense solvers for samples (about seven steps at beta = 5) and by the matrix-free
solver for everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from huefield.gcrf.interface import GcrfError


def conjugate_gradients(
    apply: Callable[[Any], Any],
    b: Any,
    start: Any,
    *,
    tolerance: float,
    max_steps: int,
    precondition: Any = 1.0,
) -> tuple[Any, int]:
    """The solution X (P, c) of apply(X) = b, and the number of steps it took.

    Each column has its own step lengths; all run until the worst has converged.

    Args:
        apply: the symmetric positive definite operator on (P, c).
        b: right-hand sides (P, c).
        start: first guess (P, c).
        tolerance: least |b - apply(X)| / |b|, over the columns.
        max_steps: steps after which it gives up.
        precondition: approximate inverse diagonal, (P, 1) or a number.

    Raises:
        GcrfError: it has not converged after `max_steps`.

    Source: Hestenes & Stiefel 1952.
    """
    x = start
    r = b - apply(x)
    z = precondition * r
    p = z
    rz = (r * z).sum(0)
    # A column of zeros has nothing to reach; the smallest float32 keeps 0/0 away.
    tiny = 1e-30
    goal = tolerance**2 * (b * b).sum(0) + tiny
    for step in range(max_steps + 1):
        worst = float(((r * r).sum(0) / goal).max())
        if worst <= 1.0:
            return x, step
        Qp = apply(p)
        alpha = rz / ((p * Qp).sum(0) + tiny)
        x = x + alpha * p
        r = r - alpha * Qp
        z = precondition * r
        rz_next = (r * z).sum(0)
        p = z + (rz_next / (rz + tiny)) * p
        rz = rz_next
    raise GcrfError(
        f"conjugate gradients did not converge in {max_steps} steps "
        f"(residual {tolerance * worst**0.5:.1e}, wanted {tolerance:.0e}): raise beta_prior"
    )
