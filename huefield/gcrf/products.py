"""Products with S and S^T that never store S: blockwise NumPy, or torch attention calls.

exp(t) is symmetric, so S = D^-1 E and S^T y = E D^-1 y: both are attention with query and key the
embedding.  The row scale D is kept as its logarithm: with the inner kernel, or with a far isolated
pixel whose own entry is left out, D itself leaves float32's range.  Called by `matrix_free`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse

from huefield.gcrf.interface import Float32, Kernel
from huefield.gcrf.similarity import LogKernel

_BLOCK_ENTRIES = 1 << 18
# Part of a row that must lie off the diagonal for the diagonal to be subtracted in float32.
_LEAST_REST = 1e-2


class Products(Protocol):
    """S and S^T applied to arrays (P, c) of the products' own kind."""

    def lift(self, array: Any) -> Any:
        """A NumPy array as the products' own kind."""
        ...

    def lift_sparse(self, matrix: scipy.sparse.csr_matrix) -> Any:
        """A sparse matrix that multiplies the products' own kind."""
        ...

    def lower(self, array: Any) -> Any:
        """The products' own kind as a NumPy array."""
        ...

    def apply(self, y: Any) -> Any:
        """S y."""
        ...

    def apply_transposed(self, y: Any) -> Any:
        """S^T y."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...


class BlockProducts:
    """Products in NumPy, a few rows of S at a time: O(P) memory."""

    def __init__(self, embedding: Float32, kernel: Kernel) -> None:
        log_kernel = LogKernel.of(embedding, kernel)
        scale = np.empty(len(log_kernel), dtype=np.float32)
        self._size = len(log_kernel)
        for first, last in self._blocks():
            t = log_kernel.block(first, last)
            largest = t.max(axis=1)
            t -= largest[:, None]
            log_kernel.exponentiate(t, first)
            scale[first:last] = largest + np.log(t.sum(axis=1))
        # t is symmetric, so S^T has the same rows of t with the scale on the other index.
        self._rows = log_kernel.biased(rows=-scale)
        self._columns = log_kernel.biased(columns=-scale)

    def _blocks(self) -> list[tuple[int, int]]:
        step = max(1, _BLOCK_ENTRIES // self._size)
        return [(first, min(first + step, self._size)) for first in range(0, self._size, step)]

    @property
    def nbytes(self) -> int:
        """Bytes of both log kernels."""
        return 4 * self._rows.left.nbytes

    def lift(self, array: Any) -> Float32:
        """The array as float32."""
        return np.asarray(array, dtype=np.float32)

    def lift_sparse(self, matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
        """The matrix as float32."""
        return matrix.astype(np.float32)

    def lower(self, array: Float32) -> Float32:
        """The array itself."""
        return array

    def _attend(self, log_kernel: LogKernel, y: Float32) -> Float32:
        out = np.empty_like(y)
        for first, last in self._blocks():
            t = log_kernel.block(first, last)
            log_kernel.exponentiate(t, first)
            out[first:last] = t @ y
        return out

    def apply(self, y: Float32) -> Float32:
        """S y, (P, c)."""
        return self._attend(self._rows, y)

    def apply_transposed(self, y: Float32) -> Float32:
        """S^T y, (P, c)."""
        return self._attend(self._columns, y)


class AttentionProducts:
    """Products as torch's fused attention: O(P) memory on CUDA, the same code on the CPU.

    Queries and keys are the embedding with one more entry that carries a bias of the key: for the
    distance kernel -|a_j|^2 (a row's own -|a_i|^2 cancels in its softmax), for S^T the log scale
    of the row that the key stands for.  A softmax row sums to 1, so S^T is rescaled by the column
    sums of S, made once.
    """

    def __init__(self, embedding: Float32, kernel: Kernel, device: str) -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)
        log_kernel = LogKernel.of(embedding, kernel)
        size = log_kernel.right.shape[1] - 2
        self._features = self.lift(log_kernel.right[:, :size])
        self._norms = self.lift(-log_kernel.right[:, -1])
        self._factor = 2.0 if kernel.kind == "distance" else 1.0
        full = self._log_sums(-self._norms, diagonal=True)
        scale = full if kernel.diagonal else self._log_sums(-self._norms, diagonal=False)
        columns = self._log_sums(-scale, diagonal=True) - self._norms
        own = self._factor * (self._features**2).sum(1) - self._norms
        self._blockwise = False
        if kernel.diagonal:
            self._rest = self._own = None
        else:
            # full row = own entry + rest; the product with the rest is what is wanted.
            self._rest = torch.exp(scale - full)[:, None]
            self._own = torch.exp(own - full)[:, None]
            self._own_transposed = torch.exp(own - scale)[:, None]
            self._blockwise = bool(self._rest.min() < _LEAST_REST)
        self._scale = scale
        self._column_sums = torch.exp(columns)[:, None]
        size = 8 * -(-(self._features.shape[1] + 1) // 8)
        self._query = self._padded(self._factor * self._features, torch.ones_like(scale), size)
        self._keys = self._padded(self._features, -self._norms, size)
        self._keys_transposed = self._padded(self._features, -scale, size)

    def _padded(self, features: Any, last: Any, size: int) -> Any:
        """Features and one more entry, (1, 1, P, size): fused kernels want multiples of 8."""
        out = features.new_zeros((1, 1, len(features), size))
        out[0, 0, :, : features.shape[1]] = features
        out[0, 0, :, features.shape[1]] = last
        return out

    def _logits(self, first: int, last: int, bias: Any, *, diagonal: bool) -> Any:
        """Rows first..last-1 of factor * a_i.a_j + bias_j."""
        t = self._factor * (self._features[first:last] @ self._features.T) + bias
        if not diagonal:
            own = self._torch.arange(first, last, device=self._device)
            t[own - first, own] = -self._torch.inf
        return t

    def _blocks(self) -> list[tuple[int, int]]:
        size = len(self._features)
        entries = _BLOCK_ENTRIES if self._device.type == "cpu" else 64 * _BLOCK_ENTRIES
        step = max(1, entries // size)
        return [(first, min(first + step, size)) for first in range(0, size, step)]

    def _log_sums(self, bias: Any, *, diagonal: bool) -> Any:
        """Log of the sum of each row of exp(logits), (P,), without the rows' own norm."""
        parts = [
            self._torch.logsumexp(self._logits(first, last, bias, diagonal=diagonal), dim=1)
            for first, last in self._blocks()
        ]
        return self._torch.cat(parts)

    @property
    def nbytes(self) -> int:
        """Bytes of the queries, keys and scales on the device."""
        held = (self._features, self._query, self._keys, self._keys_transposed, self._scale)
        return int(sum(t.numel() * t.element_size() for t in held))

    def lift(self, array: Any) -> Any:
        """The array as a float32 tensor on the device."""
        return self._torch.as_tensor(
            np.ascontiguousarray(array, dtype=np.float32), device=self._device
        )

    def lift_sparse(self, matrix: scipy.sparse.csr_matrix) -> Any:
        """The matrix as a float32 sparse tensor on the device."""
        entries = matrix.tocoo()
        index = np.stack([entries.row, entries.col]).astype(np.int64)
        return self._torch.sparse_coo_tensor(
            self._torch.as_tensor(index),
            self._torch.as_tensor(entries.data.astype(np.float32)),
            matrix.shape,
            device=self._device,
            check_invariants=True,
        ).coalesce()

    def lower(self, array: Any) -> Any:
        """The tensor as a NumPy array."""
        return array.cpu().numpy()

    def _attend(self, keys: Any, y: Any) -> Any:
        """softmax(query keys^T) y, (P, c), with values padded to the keys' size."""
        from torch.nn.attention import SDPBackend, sdpa_kernel

        # On CUDA the fused kernel or an error: the plain one would store all of S.
        kernels = [SDPBackend.EFFICIENT_ATTENTION]
        if self._device.type == "cpu":
            kernels = [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
        size = keys.shape[-1]
        parts = []
        for first in range(0, y.shape[1], size):
            part = y[:, first : first + size]
            values = y.new_zeros((1, 1, len(y), size))
            values[0, 0, :, : part.shape[1]] = part
            with sdpa_kernel(kernels):
                out = self._torch.nn.functional.scaled_dot_product_attention(
                    self._query, keys, values, scale=1.0
                )
            parts.append(out[0, 0, :, : part.shape[1]])
        return self._torch.cat(parts, dim=1)

    def _attend_blocks(self, bias: Any, scale: Any, y: Any) -> Any:
        """exp(logits - scale) y without the diagonal, a few rows at a time."""
        parts = []
        for first, last in self._blocks():
            t = self._logits(first, last, bias, diagonal=False)
            parts.append(self._torch.exp(t - scale[first:last, None]) @ y)
        return self._torch.cat(parts)

    def apply(self, y: Any) -> Any:
        """S y, (P, c)."""
        if self._blockwise:
            return self._attend_blocks(-self._norms, self._scale, y)
        out = self._attend(self._keys, y)
        return out if self._own is None else (out - self._own * y) / self._rest

    def apply_transposed(self, y: Any) -> Any:
        """S^T y, (P, c)."""
        if self._blockwise:
            return self._attend_blocks(-self._scale, self._norms, y)
        out = self._column_sums * self._attend(self._keys_transposed, y)
        return out if self._own is None else out - self._own_transposed * y
