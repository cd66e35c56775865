"""One BLAS thread for work in small pieces, called by `dense`.

NumPy and SciPy bring an OpenBLAS each, and each keeps its idle threads spinning for a while. Many
small products and triangular solves in turn then wait for threads that hold the processors: on two
cores a stroke's solve took 5 to 10 times longer than on one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_TURN = threading.Lock()  # the setting is one for the whole process


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """A block in which BLAS works on one thread, in the whole process; one block at a time."""
    with _TURN, _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    """The pools of the libraries loaded so far: NumPy's and SciPy's are."""
    return ThreadpoolController()
