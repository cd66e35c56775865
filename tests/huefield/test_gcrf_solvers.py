"""Every backend of the G-CRF against float64 references on a real photo: one body for all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg

from huefield.gcrf import GcrfError, Kernel, Weights
from huefield.strokes import Constraints, Edits, Region, Stroke, Tie, rasterize
from tests.huefield.gcrf_cases import (
    DENSE,
    KERNELS,
    MATRIX_FREE,
    Open,
    close,
    corrected_reference,
    embedding,
    photo_lab,
    similarity_reference,
    squared_reference,
)

GRID = (16, 24)
P = GRID[0] * GRID[1]
Backend = tuple[Open, float]
EDITS = Edits(
    size=(570, 380),
    strokes=(
        Stroke(((100.0, 60.0), (180.0, 90.0)), 20.0, (55.0, 40.0)),
        Stroke(((400.0, 300.0),), 30.0, (-30.0, 20.0), strength=0.6),
    ),
    ties=(Tie(Region(((300.0, 100.0),), 25.0), Region(((500.0, 60.0),), 25.0)),),
)

backends = pytest.mark.parametrize("backend", [*DENSE, *MATRIX_FREE])
dense_only = pytest.mark.parametrize("backend", DENSE)


@pytest.fixture(scope="module")
def photo(color_photos: Mapping[str, Path]) -> np.ndarray:
    return photo_lab(next(iter(color_photos.values())), GRID)


@pytest.fixture(scope="module")
def A(photo: np.ndarray) -> np.ndarray:
    return embedding(photo[..., 0])


@pytest.fixture(scope="module")
def samples(photo: np.ndarray) -> np.ndarray:
    """Three colourings (3, P, 2): the true colours, others, and grey with a grain."""
    ab = photo[..., 1:].reshape(P, 2)
    grain = np.random.default_rng(1).standard_normal((P, 2)) * 6
    return np.stack([ab, -ab[:, ::-1] + 10, grain]).astype(np.float32)


@pytest.fixture(scope="module")
def constraints() -> Constraints:
    return rasterize(EDITS, GRID)


def strengths(constraints: Constraints, weights: Weights) -> np.ndarray:
    """Precision of each row, for finite beta_edit."""
    factor = np.full(len(constraints), weights.beta_edit)
    factor[len(constraints) - constraints.num_ties :] = weights.gamma
    return factor * constraints.weights.astype(np.float64)


def painted_rows(constraints: Constraints) -> np.ndarray:
    """Rows of cells that a stroke of full strength covers wholly."""
    num_strokes = len(constraints) - constraints.num_ties
    return np.flatnonzero(constraints.weights[:num_strokes] > 1 - 1e-6)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@backends
def test_smooth_is_the_minimum_with_beta_everywhere(
    backend: Backend, kernel: Kernel, A: np.ndarray, samples: np.ndarray
) -> None:
    make, share = backend
    Q = squared_reference(A, kernel) + 5.0 * np.eye(P)
    expected = np.stack([scipy.linalg.solve(Q, 5.0 * x.astype(np.float64)) for x in samples])
    found = make(A, kernel, Weights(beta=5.0)).smooth(samples)
    assert found.shape == samples.shape
    assert found.dtype == np.float32
    assert close(found, expected, share)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@backends
def test_correct_agrees_with_a_sparse_direct_solve(
    backend: Backend,
    kernel: Kernel,
    A: np.ndarray,
    samples: np.ndarray,
    constraints: Constraints,
) -> None:
    make, share = backend
    weights = Weights()
    Q0 = squared_reference(A, kernel) + weights.beta_prior * np.eye(P)
    expected = corrected_reference(Q0, samples, constraints, strengths(constraints, weights))
    assert close(make(A, kernel, weights).correct(samples, constraints), expected, share)


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@backends
def test_alike_pixels_pull_each_other_pair_by_pair(
    backend: Backend,
    kernel: Kernel,
    A: np.ndarray,
    samples: np.ndarray,
    constraints: Constraints,
) -> None:
    make, share = backend
    weights = Weights(beta_prior=0.01, pairs=0.7)
    S = similarity_reference(A, kernel)
    W = (S + S.T) / 2
    Q0 = squared_reference(A, kernel) + 0.7 * (np.diag(W.sum(axis=1)) - W) + 0.01 * np.eye(P)
    expected = corrected_reference(Q0, samples, constraints, strengths(constraints, weights))
    solver = make(A, kernel, weights)
    assert close(solver.correct(samples, constraints), expected, share)
    assert close(solver.influence(40)[1], np.linalg.inv(Q0)[:, 40], share)
    many = Constraints.of_cells(np.arange(P), samples[0], P)  # a fresh factor is quicker
    expected = corrected_reference(Q0, samples, many, np.full(P, weights.beta_edit))
    assert close(solver.correct(samples, many), expected, share)
    with pytest.raises(GcrfError, match="draws need pairs = 0"):
        solver.draws(1, 0)


@backends
def test_the_papers_setting_with_its_ridge(
    backend: Backend, A: np.ndarray, photo: np.ndarray
) -> None:
    make, share = backend
    ab = photo[..., 1:].reshape(1, P, 2)
    revealed = np.random.default_rng(3).choice(P, 20, replace=False)
    w = np.zeros(P)
    w[revealed] = 5.0
    Q = squared_reference(A, Kernel()) + np.diag(np.maximum(w, 1e-4))
    expected = scipy.linalg.solve(Q, w[:, None] * ab[0].astype(np.float64))[None]
    # The paper's form is nearly singular: its float32 conjugate gradients end at a per cent.
    loose = share if share < 1e-3 else 2e-2
    assert close(make(A, Kernel(), Weights()).solve(w, ab, None), expected, loose)


@backends
def test_solve_with_weights_and_edits(
    backend: Backend, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    make, share = backend
    w = np.random.default_rng(2).uniform(0.1, 2.0, P)
    C = constraints.rows.toarray().astype(np.float64)
    pull = strengths(constraints, Weights())[:, None]
    Q = squared_reference(A, Kernel()) + np.diag(w) + C.T @ (pull * C)
    right = [w[:, None] * x + C.T @ (pull * constraints.targets) for x in samples]
    expected = np.stack([scipy.linalg.solve(Q, b) for b in right])
    assert close(make(A, Kernel(), Weights()).solve(w, samples, constraints), expected, share)


@backends
def test_an_exact_edit_is_met_and_a_partly_covered_cell_pulls(
    backend: Backend, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    make, share = backend
    solver = make(A, Kernel(), Weights(beta_edit=math.inf))
    whole = painted_rows(constraints)
    assert 0 < len(whole) < len(constraints) - constraints.num_ties
    for found in (
        solver.correct(samples, constraints),
        solver.solve(np.full(P, 0.5), samples, constraints),
    ):
        missed = np.stack([constraints.rows @ x for x in found]) - constraints.targets
        assert np.abs(missed[:, whole]).max() < 1e-3
        assert np.abs(missed).max() > 0.1
    # Without ties the same must come out of a very strong finite pull.
    strokes = rasterize(replace(EDITS, ties=()), GRID)
    precision = 50 * strokes.weights.astype(np.float64)
    precision /= np.maximum(1 - strokes.weights.astype(np.float64), 1e-7)
    Q0 = squared_reference(A, Kernel()) + 0.05 * np.eye(P)
    expected = corrected_reference(Q0, samples, strokes, precision)
    assert close(solver.correct(samples, strokes), expected, 2 * share)


@backends
def test_the_energy_is_least_at_the_solution(
    backend: Backend, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    """Central differences of the energy itself, in random directions, vanish at the solution."""
    make, _ = backend
    S = similarity_reference(A, Kernel())
    w = np.full(P, 0.7)
    pull = strengths(constraints, Weights())
    alpha = samples[0].astype(np.float64)

    def energy(x: np.ndarray) -> float:
        missed = constraints.rows @ x - constraints.targets
        return float(
            0.5 * ((x - S @ x) ** 2).sum()
            + 0.5 * (w[:, None] * (x - alpha) ** 2).sum()
            + 0.5 * (pull[:, None] * missed**2).sum()
        )

    x = make(A, Kernel(), Weights()).solve(w, samples[:1], constraints)[0].astype(np.float64)
    rng = np.random.default_rng(0)
    elsewhere = abs(_slope(energy, alpha, rng.standard_normal((P, 2))))
    for _ in range(3):
        direction = rng.standard_normal((P, 2))
        assert energy(x + 0.1 * direction) > energy(x)
        assert abs(_slope(energy, x, direction)) < 1e-3 * elsewhere


def _slope(energy: object, x: np.ndarray, direction: np.ndarray) -> float:
    assert callable(energy)
    return float(energy(x + 1e-3 * direction) - energy(x - 1e-3 * direction)) / 2e-3


@backends
def test_without_edits_samples_stay_as_they_are(
    backend: Backend, A: np.ndarray, samples: np.ndarray
) -> None:
    make, _ = backend
    solver = make(A, Kernel(), Weights())
    assert np.array_equal(solver.correct(samples, Constraints.empty(P)), samples)


@backends
def test_a_strength_of_nothing_changes_nothing(
    backend: Backend, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    solver = make(A, Kernel(), Weights())
    weightless = replace(constraints, weights=np.zeros_like(constraints.weights))
    assert np.array_equal(solver.correct(samples, weightless), samples)


@backends
def test_draws_and_influence_are_those_of_the_inverse(
    backend: Backend, A: np.ndarray, constraints: Constraints
) -> None:
    make, share = backend
    solver = make(A, Kernel(), Weights())
    S = similarity_reference(A, Kernel())
    inverse = np.linalg.inv(squared_reference(A, Kernel()) + 0.05 * np.eye(P))
    row, column = solver.influence(37)
    assert close(row, S[37], 1e-4)
    assert close(column, inverse[37], share)
    draws = solver.draws(3, seed=5)
    assert np.abs(draws[:2] - solver.draws(2, seed=5)).max() < share * np.ptp(draws)
    assert np.abs(draws - solver.draws(3, seed=6)).max() > 1.0
    # B^T e with B = [M; sqrt(prior) I], by the formula.
    noise = np.random.default_rng([5, 0]).standard_normal((2 * P, 2), dtype=np.float32)
    B = np.concatenate([np.eye(P) - S, np.sqrt(0.05) * np.eye(P)])
    assert close(draws[0], inverse @ (B.T @ noise), share)


@backends
def test_draws_given_exact_edits_do_not_move_there(
    backend: Backend, A: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    solver = make(A, Kernel(), Weights(beta_edit=math.inf))
    draws = solver.draws(2, 0, constraints)
    whole = painted_rows(constraints)
    assert np.abs(constraints.rows[whole] @ draws[0]).max() < 1e-3
    assert np.abs(draws).max() > 1.0


@dense_only
def test_deviation_is_the_root_of_the_inverse_diagonal(
    backend: Backend, A: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    weights = Weights()
    Q0 = squared_reference(A, Kernel()) + weights.beta_prior * np.eye(P)
    C = constraints.rows.toarray().astype(np.float64)
    Q = Q0 + C.T @ (strengths(constraints, weights)[:, None] * C)
    solver = make(A, Kernel(), weights)
    free, edited = solver.deviation(), solver.deviation(constraints)
    assert free.shape == (P,)
    assert close(free, np.sqrt(np.linalg.inv(Q0).diagonal()), 1e-4)
    assert close(edited, np.sqrt(np.linalg.inv(Q).diagonal()), 1e-4)
    assert (edited <= free + 1e-5).all()
    painted = constraints.rows[painted_rows(constraints)].indices
    assert edited[painted].mean() < 0.3 * free[painted].mean()


@pytest.mark.parametrize("backend", MATRIX_FREE)
def test_deviation_without_matrices_is_estimated(
    backend: Backend, A: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    expected = np.sqrt(np.diag(np.linalg.inv(squared_reference(A, Kernel()) + 0.05 * np.eye(P))))
    solver = make(A, Kernel(), Weights())
    found = solver.deviation()
    # 64 draws: a standard error of 9 %, so a root mean square of that and no outlier of five.
    error = found / expected - 1
    assert np.sqrt((error**2).mean()) < 0.13
    assert np.abs(error).max() < 0.45
    painted = constraints.rows[painted_rows(constraints)].indices
    assert solver.deviation(constraints)[painted].mean() < 0.3 * found[painted].mean()


@dense_only
def test_draws_have_the_posterior_deviation(backend: Backend, A: np.ndarray) -> None:
    make, _ = backend
    solver = make(A, Kernel(), Weights())
    draws = solver.draws(300, 0)
    error = draws.std(axis=(0, 2)) / solver.deviation() - 1
    assert np.sqrt((error**2).mean()) < 0.05
    assert abs(error.mean()) < 0.02


@pytest.mark.parametrize("name", ["beta", "beta_prior", "beta_edit", "gamma", "ridge", "pairs"])
@backends
def test_every_weight_changes_something(
    backend: Backend, name: str, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    w = np.where(np.arange(P) < 40, 1.0, 0.0)

    def results(weights: Weights) -> np.ndarray:
        solver = make(A, Kernel(), weights)
        return np.concatenate(
            [
                solver.smooth(samples),
                solver.correct(samples, constraints),
                # A ridge worth testing, for the conjugate gradients to get there.
                solver.solve(w, samples, None) if name == "ridge" else samples,
            ]
        )

    base = Weights(ridge=1e-2, pairs=0.1)
    other = replace(base, **{name: 3 * getattr(base, name)})
    assert np.abs(results(base) - results(other)).max() > 0.05


@backends
def test_bad_arguments_are_refused(
    backend: Backend, A: np.ndarray, samples: np.ndarray, constraints: Constraints
) -> None:
    make, _ = backend
    solver = make(A, Kernel(), Weights())
    with pytest.raises(GcrfError, match=r"fields must be \(n, 384, 2\), got \(384, 2\)"):
        solver.smooth(samples[0])
    with pytest.raises(GcrfError, match="fields must be"):
        solver.correct(samples[:, :9], constraints)
    with pytest.raises(GcrfError, match="not finite"):
        solver.smooth(np.full_like(samples, np.nan))
    with pytest.raises(GcrfError, match="constraints are for 9 pixels, the photo has 384"):
        solver.correct(samples, Constraints.empty(9))
    with pytest.raises(GcrfError, match=r"weights must be \(384,\)"):
        solver.solve(np.ones(5), samples)
    with pytest.raises(GcrfError, match="finite and >= 0"):
        solver.solve(np.full(P, -1.0), samples)
    with pytest.raises(GcrfError, match=r"index must be in 0..383, got 384"):
        solver.influence(P)
    with pytest.raises(GcrfError, match="n >= 1"):
        solver.draws(0, 0)


@backends
def test_what_it_holds_is_counted(backend: Backend, A: np.ndarray) -> None:
    make, share = backend
    solver = make(A, Kernel(), Weights())
    assert A.nbytes <= solver.nbytes < 40 * A.nbytes
    solver.factor()
    if share < 1e-3:
        assert solver.nbytes == A.nbytes + 4 * P * P
