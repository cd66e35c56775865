from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from huefield.gcrf.growing import BLOCK, GrowingFactor

NUM_PIXELS = 700


@pytest.fixture(scope="module")
def inverse() -> np.ndarray:
    """A positive definite matrix with neighbours alike, as Q0^-1 is."""
    place = np.arange(NUM_PIXELS)
    near = np.exp(-np.abs(place[:, None] - place) / 9.0)
    return np.asarray(4.0 * near + np.eye(NUM_PIXELS), np.float32)


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    return np.random.default_rng(3).permutation(NUM_PIXELS)[:450]


def solve(factor: GrowingFactor, inverse: np.ndarray, cells: np.ndarray, v: np.ndarray) -> object:
    residuals = np.random.default_rng(4).standard_normal((NUM_PIXELS, 6))[cells]
    return factor.solve(
        cells,
        v,
        lambda start, stop: inverse[np.ix_(cells[start:stop], cells[:stop])],
        residuals.astype(np.float32),
    )


@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, BLOCK + 1, 450])
def test_it_solves_as_a_direct_solve(inverse: np.ndarray, cells: np.ndarray, count: int) -> None:
    part = cells[:count]
    variance = np.random.default_rng(5).uniform(0.02, 2.0, count)
    residuals = np.random.default_rng(4).standard_normal((NUM_PIXELS, 6))[part].astype(np.float32)
    K = inverse[np.ix_(part, part)].astype(np.float64) + np.diag(variance)
    wanted = scipy.linalg.solve(K, residuals.astype(np.float64), assume_a="pos")
    assert np.allclose(solve(GrowingFactor(), inverse, part, variance), wanted, atol=1e-9)


def test_growing_shrinking_and_changing_give_the_bits_of_a_new_factor(
    inverse: np.ndarray, cells: np.ndarray
) -> None:
    variance = np.random.default_rng(5).uniform(0.02, 2.0, len(cells))
    changed = variance.copy()
    changed[200] = 9.0
    turned = np.concatenate([cells[:300], cells[:299:-1]])
    grown = GrowingFactor()
    for part, v in (
        *((cells[:count], variance[:count]) for count in range(17, 450, 37)),
        (cells[:90], variance[:90]),
        (cells, variance),
        (cells, changed),
        (turned, variance),
        (cells, variance),
    ):
        assert np.array_equal(
            solve(grown, inverse, part, v), solve(GrowingFactor(), inverse, part, v)
        )
    assert 0 < grown.nbytes < 450 * 450 * 8


def test_rows_to_be_met_exactly_are_solved_and_twins_too(inverse: np.ndarray) -> None:
    twins = inverse.copy()
    twins[8] = twins[7]
    twins[:, 8] = twins[:, 7]
    solved = solve(GrowingFactor(), twins, np.array([3, 7, 8]), np.zeros(3))
    assert np.isfinite(np.asarray(solved)).all()


def test_what_was_factored_is_not_asked_for_again(inverse: np.ndarray, cells: np.ndarray) -> None:
    factor, variance = GrowingFactor(), np.ones(len(cells))
    solve(factor, inverse, cells[:400], variance[:400])
    asked: list[int] = []

    def gram(start: int, stop: int) -> np.ndarray:
        asked.append(start)
        return np.asarray(inverse[np.ix_(cells[start:stop], cells[:stop])])

    factor.solve(cells, variance, gram, np.ones((450, 2), np.float32))
    assert asked == [384, 448]
