"""The G-CRF with dense matrices on the CPU: BLAS and LAPACK through SciPy.

What is kept of an open photo is its embedding and, once edits begin, Q0^-1 (64 MB at P = 4096):
inverting costs half a Cholesky more than factoring alone, and then the columns that a stroke needs
are there to be read.  That is quicker than triangular solves with cached columns, needs less
memory than factor and cache, gives the posterior deviation for nothing, and cannot depend on the
edits made before: the same edits give the same bits, though the factor of earlier strokes is kept
(`growing`).  S is made anew where it is wanted.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from huefield.gcrf.cholesky import invert_in_place, precision
from huefield.gcrf.conjugate import conjugate_gradients
from huefield.gcrf.fresh import solve_fresh
from huefield.gcrf.growing import GrowingFactor
from huefield.gcrf.interface import (
    FLOAT32_FLOOR,
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
from huefield.gcrf.similarity import LogKernel, residual_operator
from huefield.gcrf.threads import one_blas_thread
from huefield.gcrf.woodbury import LowRank, fresh_is_quicker
from huefield.strokes import Constraints

_PIECE = 64  # rows of Q0^-1 taken at once: 1 MB at P = 4096


class DenseSolver:
    """A photo's G-CRF on the CPU; see `huefield.gcrf.interface.Solver`."""

    name = "cpu-dense"

    def __init__(self, embedding: Float32, kernel: Kernel, weights: Weights) -> None:
        self._embedding = check_embedding(embedding)
        self._kernel = kernel
        self._weights = weights
        self._inverse: Float32 | None = None
        self._factor = GrowingFactor()
        self._lock = threading.Lock()

    @property
    def num_pixels(self) -> int:
        """P."""
        return int(self._embedding.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the embedding and, once factored, of Q0^-1 and the edits' factor."""
        inverse = self._inverse
        held = self._embedding.nbytes + self._factor.nbytes
        return held + (0 if inverse is None else inverse.nbytes)

    def smooth(self, unary: Float32) -> Float32:
        """Samples (n, P, 2), ab units: the unary made consistent, weight beta on every pixel.

        Source: the paper, Eq. 6 with H all ones.
        """
        alpha = as_columns(unary, self.num_pixels)
        M = residual_operator(self._embedding, self._kernel)
        beta = np.float32(self._weights.beta)
        x, _ = conjugate_gradients(
            lambda v: M.T @ (M @ v) + beta * v, beta * alpha, alpha, tolerance=1e-5, max_steps=200
        )
        return as_fields(x)

    def factor(self) -> None:
        """Prepares Q0^-1; lazy, safe to call twice and from a background thread."""
        self._prepared()

    def _prepared(self) -> Float32:
        """Q0^-1 (P, P) float32, made once."""
        with self._lock:
            if self._inverse is None:
                prior = self._weights.prior
                M: Any = residual_operator(self._embedding, self._kernel)
                if prior < FLOAT32_FLOOR:
                    M = M.astype(np.float64)
                Q = precision(M, prior, self._weights.pairs)
                del M
                self._inverse = np.asarray(invert_in_place(Q), dtype=np.float32)
            return self._inverse

    def correct(self, samples: Float32, constraints: Constraints) -> Float32:
        """Samples (n, P, 2) that follow the edits.

        x = sample + delta with delta = argmin 1/2 |M d|^2 + 1/2 beta_prior |d|^2 + the edits'
        pulls: where no edit reaches, the sample stays as it is (design fact 4).

        Source: the paper, Eq. 6, for the residual of the edits instead of the colours.
        """
        columns = as_columns(samples, self.num_pixels)
        rows = weigh(constraints, self._weights, self.num_pixels)
        return as_fields(columns + self._follow(rows, rows.residuals(columns)))

    def _follow(self, rows: Rows, residuals: Float32) -> Any:
        """delta (P, c) for residuals (k, c)."""
        if len(rows) == 0:
            return np.float32(0.0)
        if fresh_is_quicker(len(rows), self.num_pixels):
            nothing = np.zeros((self.num_pixels, residuals.shape[1]))
            prior, pairs = self._weights.prior, self._weights.pairs
            return solve_fresh(self._operator(), prior, nothing, rows, residuals, pairs)
        inverse = self._prepared().T  # its rows lie in one piece
        with one_blas_thread():
            return self._follow_cells(inverse, LowRank.of(rows), residuals)

    def _follow_cells(self, inverse: Float32, low_rank: LowRank, residuals: Float32) -> Float32:
        """delta (P, c) from rows of Q0^-1 (P, P)."""
        cells = low_rank.cells
        if low_rank.matrix is None:
            gram = lambda start, stop: inverse[cells[start:stop]][:, cells[:stop]]  # noqa: E731
            solved = self._factor.solve(cells, low_rank.variance, gram, residuals)
            multipliers = solved.astype(np.float32)
        else:
            multipliers = low_rank.multipliers(inverse[cells][:, cells], residuals)
        # In pieces that stay in the processor's cache while they are read again.
        delta = np.zeros((self.num_pixels, residuals.shape[1]), np.float32)
        for start in range(0, len(cells), _PIECE):
            piece = slice(start, start + _PIECE)
            delta += inverse[cells[piece]].T @ multipliers[piece]
        return delta

    def _columns(self, low_rank: LowRank) -> Float32:
        """Columns of Q0^-1 at the cells that edits touch, each as a row: (m, P)."""
        return np.asarray(self._prepared().T[low_rank.cells])

    def _operator(self, smallest: float | None = None) -> Any:
        """M = I - S in the precision that the smallest diagonal weight asks for."""
        M: Any = residual_operator(self._embedding, self._kernel)
        smallest = self._weights.prior if smallest is None else smallest
        return M if smallest >= FLOAT32_FLOOR else M.astype(np.float64)

    def solve(
        self, weights: Float32, targets: Float32, constraints: Constraints | None = None
    ) -> Float32:
        """The minimum (n, P, 2), ab units, of the energy with any weights and targets.

        Args:
            weights: (P,), >= 0; the paper's setting is beta where H is 1 and 0 elsewhere.  Those
                below the ridge count as the ridge with target 0.
            targets: (n, P, 2) ab units.
            constraints: edits as a part of the energy.

        Source: the paper, Eq. 6, with per-pixel weights.
        """
        w = check_weights(weights, self.num_pixels)
        alpha = as_columns(targets, self.num_pixels)
        diagonal = np.maximum(w, self._weights.ridge)
        rows = None
        residuals = None
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            residuals = np.tile(rows.targets, (1, len(targets)))
        M = self._operator(float(diagonal.min()))
        return as_fields(solve_fresh(M, diagonal, w[:, None] * alpha, rows, residuals))

    def deviation(self, constraints: Constraints | None = None) -> Float32:
        """Posterior deviation (P,), ab units per unit of energy; smaller where edited."""
        variance = self._prepared().diagonal().astype(np.float64)
        rows = weigh(constraints, self._weights, self.num_pixels) if constraints else None
        if rows is not None and len(rows):
            low_rank = LowRank.of(rows)
            columns = self._columns(low_rank)
            half = low_rank.half(columns[:, low_rank.cells]).astype(np.float32)
            lost = columns.T @ half  # (P, k)
            variance = variance - np.einsum("pk,pk->p", lost, lost)
        return np.sqrt(np.maximum(variance, 0.0)).astype(np.float32)

    def draws(self, n: int, seed: int, constraints: Constraints | None = None) -> Float32:
        """n draws (n, P, 2) of mean 0 and precision Q0, to add to a sample; seeded.

        With B = [M; sqrt(prior) I] and white noise e, Q0^-1 B^T e has covariance Q0^-1: the same
        distribution as L^-T e without keeping L, and the same draws from every backend.

        Source: Papandreou & Yuille 2010, "Gaussian sampling by local perturbations".
        """
        check_drawable(self._weights)
        noise = white_noise(n, seed, self.num_pixels)
        M = residual_operator(self._embedding, self._kernel)
        disturbed = M.T @ noise[: self.num_pixels]
        del M
        disturbed += np.float32(np.sqrt(self._weights.prior)) * noise[self.num_pixels :]
        x = self._prepared() @ disturbed
        if constraints is not None:
            rows = weigh(constraints, self._weights, self.num_pixels)
            x = x + self._follow(rows, row_noise(n, seed, rows) - rows.matrix @ x)
        return as_fields(x)

    def influence(self, index: int) -> tuple[Float32, Float32]:
        """Row of S (P,) and column of Q0^-1 (P,) of one pixel."""
        p = check_index(index, self.num_pixels)
        row = LogKernel.of(self._embedding, self._kernel).softmax_block(p, p + 1)[0]
        return row, self._prepared()[:, p].copy()
