"""The pieces of the G-CRF: similarity, precision, conjugate gradients, weights, opening."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from huefield.gcrf import GcrfError, Kernel, Weights, cuda_unavailable, open_solver, similarity
from huefield.gcrf.cholesky import factor_in_place, invert_in_place, precision, solve_factored
from huefield.gcrf.conjugate import conjugate_gradients
from huefield.gcrf.similarity import residual_operator
from tests.huefield.gcrf_cases import (
    KERNELS,
    embedding,
    photo_lab,
    similarity_reference,
    squared_reference,
)

GRID = (16, 24)


@pytest.fixture(scope="module")
def A(example_photos: Mapping[str, Path]) -> np.ndarray:
    return embedding(photo_lab(example_photos["mechanic"], GRID)[..., 0])


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_similarity_is_the_softmax_of_its_kernel(A: np.ndarray, kernel: Kernel) -> None:
    S = similarity(A, kernel)
    assert S.dtype == np.float32
    assert np.abs(S - similarity_reference(A, kernel)).max() < 1e-5
    assert np.abs(S.sum(axis=1) - 1).max() < 1e-5
    assert bool(S.diagonal().any()) == kernel.diagonal


def test_kernels_differ(A: np.ndarray) -> None:
    found = [similarity(A, kernel) for kernel in KERNELS]
    for i, S in enumerate(found):
        assert all(np.abs(S - other).max() > 1e-2 for other in found[:i])


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_similarity_of_far_points_stays_finite(A: np.ndarray, kernel: Kernel) -> None:
    far = A.copy() * 40
    far[:, 5] += 900.0
    S = similarity(far, kernel)
    assert np.isfinite(S).all()
    assert np.abs(S.sum(axis=1) - 1).max() < 1e-5


def test_distance_kernel_does_not_see_a_shift(A: np.ndarray) -> None:
    moved = similarity(A + 300.0, Kernel("distance"))
    assert np.abs(moved - similarity(A, Kernel("distance"))).max() < 1e-3


def test_similarity_has_no_denormal_numbers(A: np.ndarray) -> None:
    S = similarity(A * 20, Kernel("distance"))
    assert S.min() > 1e-30


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_precision_is_positive_definite_and_keeps_constants(A: np.ndarray, kernel: Kernel) -> None:
    M = residual_operator(A, kernel)
    assert np.abs(M @ np.ones(len(M), dtype=np.float32)).max() < 1e-5
    Q = precision(M.astype(np.float64), 0.05)
    full = np.tril(Q) + np.tril(Q, -1).T
    assert np.abs(full - squared_reference(A, kernel) - 0.05 * np.eye(len(M))).max() < 1e-4
    assert scipy.linalg.eigvalsh(full).min() > 0.05 - 1e-6


def test_factor_solve_and_inverse_agree_with_scipy(A: np.ndarray) -> None:
    M = residual_operator(A, Kernel())
    Q = squared_reference(A, Kernel()) + 0.05 * np.eye(len(M))
    rhs = np.random.default_rng(0).standard_normal((len(M), 3)).astype(np.float32)
    expected = scipy.linalg.solve(Q, rhs.astype(np.float64), assume_a="pos")
    found = solve_factored(factor_in_place(precision(M, 0.05)), rhs)
    inverse = invert_in_place(precision(M, 0.05))
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()
    assert np.abs(inverse @ rhs - expected).max() < 1e-4 * np.abs(expected).max()
    assert np.array_equal(inverse, inverse.T)


def test_factoring_works_in_place(A: np.ndarray) -> None:
    Q = precision(residual_operator(A, Kernel()), 0.05)
    assert np.shares_memory(invert_in_place(Q), Q)


def test_a_matrix_that_is_not_positive_definite_is_refused() -> None:
    with pytest.raises(GcrfError, match=r"not positive definite in float32 \(minor 1\): raise"):
        factor_in_place(np.asfortranarray(-np.eye(4, dtype=np.float32)))


def test_samples_converge_in_the_known_number_of_steps(A: np.ndarray) -> None:
    M = residual_operator(A, Kernel())
    alpha = np.random.default_rng(0).standard_normal((len(M), 12)).astype(np.float32)

    def steps(beta: float) -> int:
        return conjugate_gradients(
            lambda v: M.T @ (M @ v) + np.float32(beta) * v,
            np.float32(beta) * alpha,
            alpha,
            tolerance=1e-5,
            max_steps=200,
        )[1]

    assert steps(5.0) == 3
    assert steps(0.05) == 25


def test_conjugate_gradients_solve_columns_of_zeros_and_give_up_in_words() -> None:
    Q = np.diag(np.geomspace(1e-6, 1, 64)).astype(np.float32)
    b = np.zeros((64, 2), dtype=np.float32)
    x, steps = conjugate_gradients(lambda v: Q @ v, b, b, tolerance=1e-5, max_steps=5)
    assert steps == 0
    assert not x.any()
    b[:, 1] = 1.0
    with pytest.raises(GcrfError, match=r"did not converge in 5 steps .*beta_prior"):
        conjugate_gradients(lambda v: Q @ v, b, b * 0, tolerance=1e-5, max_steps=5)


def test_a_preconditioner_saves_steps() -> None:
    diagonal = np.geomspace(1, 1e4, 64, dtype=np.float32)[:, None]
    b = np.ones((64, 1), dtype=np.float32)
    plain = conjugate_gradients(lambda v: diagonal * v, b, b * 0, tolerance=1e-4, max_steps=500)[1]
    helped = conjugate_gradients(
        lambda v: diagonal * v, b, b * 0, tolerance=1e-4, max_steps=500, precondition=1 / diagonal
    )[1]
    assert helped <= 2 < plain


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"beta": 0.0}, "beta must be above 0"),
        ({"beta_prior": -1.0}, "beta_prior must be a finite number >= 0"),
        ({"gamma": math.inf}, "gamma must be a finite number >= 0"),
        ({"beta_edit": math.nan}, "beta_edit"),
        ({"beta_edit": 0.0}, "beta_edit must be above 0"),
        ({"ridge": -1e-4}, "ridge"),
        ({"pairs": -0.1}, "pairs must be a finite number >= 0"),
    ],
)
def test_weights_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(GcrfError, match=message):
        Weights(**values)


def test_the_prior_is_never_below_the_ridge() -> None:
    assert Weights(beta_prior=0.0).prior == Weights().ridge
    assert Weights(beta_prior=0.2).prior == 0.2
    with pytest.raises(GcrfError, match="both 0"):
        _ = Weights(beta_prior=0.0, ridge=0.0).prior


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(GcrfError, match="'distance' or 'inner', got 'cosine'"):
        Kernel("cosine")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(8), r"must be \(D, P\)"),
        (np.zeros((3, 1)), "P >= 2"),
        (np.full((3, 8), np.nan), "not finite"),
    ],
)
def test_a_bad_embedding_is_refused(bad: np.ndarray, message: str) -> None:
    with pytest.raises(GcrfError, match=message):
        open_solver(bad, backend="cpu")


def test_opening_takes_the_backend_that_suits(A: np.ndarray) -> None:
    missing = cuda_unavailable()
    assert open_solver(A, backend="cpu").name == "cpu-dense"
    assert open_solver(A).name == ("cpu-dense" if missing else "cuda-dense")
    assert open_solver(A, backend="matrix-free").name.startswith("matrix-free")
    large = np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32)
    if missing:
        assert open_solver(A[:, :50], backend="auto").num_pixels == 50
        assert open_solver(large[:, :8200]).name == "matrix-free"
        with pytest.raises(GcrfError, match="CUDA backend was asked for, but"):
            open_solver(A, backend="cuda")
    else:
        assert open_solver(large).name == "matrix-free-cuda"
    with pytest.raises(GcrfError, match="backend must be"):
        open_solver(A, backend="gpu")  # type: ignore[arg-type]


def test_the_cpu_backend_does_not_import_torch() -> None:
    code = (
        "import sys, numpy as np; from huefield.gcrf import open_solver;"
        "open_solver(np.ones((2, 9), np.float32), backend='cpu').smooth(np.ones((1, 9, 2)));"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
