"""The similarity matrix S of a photo, whole or a few rows at a time.

Called by the solvers of this package and by tests.  Rows are made in blocks that fit the cache:
at P = 4096 that is several times faster than passing over the whole matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from huefield.gcrf.interface import Float32, Kernel, check_embedding

_BLOCK_ENTRIES = 1 << 19
# Smallest logarithm of an entry of S: 1e-11 of a row is nothing, while the denormal numbers below
# float32's range make every product with S ten times slower.
LOG_FLOOR = -25.0


@dataclass(frozen=True)
class LogKernel:
    """The logarithm of the unnormalised similarity: t = left right^T, E_ij = exp(t_ij).

    The last two entries of each side carry what belongs to a row or a column alone, so that one
    product of matrices makes a block of t: (x, row bias, 1) . (y, 1, column bias).

    Attributes:
        left: (P, D + 2) float32.
        right: (P, D + 2) float32.
        kernel: which kernel it is.
    """

    left: Float32
    right: Float32
    kernel: Kernel

    @classmethod
    def of(cls, embedding: Float32, kernel: Kernel) -> LogKernel:
        """The log kernel of an embedding (D, P)."""
        features = check_embedding(embedding).T  # (P, D)
        bias = np.zeros((len(features), 1), dtype=np.float32)
        one = np.ones_like(bias)
        factor = np.float32(1.0)
        if kernel.kind == "distance":
            # -|x - y|^2 = 2 x.y - |x|^2 - |y|^2; about the mean, which changes no distance and
            # keeps the rounding small.
            features = features - features.mean(axis=0)
            bias = -(features**2).sum(axis=1, keepdims=True)
            factor = np.float32(2.0)
        left = np.concatenate([factor * features, bias, one], axis=1)
        right = np.concatenate([features, one, bias], axis=1)
        return cls(left, right, kernel)

    def __len__(self) -> int:
        return len(self.left)

    def biased(self, *, rows: Float32 | None = None, columns: Float32 | None = None) -> LogKernel:
        """The log kernel with (P,) added to each row's, or each column's, entries."""
        left, right = self.left.copy(), self.right.copy()
        if rows is not None:
            left[:, -2] += rows
        if columns is not None:
            right[:, -1] += columns
        return LogKernel(left, right, self.kernel)

    def block(self, first: int, last: int) -> Float32:
        """Rows first..last-1 of t, (last - first, P); -inf on a diagonal that is left out."""
        t = self.left[first:last] @ self.right.T
        if not self.kernel.diagonal:
            own = np.arange(len(t))
            t[own, first + own] = -np.inf
        return t

    def softmax_block(self, first: int, last: int) -> Float32:
        """Rows first..last-1 of S, (last - first, P)."""
        t = self.block(first, last)
        # The largest entry is taken off first: nothing overflows, and a far isolated pixel whose
        # own entry is left out still has a row that sums to 1.
        t -= t.max(axis=1, keepdims=True)
        self.exponentiate(t, first)
        t /= t.sum(axis=1, keepdims=True)
        return t

    def exponentiate(self, t: Float32, first: int) -> None:
        """exp of rows of logarithms that are at most about 0, in place, without denormals."""
        np.maximum(t, LOG_FLOOR, out=t)
        np.exp(t, out=t)
        if not self.kernel.diagonal:
            own = np.arange(len(t))
            t[own, first + own] = 0.0


def similarity(embedding: Float32, kernel: Kernel) -> Float32:
    """The similarity matrix S (P, P) float32, rows summing to 1.

    Args:
        embedding: (D, P) float32.
        kernel: which similarity.

    Source: the paper, section 3.2 (softmax of A^T A over each row), for `Kernel("inner")`.  The
        distance kernel departs from it because plain inner products put most of a row on its own
        pixel and learn slower (design facts 5 and 12).
    """
    log_kernel = LogKernel.of(embedding, kernel)
    num_pixels = len(log_kernel)
    S = np.empty((num_pixels, num_pixels), dtype=np.float32)
    step = max(1, _BLOCK_ENTRIES // num_pixels)
    for first in range(0, num_pixels, step):
        last = min(first + step, num_pixels)
        S[first:last] = log_kernel.softmax_block(first, last)
    return S


def residual_operator(embedding: Float32, kernel: Kernel) -> Float32:
    """M = I - S (P, P) float32, in the memory of S."""
    M = similarity(embedding, kernel)
    np.negative(M, out=M)
    M.reshape(-1)[:: len(M) + 1] += 1.0
    return M
