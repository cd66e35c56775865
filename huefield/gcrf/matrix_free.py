"""The G-CRF without matrices: O(P) memory, conjugate gradients, fields larger than 64 x 64.

Every product makes the rows of S that it needs anew (`products`), so it costs more time than the
dense form and almost no memory.  Edits are solved by conjugate gradients with a diagonal
preconditioner; cells of an exact edit are held fixed.  The posterior deviation is estimated from
draws: its exact diagonal would need a solve for every pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from huefield.gcrf.conjugate import conjugate_gradients
from huefield.gcrf.fresh import exact_cells, normal_terms
from huefield.gcrf.interface import (
    Float32,
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
from huefield.gcrf.products import AttentionProducts, BlockProducts, Products
from huefield.gcrf.similarity import LogKernel
from huefield.strokes import Constraints

# Draws behind the estimated deviation: a standard error of 1 / sqrt(2 * 2 * 32) = 9 %.
_DEVIATION_DRAWS = 32
_MAX_STEPS = 2000


class MatrixFreeSolver:
    """A photo's G-CRF in O(P) memory; see `huefield.gcrf.interface.Solver`.

    Args:
        embedding: (D, P) float32.
        kernel: which similarity.
        weights: how strongly each term pulls.
        device: None for blockwise NumPy, else the torch device of the attention calls.
    """

    def __init__(
        self, embedding: Float32, kernel: Kernel, weights: Weights, device: str | None = None
    ) -> None:
        self._embedding = check_embedding(embedding)
        self._kernel = kernel
        self._weights = weights
        self._device = device
        self._sums: Any = None
        self._products: Products = (
            BlockProducts(self._embedding, kernel)
            if device is None
            else AttentionProducts(self._embedding, kernel, device)
        )

    @property
    def name(self) -> str:
        """The backend: "matrix-free", with the torch device where there is one."""
        return "matrix-free" if self._device is None else f"matrix-free-{self._device}"

    @property
    def num_pixels(self) -> int:
        """P."""
        return int(self._embedding.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the embedding and of what the products hold."""
        return self._embedding.nbytes + self._products.nbytes

    def _squared(self, v: Any) -> Any:
        """M^T M v for M = I - S, (P, c)."""
        residual = v - self._products.apply(v)
        return residual - self._products.apply_transposed(residual)

    def _edited(self, v: Any, pairs: float) -> Any:
        """(M^T M + pairs (D - W)) v, (P, c); D - W = (M + M^T) / 2 less its row sums."""
        if not pairs:
            return self._squared(v)
        residual = v - self._products.apply(v)
        mixed = residual + 0.5 * pairs * v
        out = mixed - self._products.apply_transposed(mixed) + 0.5 * pairs * residual
        return out - 0.5 * pairs * self._column_sums() * v

    def _column_sums(self) -> Any:
        """M^T 1 (P, 1), made once; M 1 = 0."""
        if self._sums is None:
            ones = self._products.lift(np.ones((self.num_pixels, 1), dtype=np.float32))
            self._sums = ones - self._products.apply_transposed(ones)
        return self._sums

    def smooth(self, unary: Float32) -> Float32:
        """Samples (n, P, 2), ab units: the unary made consistent, weight beta on every pixel."""
        alpha = self._products.lift(as_columns(unary, self.num_pixels))
        beta = self._weights.beta
        x, _ = conjugate_gradients(
            lambda v: self._squared(v) + beta * v,
            beta * alpha,
            alpha,
            tolerance=1e-5,
            max_steps=_MAX_STEPS,
        )
        return as_fields(self._products.lower(x))

    def factor(self) -> None:
        """Nothing to prepare: this form keeps no factor."""

    def correct(self, samples: Float32, constraints: Constraints) -> Float32:
        """Samples (n, P, 2) that follow the edits: sample + delta."""
        columns = as_columns(samples, self.num_pixels)
        rows = weigh(constraints, self._weights, self.num_pixels)
        if len(rows) == 0:
            return as_fields(columns)
        return as_fields(columns + self._follow(rows, rows.residuals(columns)))

    def _follow(self, rows: Rows, residuals: Float32) -> Float32:
        """delta (P, c) for residuals (k, c)."""
        prior = np.full(self.num_pixels, self._weights.prior)
        nothing = np.zeros((self.num_pixels, residuals.shape[1]), dtype=np.float32)
        return self._minimum(prior, nothing, rows, residuals, self._weights.pairs)

    def _minimum(
        self, diagonal: Any, rhs: Any, rows: Rows | None, residuals: Any, pairs: float = 0.0
    ) -> Float32:
        """The solution (P, c) of (M^T M + pairs (D - W) + diag + C^T W C) x = rhs + C^T W r."""
        products = self._products
        weight = products.lift(diagonal[:, None])
        free = np.ones((self.num_pixels, 1), dtype=np.float32)
        held = np.zeros_like(rhs, dtype=np.float32)
        # 1 + weights is close to the diagonal of M^T M + weights, whatever S is.
        scale = 1.0 + diagonal
        added = None
        if rows is not None and len(rows):
            normal, pull = normal_terms(rows, residuals)
            rhs = rhs + pull
            scale = scale + normal.diagonal()
            if normal.nnz:
                added = products.lift_sparse(normal)
            cells, fixing, _ = exact_cells(rows)
            free[cells] = 0.0
            held[cells] = residuals[fixing]

        def apply(v: Any) -> Any:
            out = self._edited(v, pairs) + weight * v
            return out if added is None else out + added @ v

        mask = products.lift(free)
        fixed = products.lift(held)
        b = mask * (products.lift(rhs) - apply(fixed)) if held.any() else products.lift(rhs)
        x, _ = conjugate_gradients(
            lambda v: mask * apply(v),
            b,
            b * 0.0,
            tolerance=1e-6,
            max_steps=_MAX_STEPS,
            precondition=products.lift(1.0 / scale[:, None]) * mask,
        )
        result: Float32 = products.lower(x + fixed)
        return result

    def solve(
        self, weights: Float32, targets: Float32, constraints: Constraints | None = None
    ) -> Float32:
        """The minimum (n, P, 2), ab units, of the energy with any weights and targets (Eq. 6).

        Raises:
            GcrfError: the weights are so small that conjugate gradients do not converge.
        """
        w = check_weights(weights, self.num_pixels)
        alpha = as_columns(targets, self.num_pixels)
        rows = None
        residuals = None
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            residuals = np.tile(rows.targets, (1, len(targets)))
        diagonal = np.maximum(w, self._weights.ridge)
        return as_fields(self._minimum(diagonal, w[:, None] * alpha, rows, residuals))

    def deviation(self, constraints: Constraints | None = None) -> Float32:
        """Posterior deviation (P,), estimated from 32 draws to about 9 %."""
        sample = self.draws(_DEVIATION_DRAWS, 0, constraints).astype(np.float64)
        return np.asarray(np.sqrt((sample**2).mean(axis=(0, 2))), dtype=np.float32)

    def draws(self, n: int, seed: int, constraints: Constraints | None = None) -> Float32:
        """n draws (n, P, 2) of mean 0 and precision Q0; the dense form's, to rounding."""
        check_drawable(self._weights)
        noise = white_noise(n, seed, self.num_pixels)
        upper = self._products.lift(noise[: self.num_pixels])
        disturbed = self._products.lower(upper - self._products.apply_transposed(upper))
        disturbed = disturbed + np.float32(self._weights.prior**0.5) * noise[self.num_pixels :]
        prior = np.full(self.num_pixels, self._weights.prior)
        x = self._minimum(prior, disturbed, None, None)
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            if len(rows):
                x = x + self._follow(rows, row_noise(n, seed, rows) - rows.matrix @ x)
        return as_fields(x)

    def influence(self, index: int) -> tuple[Float32, Float32]:
        """Row of S (P,) and column of Q0^-1 (P,) of one pixel."""
        p = check_index(index, self.num_pixels)
        row = LogKernel.of(self._embedding, self._kernel).softmax_block(p, p + 1)[0]
        unit = np.zeros((self.num_pixels, 1), dtype=np.float32)
        unit[p] = 1.0
        prior = np.full(self.num_pixels, self._weights.prior)
        column: Float32 = self._minimum(prior, unit, None, None, self._weights.pairs)[:, 0]
        return row, column
