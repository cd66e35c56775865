"""The G-CRF with dense matrices through torch: the CUDA backend.

The device is an argument, so the same code runs on the CPU where the tests have no GPU.  torch is
imported inside the functions: serving without a GPU needs none.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from huefield.gcrf.conjugate import conjugate_gradients
from huefield.gcrf.fresh import exact_cells, normal_terms
from huefield.gcrf.interface import (
    FLOAT32_FLOOR,
    Float32,
    GcrfError,
    Kernel,
    Rows,
    Weights,
    as_columns,
    as_fields,
    check_drawable,
    check_embedding,
    check_index,
    check_weights,
    row_noise,
    weigh,
    white_noise,
)
from huefield.gcrf.similarity import LOG_FLOOR, LogKernel
from huefield.gcrf.woodbury import LowRank, fresh_is_quicker
from huefield.strokes import Constraints


class TorchSolver:
    """A photo's G-CRF on a torch device; see `huefield.gcrf.interface.Solver`."""

    def __init__(
        self, embedding: Float32, kernel: Kernel, weights: Weights, device: str = "cuda"
    ) -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)
        self._embedding = check_embedding(embedding)
        self._kernel = kernel
        self._weights = weights
        self._inverse: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The backend: "cuda-dense", or "torch-cpu-dense" in tests."""
        return "cuda-dense" if self._device.type == "cuda" else f"torch-{self._device.type}-dense"

    @property
    def num_pixels(self) -> int:
        """P."""
        return int(self._embedding.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the embedding (host) and, once factored, of Q0^-1 (device)."""
        inverse = self._inverse
        held = 0 if inverse is None else inverse.numel() * inverse.element_size()
        return self._embedding.nbytes + int(held)

    def _lift(self, array: Any) -> Any:
        """A NumPy array as a tensor on the device."""
        return self._torch.as_tensor(np.ascontiguousarray(array), device=self._device)

    def _operator(self) -> Any:
        """M = I - S (P, P) float32 on the device."""
        torch = self._torch
        A = self._lift(self._embedding)
        if self._kernel.kind == "distance":
            A = A - A.mean(1, keepdim=True)
            norms = (A * A).sum(0)
            t = (2.0 * (A.T @ A) - norms - norms[:, None]).clamp_(max=0.0)
            t.fill_diagonal_(0.0)
        else:
            t = A.T @ A
        if not self._kernel.diagonal:
            t.fill_diagonal_(-torch.inf)
        t -= t.amax(1, keepdim=True)
        M = torch.softmax(t.clamp_(min=LOG_FLOOR), dim=1).neg_()
        if not self._kernel.diagonal:
            M.fill_diagonal_(0.0)
        M.diagonal().add_(1.0)
        return M

    def smooth(self, unary: Float32) -> Float32:
        """Samples (n, P, 2), ab units: the unary made consistent, weight beta on every pixel."""
        alpha = self._lift(as_columns(unary, self.num_pixels))
        M = self._operator()
        beta = self._weights.beta
        x, _ = conjugate_gradients(
            lambda v: M.T @ (M @ v) + beta * v, beta * alpha, alpha, tolerance=1e-5, max_steps=200
        )
        return as_fields(x.cpu().numpy())

    def factor(self) -> None:
        """Prepares Q0^-1; lazy, safe to call twice and from a background thread."""
        self._prepared()

    def _precision(self, smallest: float, diagonal: Any, pairs: float = 0.0) -> Any:
        """Q = M^T M + pairs (D - W) + diag (P, P) on the device, float64 for small weights."""
        M = self._operator()
        if smallest < FLOAT32_FLOOR:
            M = M.double()
        Q = M.T @ M
        Q.diagonal().add_(diagonal)
        if pairs:
            # D - W = (M + M^T) / 2 less its own row sums on the diagonal.
            Q.diagonal().sub_(0.5 * pairs * (M.sum(0) + M.sum(1)))
            Q.add_(M, alpha=0.5 * pairs).add_(M.T, alpha=0.5 * pairs)
        return Q

    def _cholesky(self, Q: Any) -> Any:
        """Lower factor of Q.

        Raises:
            GcrfError: Q is not positive definite in its precision.
        """
        L, info = self._torch.linalg.cholesky_ex(Q)
        if int(info):
            raise GcrfError(
                f"the precision is not positive definite in {Q.dtype} (minor {int(info)}): "
                "raise the ridge"
            )
        return L

    def _prepared(self) -> Any:
        """Q0^-1 (P, P) float32 on the device, made once."""
        with self._lock:
            if self._inverse is None:
                prior = self._weights.prior
                L = self._cholesky(self._precision(prior, prior, self._weights.pairs))
                self._inverse = self._torch.cholesky_inverse(L).float()
            return self._inverse

    def correct(self, samples: Float32, constraints: Constraints) -> Float32:
        """Samples (n, P, 2) that follow the edits: sample + delta."""
        columns = as_columns(samples, self.num_pixels)
        rows = weigh(constraints, self._weights, self.num_pixels)
        return as_fields(columns + self._follow(rows, rows.residuals(columns)))

    def _follow(self, rows: Rows, residuals: Float32) -> Any:
        """delta (P, c) for residuals (k, c), back on the host."""
        if len(rows) == 0:
            return np.float32(0.0)
        if fresh_is_quicker(len(rows), self.num_pixels):
            prior = self._weights.prior
            nothing = np.zeros((self.num_pixels, residuals.shape[1]))
            Q = self._precision(prior, prior, self._weights.pairs)
            return self._fresh(Q, nothing, rows, residuals)
        inverse = self._prepared()
        low_rank = LowRank.of(rows)
        cells = self._lift(low_rank.cells)
        columns = inverse[cells]  # (m, P): rows of a symmetric matrix, read in one piece
        gram = columns[:, cells].cpu().numpy()
        multipliers = self._lift(low_rank.multipliers(gram, residuals))
        return (columns.T @ multipliers).cpu().numpy()

    def _fresh(self, Q: Any, rhs: Any, rows: Rows | None, residuals: Any) -> Any:
        """The solution (P, c) of (Q + C^T W C) x = rhs + C^T W r, on the host."""
        torch = self._torch
        b = self._lift(rhs).to(Q.dtype)
        if rows is None or len(rows) == 0:
            return torch.cholesky_solve(b, self._cholesky(Q)).cpu().numpy()
        added, pull = normal_terms(rows, residuals)
        entries = added.tocoo()
        Q.index_put_(
            (self._lift(entries.row.astype(np.int64)), self._lift(entries.col.astype(np.int64))),
            self._lift(entries.data).to(Q.dtype),
            accumulate=True,
        )
        b = b + self._lift(pull).to(Q.dtype)
        fixed, fixing, _ = exact_cells(rows)
        x = torch.empty_like(b)
        cells = self._lift(fixed.astype(np.int64))
        x[cells] = self._lift(residuals[fixing]).to(Q.dtype)
        free = self._lift(np.setdiff1d(np.arange(self.num_pixels), fixed))
        if len(free):
            rest = b[free] - Q[free][:, cells] @ x[cells]
            x[free] = torch.cholesky_solve(rest, self._cholesky(Q[free][:, free]))
        return x.cpu().numpy()

    def solve(
        self, weights: Float32, targets: Float32, constraints: Constraints | None = None
    ) -> Float32:
        """The minimum (n, P, 2), ab units, of the energy with any weights and targets (Eq. 6)."""
        w = check_weights(weights, self.num_pixels)
        alpha = as_columns(targets, self.num_pixels)
        diagonal = np.maximum(w, self._weights.ridge)
        rows = None
        residuals = None
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            residuals = np.tile(rows.targets, (1, len(targets)))
        smallest = float(diagonal.min())
        Q = self._precision(smallest, self._lift(diagonal))
        return as_fields(self._fresh(Q, w[:, None] * alpha, rows, residuals))

    def deviation(self, constraints: Constraints | None = None) -> Float32:
        """Posterior deviation (P,), ab units per unit of energy; smaller where edited."""
        inverse = self._prepared()
        variance = inverse.diagonal().double()
        rows = weigh(constraints, self._weights, self.num_pixels) if constraints else None
        if rows is not None and len(rows):
            low_rank = LowRank.of(rows)
            columns = inverse[self._lift(low_rank.cells)]  # (m, P)
            gram = columns[:, self._lift(low_rank.cells)].cpu().numpy()
            lost = columns.T @ self._lift(low_rank.half(gram)).float()  # (P, k)
            variance = variance - (lost * lost).sum(1)
        return np.asarray(variance.clamp(min=0.0).sqrt().float().cpu().numpy())

    def draws(self, n: int, seed: int, constraints: Constraints | None = None) -> Float32:
        """n draws (n, P, 2) of mean 0 and precision Q0; the CPU's, to rounding."""
        check_drawable(self._weights)
        noise = self._lift(white_noise(n, seed, self.num_pixels))
        disturbed = self._operator().T @ noise[: self.num_pixels]
        disturbed = disturbed + self._weights.prior**0.5 * noise[self.num_pixels :]
        x = (self._prepared() @ disturbed).cpu().numpy()
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            x = x + self._follow(rows, row_noise(n, seed, rows) - rows.matrix @ x)
        return as_fields(x)

    def influence(self, index: int) -> tuple[Float32, Float32]:
        """Row of S (P,) and column of Q0^-1 (P,) of one pixel."""
        p = check_index(index, self.num_pixels)
        row = LogKernel.of(self._embedding, self._kernel).softmax_block(p, p + 1)[0]
        return row, self._prepared()[:, p].cpu().numpy()
