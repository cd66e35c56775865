"""What every solver of the G-CRF takes and gives: kernel, weights, the `Solver` protocol, checks.

Called by the solvers of this package and by whoever opens one.  With M = I - S and per-pixel
weights w the energy is E(x) = 1/2 |M x|^2 + 1/2 sum w (x - alpha)^2 + ties; a and b share S and
are solved as separate right-hand sides, so the 2P x 2P matrix of the paper never exists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse

from huefield.strokes import Constraints

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Pull of a partly covered cell in exact mode, where a wholly covered one is met exactly.
EXACT_PARTIAL = 50.0
# Below this smallest diagonal weight float64 is used: measured at P = 4096, the float32 inverse is
# good to 6e-7 at 0.05, 8e-5 at 1e-3, 7e-4 at 1e-4.
FLOAT32_FLOOR = 1e-3


class GcrfError(ValueError):
    """A solver was asked for something it cannot give; the message says what and why."""


@dataclass(frozen=True)
class Kernel:
    """Which similarity S is made from the embedding A.

    Attributes:
        kind: "inner" is the paper's softmax of A^T A over each row; "distance" the softmax of
            -|a_i - a_j|^2, a departure that spreads further (design facts 5 and 12).
        diagonal: False leaves S_pp out, so that a pixel is explained by the others alone.
    """

    kind: Literal["distance", "inner"] = "distance"
    diagonal: bool = True

    def __post_init__(self) -> None:
        if self.kind not in ("distance", "inner"):
            raise GcrfError(f"kernel kind must be 'distance' or 'inner', got {self.kind!r}")


@dataclass(frozen=True)
class Weights:
    """How strongly each term of the energy pulls.

    Attributes:
        beta: pull of a sample to its unary, on every pixel (Eq. 6 with all of H revealed).
        beta_prior: weak pull of an edit's correction to 0; a smaller value lets a stroke reach
            further, a larger one keeps it near what was painted.  0 is the paper's own form.
        beta_edit: pull to a painted colour; `math.inf` meets wholly covered cells exactly.
        gamma: pull of a tie.
        pairs: pull of alike pixels to each other in an edit's correction, S_ij (x_i - x_j)^2 for
            each pair beside the paper's (I - S); few strokes then reach further and overshoot less.
            0 is the paper's own form.
        ridge: least weight on the diagonal, so that the paper's nearly singular form stays
            solvable; a pixel with less weight than this is pulled to 0 with the rest.
    """

    beta: float = 5.0
    beta_prior: float = 0.05
    beta_edit: float = 50.0
    gamma: float = 50.0
    ridge: float = 1e-4
    pairs: float = 0.0

    def __post_init__(self) -> None:
        for name in ("beta", "beta_prior", "beta_edit", "gamma", "ridge", "pairs"):
            value = getattr(self, name)
            endless = name == "beta_edit" and value == math.inf
            if not (endless or (math.isfinite(value) and value >= 0)):
                raise GcrfError(f"weight {name} must be a finite number >= 0, got {value!r}")
        if self.beta <= 0:
            raise GcrfError(f"weight beta must be above 0, got {self.beta!r}")
        if self.beta_edit <= 0:
            raise GcrfError(f"weight beta_edit must be above 0, got {self.beta_edit!r}")

    @property
    def prior(self) -> float:
        """Diagonal of the edits' precision Q0: beta_prior, at least the ridge."""
        prior = max(self.beta_prior, self.ridge)
        if prior <= 0:
            raise GcrfError("beta_prior and ridge are both 0: the edits' precision is singular")
        return prior


class Solver(Protocol):
    """A photo's G-CRF, opened once and asked many times.  Fields are (n, P, 2) float32, ab units.

    Q0 = (I - S)^T (I - S) + pairs (D - W) + beta_prior I is the precision that edits are solved
    with; W = (S + S^T) / 2, D its row sums, and `pairs` is 0 in the paper.
    """

    @property
    def name(self) -> str:
        """The backend: "cpu-dense", "cuda-dense", "matrix-free" or "matrix-free-cuda"."""
        ...

    @property
    def num_pixels(self) -> int:
        """P."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held now, on the host or the device."""
        ...

    def smooth(self, unary: Float32) -> Float32:
        """Samples (n, P, 2): the minimum of the energy with weight beta on every pixel."""
        ...

    def factor(self) -> None:
        """Prepares Q0; lazy, safe to call twice and from a background thread."""
        ...

    def correct(self, samples: Float32, constraints: Constraints) -> Float32:
        """Samples (n, P, 2) that follow the edits: x + delta, delta weakly pulled to 0."""
        ...

    def solve(
        self, weights: Float32, targets: Float32, constraints: Constraints | None = None
    ) -> Float32:
        """The minimum (n, P, 2) for any weights (P,) and targets (n, P, 2): Eq. 6."""
        ...

    def deviation(self, constraints: Constraints | None = None) -> Float32:
        """Posterior deviation (P,): square root of the diagonal of Q0^-1, less where edited."""
        ...

    def draws(self, n: int, seed: int, constraints: Constraints | None = None) -> Float32:
        """n draws (n, P, 2) of mean 0 and precision Q0; with edits, given that they hold."""
        ...

    def influence(self, index: int) -> tuple[Float32, Float32]:
        """Row of S (P,) and column of Q0^-1 (P,) of one pixel."""
        ...


@dataclass(frozen=True)
class Rows:
    """Constraints as the solvers use them: rows (k, P), precision (k,), targets (k, 2 or 2n).

    A precision is `inf` where a row has to be met exactly; such a row has one entry of 1.
    """

    matrix: scipy.sparse.csr_matrix
    precision: Float64
    targets: Float32

    def __len__(self) -> int:
        return int(self.precision.shape[0])

    def residuals(self, columns: Float32) -> Float32:
        """Targets less what the fields have: (k, 2n) for fields as columns (P, 2n)."""
        width = columns.shape[1]
        own = self.targets.shape[1] == width
        wanted = self.targets if own else np.tile(self.targets, (1, width // 2))
        return np.asarray(wanted - self.matrix @ columns, dtype=np.float32)


def weigh(constraints: Constraints, weights: Weights, num_pixels: int) -> Rows:
    """Constraints with their precision: beta_edit x weight for strokes, gamma x weight for ties.

    In exact mode a wholly covered cell gets an infinite precision and a partly covered one
    EXACT_PARTIAL * w / (1 - w), which grows into it without a jump.

    Raises:
        GcrfError: the constraints are for another number of pixels.
    """
    if constraints.rows.shape[1] != num_pixels:
        raise GcrfError(
            f"constraints are for {constraints.rows.shape[1]} pixels, the photo has {num_pixels}"
        )
    share = np.asarray(constraints.weights, dtype=np.float64)
    num_strokes = len(share) - constraints.num_ties
    precision = share * weights.gamma
    strokes = share[:num_strokes]
    if math.isinf(weights.beta_edit):
        open_share = 1.0 - strokes
        whole = open_share < 1e-6
        partial = EXACT_PARTIAL * strokes / np.where(whole, 1.0, open_share)
        precision[:num_strokes] = np.where(whole, math.inf, partial)
    else:
        precision[:num_strokes] = strokes * weights.beta_edit
    kept = np.flatnonzero(precision > 0)
    return Rows(
        matrix=scipy.sparse.csr_matrix(constraints.rows)[kept].astype(np.float32),
        precision=precision[kept],
        targets=np.asarray(constraints.targets, dtype=np.float32)[kept],
    )


def check_embedding(embedding: Any) -> Float32:
    """The embedding as contiguous float32 (D, P).

    Raises:
        GcrfError: it has another shape, fewer than two pixels, or entries that are not finite.
    """
    array = np.ascontiguousarray(embedding, dtype=np.float32)
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2:
        raise GcrfError(f"embedding must be (D, P) with P >= 2, got {np.shape(embedding)}")
    if not np.isfinite(array).all():
        raise GcrfError("embedding has entries that are not finite")
    return array


def as_columns(fields: Any, num_pixels: int) -> Float32:
    """Fields (n, P, 2) as columns (P, 2n), float32.

    Raises:
        GcrfError: another shape, or entries that are not finite.
    """
    array = np.asarray(fields, dtype=np.float32)
    if array.ndim != 3 or array.shape[0] < 1 or array.shape[1:] != (num_pixels, 2):
        raise GcrfError(f"fields must be (n, {num_pixels}, 2), got {array.shape}")
    if not np.isfinite(array).all():
        raise GcrfError("fields have entries that are not finite")
    return np.ascontiguousarray(array.transpose(1, 0, 2).reshape(num_pixels, -1))  # (P, 2n)


def as_fields(columns: npt.NDArray[np.floating[Any]]) -> Float32:
    """Columns (P, 2n) as fields (n, P, 2), float32."""
    num_pixels, width = columns.shape
    fields = columns.reshape(num_pixels, width // 2, 2).transpose(1, 0, 2)
    return np.ascontiguousarray(fields, dtype=np.float32)


def check_weights(weights: Any, num_pixels: int) -> Float64:
    """Per-pixel weights as float64 (P,).

    Raises:
        GcrfError: another shape, or entries below 0 or not finite.
    """
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (num_pixels,):
        raise GcrfError(f"weights must be ({num_pixels},), got {array.shape}")
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise GcrfError("weights must be finite and >= 0")
    return array


def check_index(index: int, num_pixels: int) -> int:
    """A pixel's index within 0..P-1.

    Raises:
        GcrfError: it lies outside.
    """
    if not 0 <= index < num_pixels:
        raise GcrfError(f"pixel index must be in 0..{num_pixels - 1}, got {index}")
    return int(index)


def white_noise(n: int, seed: int, num_pixels: int) -> Float32:
    """Standard normal noise (2P, 2n); draw k depends on the seed and k alone.

    Raises:
        GcrfError: n is below 1 or the seed below 0.
    """
    if n < 1 or seed < 0:
        raise GcrfError(f"draws need n >= 1 and seed >= 0, got n={n}, seed={seed}")
    noise = np.empty((2 * num_pixels, 2 * n), dtype=np.float32)
    for k in range(n):
        generator = np.random.default_rng([seed, k])
        noise[:, 2 * k : 2 * k + 2] = generator.standard_normal(
            (2 * num_pixels, 2), dtype=np.float32
        )
    return noise


def check_drawable(weights: Weights) -> None:
    """Refuses draws from a precision whose square root is not at hand.

    Raises:
        GcrfError: `pairs` is above 0: one noise for every pair of pixels would be needed.
    """
    if weights.pairs > 0:
        raise GcrfError(f"draws need pairs = 0, the paper's form, got {weights.pairs:g}")


def row_noise(n: int, seed: int, rows: Rows) -> Float32:
    """Noise (k, 2n) with each row's own variance, 0 where a row is exact."""
    scale = np.zeros(len(rows), dtype=np.float64)
    finite = np.isfinite(rows.precision)
    scale[finite] = 1.0 / np.sqrt(rows.precision[finite])
    noise = np.empty((len(rows), 2 * n), dtype=np.float32)
    for k in range(n):
        generator = np.random.default_rng([seed, k, 1])
        noise[:, 2 * k : 2 * k + 2] = scale[:, None] * generator.standard_normal((len(rows), 2))
    return noise
