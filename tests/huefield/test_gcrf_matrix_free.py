"""The matrix-free G-CRF: its products against S itself, its memory, fields past 64 x 64."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from huefield.gcrf import GcrfError, Kernel, Weights, open_solver
from huefield.gcrf.dense import DenseSolver
from huefield.gcrf.matrix_free import MatrixFreeSolver
from huefield.gcrf.products import AttentionProducts, BlockProducts, Products
from huefield.strokes import Edits, Stroke, rasterize
from tests.huefield.gcrf_cases import KERNELS, embedding, photo_lab, similarity_reference

GRID = (16, 24)
P = GRID[0] * GRID[1]


def make_products(kind: str, A: np.ndarray, kernel: Kernel) -> Products:
    return BlockProducts(A, kernel) if kind == "blocks" else AttentionProducts(A, kernel, "cpu")


@pytest.fixture(scope="module")
def lightness(example_photos: Mapping[str, Path]) -> np.ndarray:
    return photo_lab(example_photos["boothbay"], GRID)[..., 0]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("kind", ["blocks", "attention"])
# 1 column, 12, and more than the attention's padded size takes at once.
@pytest.mark.parametrize("width", [1, 12, 20])
def test_products_are_those_of_the_matrix(
    kind: str, kernel: Kernel, width: int, lightness: np.ndarray
) -> None:
    A = embedding(lightness)
    S = similarity_reference(A, kernel)
    y = np.random.default_rng(0).standard_normal((P, width)).astype(np.float32)
    products = make_products(kind, A, kernel)
    lifted = products.lift(y)
    assert np.abs(products.lower(products.apply(lifted)) - S @ y).max() < 1e-4
    # Columns of S sum to more than 1 where many pixels look at one.
    scale = S.sum(axis=0).max()
    found = products.lower(products.apply_transposed(lifted))
    assert np.abs(found - S.T @ y).max() < 1e-4 * scale


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("kind", ["blocks", "attention"])
def test_products_hold_for_far_isolated_points(
    kind: str, kernel: Kernel, lightness: np.ndarray
) -> None:
    """Their own entry is nearly all of a row: left out, the rest must still be found."""
    A = embedding(lightness)
    A[:, 7] += 12.0
    S = similarity_reference(A, kernel)
    y = np.random.default_rng(0).standard_normal((P, 2)).astype(np.float32)
    products = make_products(kind, A, kernel)
    lifted = products.lift(y)
    forward, backward = products.apply(lifted), products.apply_transposed(lifted)
    assert np.abs(products.lower(forward) - S @ y).max() < 1e-3
    scale = max(1.0, S.sum(axis=0).max())
    assert np.abs(products.lower(backward) - S.T @ y).max() < 1e-3 * scale


@pytest.mark.parametrize("kind", ["blocks", "attention"])
def test_sparse_matrices_multiply_what_was_lifted(kind: str, lightness: np.ndarray) -> None:
    products = make_products(kind, embedding(lightness), Kernel())
    matrix = scipy.sparse.random(P, P, 0.01, format="csr", random_state=0)
    y = np.random.default_rng(0).standard_normal((P, 3)).astype(np.float32)
    found = products.lower(products.lift_sparse(matrix) @ products.lift(y))
    assert np.abs(found - matrix @ y).max() < 1e-4


def test_memory_grows_with_the_pixels_and_not_with_their_square(
    example_photos: Mapping[str, Path],
) -> None:
    """An 80 x 64 field, smoothed and edited: S alone would be 105 MB, its blocks are 1 MB."""
    grid = (64, 80)
    A = embedding(photo_lab(example_photos["boothbay"], grid)[..., 0])
    unary = np.random.default_rng(0).standard_normal((1, A.shape[1], 2)).astype(np.float32)
    edits = Edits((800, 640), (Stroke(((400.0, 300.0), (500.0, 330.0)), 25.0, (40.0, 20.0)),))
    tracemalloc.start()
    try:
        solver = MatrixFreeSolver(A, Kernel(), Weights(beta_prior=0.5))
        fields = solver.correct(solver.smooth(unary), rasterize(edits, grid))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fields.shape == unary.shape
    assert peak < 8e6
    assert solver.nbytes < 128 * A.shape[1]


def test_a_field_past_64_x_64_agrees_with_the_dense_form(
    example_photos: Mapping[str, Path],
) -> None:
    grid = (40, 64)
    lab = photo_lab(example_photos["footbridge"], grid)
    A = embedding(lab[..., 0], reach=0.06)
    unary = lab[None, ..., 1:].reshape(1, -1, 2)
    edits = Edits((960, 600), (Stroke(((400.0, 300.0), (500.0, 330.0)), 25.0, (40.0, 20.0)),))
    constraints = rasterize(edits, grid)
    free = open_solver(A, backend="matrix-free")
    dense = DenseSolver(A, Kernel(), Weights())
    for found, wanted in (
        (free.smooth(unary), dense.smooth(unary)),
        (free.correct(unary, constraints), dense.correct(unary, constraints)),
    ):
        assert np.abs(found - wanted).max() < 1e-3 * np.ptp(wanted)


def test_weights_too_small_for_its_iterations_are_refused_in_words(
    lightness: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huefield.gcrf.matrix_free._MAX_STEPS", 20)
    solver = MatrixFreeSolver(embedding(lightness), Kernel(), Weights())
    w = np.where(np.arange(P) < 3, 5.0, 0.0)
    with pytest.raises(GcrfError, match="did not converge in 20 steps"):
        solver.solve(w, np.random.default_rng(0).standard_normal((1, P, 2)))
