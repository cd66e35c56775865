"""BLAS on one thread while a block lasts, and as before after the last one."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.linalg import solve_triangular
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from huefield.gcrf.threads import one_blas_thread


def counts() -> set[int]:
    solve_triangular(np.eye(4), np.ones(4))  # both libraries are loaded
    return {
        pool["num_threads"] for pool in ThreadpoolController().info() if pool["user_api"] == "blas"
    }


def test_blocks_of_several_threads_take_turns_and_end() -> None:
    before = counts()
    inside = threading.Event()
    seen = []

    def other() -> None:
        with one_blas_thread():
            seen.append(counts())
            inside.set()

    with one_blas_thread():
        thread = threading.Thread(target=other)
        thread.start()
        assert not inside.wait(0.2)
        assert counts() == {1}
    thread.join(5)
    assert seen == [{1}]
    assert counts() == before


def test_a_block_that_fails_ends_too() -> None:
    before = counts()
    with pytest.raises(ValueError, match="inside"), one_blas_thread():
        raise ValueError("inside")
    assert counts() == before
