"""The G-CRF as a layer: S from the embedding, the linear solve with implicit gradients.

Dense and batched, for the grids of training; called by `hoc`. `huefield.gcrf` is the one that
serves; the tests hold both against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from train.run import TrainingError

SMALLEST = 1e-9  # of a row that sums to 1


def similarity(embedding: Tensor, kernel: str = "distance", *, diagonal: bool = True) -> Tensor:
    """Returns S, one channel of it, (N, P, P), rows summing to 1, from the embedding (N, D, P).

    Args:
        embedding: A, float32.
        kernel: "inner", softmax of A^T A (the paper), or "distance", softmax of -|a_i - a_j|^2.
        diagonal: False leaves S_pp out.

    Source: the paper, section 3.2, Eq. 5 and the text above it.
    """
    logits = embedding.transpose(1, 2) @ embedding
    if kernel == "distance":
        # -|a_i|^2 is equal over a row and drops out.
        logits = 2.0 * logits - embedding.square().sum(1)[:, None, :]
    if not diagonal:
        size = logits.shape[1]
        logits = logits.masked_fill(
            torch.eye(size, dtype=torch.bool, device=logits.device), float("-inf")
        )
    # Tiny weights are dropped: products of them are denormal numbers, which made the solve 100
    # times slower.
    return functional.threshold(torch.softmax(logits, dim=2), SMALLEST, 0.0)


class _Solve(torch.autograd.Function):
    """x = Q^-1 (w alpha), Q = (I - S)^T (I - S) + diag(w); one more solve gives all gradients."""

    @staticmethod
    def forward(ctx: Any, s: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        m = -s
        m.diagonal(dim1=1, dim2=2).add_(1.0)
        q = m.transpose(1, 2) @ m
        q.diagonal(dim1=1, dim2=2).add_(weight)
        factor, faults = torch.linalg.cholesky_ex(q)
        if bool(faults.any()):
            raise TrainingError("the G-CRF's precision is not positive definite: S is not finite?")
        x = torch.cholesky_solve(weight[..., None] * target, factor)
        ctx.save_for_backward(m, factor, weight, target, x)
        return x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        m, factor, weight, target, x = ctx.saved_tensors
        adjoint = torch.cholesky_solve(grads[0], factor)  # (N, P, 2)
        # dQ = -dS^T (I - S) - (I - S)^T dS + dw, and dx = Q^-1 (d(w alpha) - dQ x).
        grad_s = (m @ x) @ adjoint.transpose(1, 2) + (m @ adjoint) @ x.transpose(1, 2)
        grad_weight = (adjoint * (target - x)).sum(2)
        return grad_s, grad_weight, weight[..., None] * adjoint


def solve(s: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """Returns x (N, P, 2), the minimum of the energy, differentiable in all arguments.

    Args:
        s: one channel of the similarity matrix, (N, P, P).
        weight: w, above 0 on every pixel, (N, P).
        target: alpha, (N, P, 2).

    Raises:
        TrainingError: Q is not positive definite, because S is not finite or w too small.

    Source: the paper, Eq. 6, with weights per pixel in place of one beta; gradients by implicit
    differentiation in place of the paper's Eq. 7 and 8, which are the same thing.
    """
    apply: Callable[[Tensor, Tensor, Tensor], Tensor] = _Solve.apply
    return apply(s, weight, target)
