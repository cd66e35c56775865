"""Edits by the G-CRF: repeatable to the bit, the same by every path, reaching as far as wanted."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from scipy import ndimage

from huefield.gcrf import Kernel, Weights
from huefield.gcrf.dense import DenseSolver
from huefield.strokes import Constraints, Edits, Region, Stroke, Tie, rasterize
from tests.huefield.gcrf_cases import (
    DENSE,
    Open,
    close,
    corrected_reference,
    embedding,
    photo_lab,
    squared_reference,
)

GRID = (24, 32)
P = GRID[0] * GRID[1]
SIZE = (640, 480)
Backend = tuple[Open, float]


@pytest.fixture(scope="module")
def photos(color_photos: Mapping[str, Path]) -> dict[str, np.ndarray]:
    return {name: photo_lab(path, GRID) for name, path in color_photos.items()}


@pytest.fixture(scope="module")
def photo(photos: dict[str, np.ndarray]) -> np.ndarray:
    return next(iter(photos.values()))


@pytest.fixture(scope="module")
def A(photo: np.ndarray) -> np.ndarray:
    return embedding(photo[..., 0])


@pytest.fixture(scope="module")
def samples(photo: np.ndarray) -> np.ndarray:
    """Six colourings (6, P, 2) around the true colours."""
    ab = photo[..., 1:].reshape(P, 2)
    tints = np.random.default_rng(0).standard_normal((6, 1, 2)) * 15
    return (0.5 * ab + tints).astype(np.float32)


def scribble(seed: int) -> Stroke:
    rng = np.random.default_rng(seed)
    start = rng.uniform(100, 380, 2)
    points = start + np.cumsum(rng.uniform(-25, 25, (12, 2)), axis=0)
    ab = rng.uniform(-60, 60, 2)
    return Stroke(tuple(map(tuple, points.tolist())), float(rng.uniform(8, 30)), tuple(ab.tolist()))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("backend", DENSE)
def test_the_same_edits_give_the_same_bits_whatever_came_before(
    backend: Backend, exact: bool, A: np.ndarray, samples: np.ndarray
) -> None:
    make, _ = backend
    weights = Weights(beta_edit=math.inf if exact else 50.0)
    strokes = tuple(scribble(seed) for seed in range(5))
    tie = Tie(Region(strokes[0].points, 20.0), Region(strokes[3].points, 15.0))
    last = rasterize(Edits(SIZE, strokes, (tie,)), GRID)
    drawn, undone, fresh = (make(A, Kernel(), weights) for _ in range(3))
    for count in range(1, 6):
        drawn.correct(samples, rasterize(Edits(SIZE, strokes[:count]), GRID))
    for order in ((4, 2), (3,), (1, 0, 2, 4)):
        undone.correct(samples[:2], rasterize(Edits(SIZE, tuple(strokes[i] for i in order)), GRID))
        undone.draws(1, 0)
        undone.deviation()
    wanted = fresh.correct(samples, last)
    assert np.array_equal(drawn.correct(samples, last), wanted)
    assert np.array_equal(undone.correct(samples, last), wanted)
    assert np.array_equal(fresh.correct(samples, last), wanted)


def test_threads_prepare_once_and_agree(A: np.ndarray, samples: np.ndarray) -> None:
    constraints = rasterize(Edits(SIZE, (scribble(1),)), GRID)
    wanted = DenseSolver(A, Kernel(), Weights()).correct(samples, constraints)
    solver = DenseSolver(A, Kernel(), Weights())
    found: list[np.ndarray] = []
    background = threading.Thread(target=solver.factor)
    others = [
        threading.Thread(target=lambda: found.append(solver.correct(samples, constraints)))
        for _ in range(3)
    ]
    smooth = solver.smooth(samples)
    for thread in (background, *others):
        thread.start()
    assert np.array_equal(solver.smooth(samples), smooth)
    for thread in (background, *others):
        thread.join()
    assert len(found) == 3
    assert all(np.array_equal(field, wanted) for field in found)


@pytest.mark.parametrize("share", [0.02, 0.4, 1.0])
@pytest.mark.parametrize("backend", DENSE)
def test_few_and_many_painted_cells_agree_with_a_fresh_solve(
    backend: Backend, share: float, A: np.ndarray, samples: np.ndarray
) -> None:
    make, tolerance = backend
    rng = np.random.default_rng(4)
    cells = rng.choice(P, int(share * P), replace=False)
    targets = rng.uniform(-50, 50, (len(cells), 2)).astype(np.float32)
    constraints = Constraints.of_cells(
        cells, targets, P, rng.uniform(0.1, 1, len(cells)).astype(np.float32)
    )
    Q0 = squared_reference(A, Kernel()) + 0.05 * np.eye(P)
    expected = corrected_reference(Q0, samples, constraints, 50.0 * constraints.weights)
    assert close(make(A, Kernel(), Weights()).correct(samples, constraints), expected, tolerance)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("backend", DENSE)
def test_more_rows_than_pixels_are_solved_by_a_fresh_factor(
    backend: Backend, exact: bool, A: np.ndarray, samples: np.ndarray
) -> None:
    """The same ties said five times at a fifth of the weight are the same edits."""
    make, tolerance = backend
    everywhere = Region(((0.0, 240.0), (640.0, 240.0)), 130.0)
    edits = Edits(SIZE, (scribble(2),), (Tie(everywhere, Region(((320.0, 20.0),), 100.0)),))
    once = rasterize(edits, GRID)
    num_strokes = len(once) - once.num_ties
    ties = once.rows[num_strokes:]
    often = Constraints(
        rows=scipy.sparse.csr_matrix(scipy.sparse.vstack([once.rows[:num_strokes], *[ties] * 5])),
        weights=np.concatenate([once.weights[:num_strokes], *[once.weights[num_strokes:] / 5] * 5]),
        targets=np.concatenate([once.targets[:num_strokes], *[once.targets[num_strokes:]] * 5]),
        num_ties=5 * once.num_ties,
    )
    assert len(once) < P < len(often)
    solver = make(A, Kernel(), Weights(beta_edit=math.inf if exact else 50.0))
    assert close(solver.correct(samples, often), solver.correct(samples, once), 2 * tolerance)


def test_a_weak_prior_down_to_the_papers_form(A: np.ndarray, samples: np.ndarray) -> None:
    constraints = rasterize(Edits(SIZE, (scribble(1),)), GRID)
    squared = squared_reference(A, Kernel())
    for beta_prior, prior in ((1e-2, 1e-2), (1e-3, 1e-3), (5e-4, 5e-4), (0.0, 1e-4)):
        expected = corrected_reference(
            squared + prior * np.eye(P), samples, constraints, 50.0 * constraints.weights
        )
        solver = DenseSolver(A, Kernel(), Weights(beta_prior=beta_prior))
        assert close(solver.correct(samples, constraints), expected, 1e-3)


def test_two_exact_rows_that_say_the_same_are_solved(A: np.ndarray, samples: np.ndarray) -> None:
    single = Constraints.of_cells(np.array([5, 90]), np.array([[9.0, -9.0], [40.0, 3.0]]), P)
    double = replace(
        single,
        rows=scipy.sparse.csr_matrix(scipy.sparse.vstack([single.rows] * 2)),
        weights=np.tile(single.weights, 2),
        targets=np.tile(single.targets, (2, 1)),
    )
    solver = DenseSolver(A, Kernel(), Weights(beta_edit=math.inf))
    assert close(solver.correct(samples, double), solver.correct(samples, single), 1e-4)


def test_a_tie_brings_two_regions_together(A: np.ndarray, samples: np.ndarray) -> None:
    left, right = Region(((100.0, 100.0),), 40.0), Region(((540.0, 400.0),), 40.0)
    constraints = rasterize(Edits(SIZE, (), (Tie(left, right),)), GRID)

    def apart(fields: np.ndarray) -> float:
        return float(max(np.abs(constraints.rows @ x).mean() for x in fields))

    before = apart(samples)
    weak = apart(DenseSolver(A, Kernel(), Weights(gamma=1.0)).correct(samples, constraints))
    strong = apart(DenseSolver(A, Kernel(), Weights(gamma=50.0)).correct(samples, constraints))
    assert strong < 0.1 * before
    assert strong < weak < before


def _object(lightness: np.ndarray) -> np.ndarray:
    """The largest connected part of a photo with about one lightness, (h, w) bool."""
    smooth = ndimage.median_filter(lightness, 3)
    best = np.zeros(lightness.shape, dtype=bool)
    for level in np.arange(5, 95, 3):
        labels, num = ndimage.label(np.abs(smooth - level) < 5)
        for part in range(1, num + 1):
            mask = labels == part
            # A thing, not the backdrop.
            if best.sum() < mask.sum() < 0.3 * mask.size:
                best = mask
    return best


def test_a_stroke_spreads_over_its_object_and_does_not_flood(
    photos: dict[str, np.ndarray],
) -> None:
    """One colour on a sixth of an object: most of it follows, the photo beyond hardly."""
    for photo in photos.values():
        lightness = photo[..., 0]
        thing = _object(lightness)
        assert thing.sum() >= 40
        inside = ndimage.binary_erosion(thing)
        cells = np.flatnonzero(inside if inside.sum() > 20 else thing)
        painted = cells[: max(4, len(cells) // 6)]
        beyond = ~ndimage.binary_dilation(thing, iterations=2).reshape(-1)
        rest = np.setdiff1d(np.flatnonzero(thing), painted)
        A = embedding(lightness, tone=5.0, reach=0.3)
        constraints = Constraints.of_cells(painted, np.full((len(painted), 2), 50.0), P)
        gray = np.zeros((1, P, 2), dtype=np.float32)
        reached = {}
        for beta_prior in (1e-3, Weights().beta_prior, 0.5):
            solver = DenseSolver(A, Kernel(), Weights(beta_prior=beta_prior))
            delta = solver.correct(gray, constraints)[0, :, 0] / 50.0
            reached[beta_prior] = [
                float(np.abs(delta[part]).mean()) for part in (painted, rest, beyond)
            ]
        there, over, away = reached[Weights().beta_prior]
        assert there > 0.98
        assert over > 0.3
        assert away < 0.07
        assert over > 5 * away
        # The parameter decides: a weaker pull covers the object and floods the photo.
        _, over_weak, away_weak = reached[1e-3]
        assert over_weak > 0.9
        assert away_weak > 0.2
        _, over_strong, away_strong = reached[0.5]
        assert over_strong < over
        assert away_strong < away
