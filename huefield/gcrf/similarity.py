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
    """The logarithm of the unnormalised similarity, E_ij = exp(t_ij), symmetric.

    Attributes:
        features: (P, D) float32; for the distance kernel about their mean, which changes no
            distance and keeps the rounding small.
        norms: (P,) float32, squared lengths of the features; zeros for the inner kernel.
        kernel: which kernel it is.
    """

    features: Float32
    norms: Float32
    kernel: Kernel

    @classmethod
    def of(cls, embedding: Float32, kernel: Kernel) -> LogKernel:
        """The log kernel of an embedding (D, P)."""
        features = np.ascontiguousarray(check_embedding(embedding).T)  # (P, D)
        norms = np.zeros(len(features), dtype=np.float32)
        if kernel.kind == "distance":
            features = features - features.mean(axis=0)
            norms = np.einsum("pd,pd->p", features, features)
        return cls(features, norms, kernel)

    def __len__(self) -> int:
        return len(self.features)

    def block(self, first: int, last: int) -> Float32:
        """Rows first..last-1 of t, (last - first, P); -inf on a diagonal that is left out."""
        t = self.features[first:last] @ self.features.T
        own = np.arange(first, last)
        if self.kernel.kind == "distance":
            t *= 2.0
            t -= self.norms
            t -= self.norms[first:last, None]
            np.minimum(t, 0.0, out=t)
            t[own - first, own] = 0.0
        if not self.kernel.diagonal:
            t[own - first, own] = -np.inf
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
