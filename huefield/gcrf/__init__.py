"""The G-CRF: every colouring, stroke, tie and uncertainty map is a solve with one precision.

`open_solver` opens a photo's solver from its embedding; what it can do is `Solver`.  The dense
CPU form is in `dense`, the dense torch form in `cuda`, the form that never stores the similarity
matrix in `matrix_free`.  Called by `huefield.colorizer` and `train.evaluate`.
"""

from __future__ import annotations

from huefield.gcrf.interface import GcrfError, Kernel, Solver, Weights
from huefield.gcrf.opening import cuda_unavailable, open_solver
from huefield.gcrf.similarity import similarity

__all__ = [
    "GcrfError",
    "Kernel",
    "Solver",
    "Weights",
    "cuda_unavailable",
    "open_solver",
    "similarity",
]
