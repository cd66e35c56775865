"""Which solver a photo gets: the one that was asked for, or the best that the machine has.

Called by `huefield.colorizer`; `cuda_unavailable` also by health checks and tests.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from functools import cache
from typing import Literal

from huefield.gcrf.dense import DenseSolver
from huefield.gcrf.interface import Float32, GcrfError, Kernel, Solver, Weights

Backend = Literal["auto", "cpu", "cuda", "matrix-free"]

# Above these, "auto" takes the matrix-free form: Q0^-1 would be 256 MB (host), 1 GB (device).
_DENSE_PIXELS_CPU = 8192
_DENSE_PIXELS_CUDA = 16384


@cache
def cuda_unavailable() -> str:
    """Why the CUDA backend can't be used here, one clause; "" where it can.

    The driver is looked for first, so that a machine without one never pays for importing torch.
    """
    driver = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(driver)
    except OSError:
        return f"no NVIDIA driver ({driver} is not there)"
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed (pip install 'huefield[gpu]')"
    import torch

    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no CUDA device"
    return ""


def open_solver(
    embedding: Float32,
    kernel: Kernel | None = None,
    weights: Weights | None = None,
    backend: Backend = "auto",
) -> Solver:
    """The solver of one photo.

    Args:
        embedding: (D, P) float32, the HOC network's output with the grid flattened row by row.
        kernel: which similarity; the distance kernel if not given.
        weights: how strongly each term pulls.
        backend: "cpu" and "cuda" are dense; "matrix-free" needs O(P) memory (on the GPU where
            there is one); "auto" is CUDA where there is a GPU, matrix-free for large grids.  What
            was taken is the solver's `name`.

    Raises:
        GcrfError: an unknown backend, "cuda" without a GPU, or a bad embedding.
    """
    kernel = Kernel() if kernel is None else kernel
    weights = Weights() if weights is None else weights
    if backend not in ("auto", "cpu", "cuda", "matrix-free"):
        raise GcrfError(f"backend must be auto, cpu, cuda or matrix-free, got {backend!r}")
    if backend == "cpu":
        return DenseSolver(embedding, kernel, weights)
    missing = cuda_unavailable()
    if backend == "cuda" and missing:
        raise GcrfError(f"the CUDA backend was asked for, but {missing}")
    if backend == "auto":
        limit = _DENSE_PIXELS_CPU if missing else _DENSE_PIXELS_CUDA
        dense = embedding.shape[-1] <= limit
        backend = "matrix-free" if not dense else "cpu" if missing else "cuda"
    if backend == "matrix-free":
        from huefield.gcrf.matrix_free import MatrixFreeSolver

        return MatrixFreeSolver(embedding, kernel, weights, device=None if missing else "cuda")
    if backend == "cuda":
        from huefield.gcrf.cuda import TorchSolver

        return TorchSolver(embedding, kernel, weights)
    return DenseSolver(embedding, kernel, weights)
