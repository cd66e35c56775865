"""What the G-CRF's tests share: photos as fields and embeddings, float64 references by SciPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
import scipy.special
from PIL import Image
from skimage import color

from huefield.gcrf import Kernel, Solver, Weights, cuda_unavailable
from huefield.gcrf.cuda import TorchSolver
from huefield.gcrf.dense import DenseSolver
from huefield.gcrf.matrix_free import MatrixFreeSolver
from huefield.strokes import Constraints

KERNELS = [Kernel(kind, diagonal) for kind in ("distance", "inner") for diagonal in (True, False)]

Open = Callable[[np.ndarray, Kernel, Weights], Solver]


def _needs_gpu() -> list[pytest.MarkDecorator]:
    missing = cuda_unavailable()
    return [pytest.mark.gpu, pytest.mark.skipif(bool(missing), reason=f"CUDA backend: {missing}")]


# Each backend with what its float32 allows, as a share of the range of the result.
DENSE = [
    pytest.param((DenseSolver, 1e-4), id="cpu"),
    pytest.param((lambda a, k, w: TorchSolver(a, k, w, "cpu"), 1e-4), id="torch-on-cpu"),
    pytest.param((TorchSolver, 1e-4), id="cuda", marks=_needs_gpu()),
]
MATRIX_FREE = [
    pytest.param((MatrixFreeSolver, 1e-3), id="matrix-free"),
    pytest.param(
        (lambda a, k, w: MatrixFreeSolver(a, k, w, "cpu"), 1e-3), id="matrix-free-torch-on-cpu"
    ),
    pytest.param(
        (lambda a, k, w: MatrixFreeSolver(a, k, w, "cuda"), 1e-3),
        id="matrix-free-cuda",
        marks=_needs_gpu(),
    ),
]


def photo_lab(path: Path, grid: tuple[int, int]) -> np.ndarray:
    """A photo's Lab on a grid, (h, w, 3) float32."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize(grid[::-1], Image.Resampling.BOX)
    return color.rgb2lab(np.asarray(small)).astype(np.float32)


def embedding(lightness: np.ndarray, *, tone: float = 8.0, reach: float = 0.12) -> np.ndarray:
    """An embedding (3, P) of lightness (h, w) and position, as a bilateral filter has.

    Args:
        lightness: 0..100.
        tone: difference of L at which similarity falls to 1/e.
        reach: distance, in long sides, at which it does.
    """
    h, w = lightness.shape
    y, x = np.mgrid[:h, :w] / max(h, w)
    return np.stack([lightness / tone, y / reach, x / reach]).reshape(3, -1).astype(np.float32)


def similarity_reference(A: np.ndarray, kernel: Kernel) -> np.ndarray:
    """S (P, P) in float64, by the formula."""
    A = A.astype(np.float64)
    t = A.T @ A
    if kernel.kind == "distance":
        t = -((A[:, :, None] - A[:, None, :]) ** 2).sum(0)
    if not kernel.diagonal:
        np.fill_diagonal(t, -np.inf)
    return scipy.special.softmax(t, axis=1)


def squared_reference(A: np.ndarray, kernel: Kernel) -> np.ndarray:
    """(I - S)^T (I - S) in float64."""
    M = np.eye(A.shape[1]) - similarity_reference(A, kernel)
    return M.T @ M


def corrected_reference(
    Q0: np.ndarray, samples: np.ndarray, constraints: Constraints, precision: np.ndarray
) -> np.ndarray:
    """Samples that follow constraints of finite precision, by SciPy's sparse direct solver."""
    C = constraints.rows.toarray().astype(np.float64)
    Q = scipy.sparse.csc_matrix(Q0 + C.T @ (precision[:, None] * C))
    solver = scipy.sparse.linalg.splu(Q)
    return np.stack(
        [
            x + solver.solve(C.T @ (precision[:, None] * (constraints.targets - C @ x)))
            for x in samples.astype(np.float64)
        ]
    )


def close(got: np.ndarray, wanted: np.ndarray, share: float) -> bool:
    """Whether the largest difference is below a share of the wanted values' range."""
    return bool(np.abs(got - wanted).max() <= share * max(np.ptp(wanted), 1e-6))
