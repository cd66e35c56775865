from __future__ import annotations

import math

import choix
import numpy as np
import pytest
from scipy import stats

from huefield.study.agreement import krippendorff_alpha
from huefield.study.bradley_terry import strengths
from huefield.study.intervals import binomial_p, cluster_weights, percentile_interval, wilson


@pytest.mark.parametrize(("wins", "n"), [(0, 10), (1, 3), (65, 100), (3284, 5374), (10, 10)])
def test_wilson_and_binomial_against_scipy(wins: int, n: int) -> None:
    exact = stats.binomtest(wins, n, 0.5)
    wanted = exact.proportion_ci(0.95, method="wilson")
    assert wilson(wins, n) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    tail = sum(
        math.comb(n, k) / 2**n for k in range(n + 1) if math.comb(n, k) <= math.comb(n, wins)
    )
    assert binomial_p(wins, n) == pytest.approx(tail, rel=1e-9)


def test_no_votes_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert binomial_p(0, 0) == 1.0
    assert np.isnan(percentile_interval(np.array([0.5] * 50), 0.5, 1)).all()


@pytest.mark.parametrize("size", [2, 3, 6])
def test_strengths_against_choix(size: int) -> None:
    rng = np.random.default_rng(size)
    wins = rng.integers(1, 60, (size, size)).astype(float)
    np.fill_diagonal(wins, 0)
    wanted = choix.ilsr_pairwise_dense(wins, alpha=0.0, tol=1e-10)
    assert strengths(wins, prior=0.0) == pytest.approx(wanted - wanted.mean(), abs=1e-6)


def test_strengths_of_many_resamples_are_those_of_each() -> None:
    wins = np.random.default_rng(4).integers(0, 30, (50, 4, 4)).astype(float)
    wins *= 1 - np.eye(4)
    together = strengths(wins)
    for k in (0, 17, 49):
        assert together[k] == pytest.approx(strengths(wins[k]), abs=1e-6)


def test_a_method_that_never_wins_stays_finite_and_last() -> None:
    found = strengths(np.array([[0.0, 9.0, 9.0], [3.0, 0.0, 9.0], [0.0, 0.0, 0.0]]))
    assert np.isfinite(found).all()
    assert found.argmin() == 2


def test_methods_that_never_met_have_no_strength() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[1, 0] = wins[2, 3] = wins[3, 2] = 5
    assert np.isnan(strengths(wins)).all()


def test_alpha_of_krippendorffs_own_example() -> None:
    """Four observers, twelve units, some answers missing: alpha is 0.743 (nominal data)."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    units = [[a for a in unit if a is not None] for unit in zip(*observers, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_alpha_at_its_ends() -> None:
    assert krippendorff_alpha([("a", "a"), ("b", "b")]) == 1.0
    assert krippendorff_alpha([("a", "b"), ("b", "a")]) == pytest.approx(-0.5)
    assert krippendorff_alpha([("a", "a"), ("a", "a")]) is None
    assert krippendorff_alpha([]) is None
    rng = np.random.default_rng(0)
    by_chance = [tuple(rng.integers(0, 2, 2)) for _ in range(20_000)]
    assert abs(krippendorff_alpha(by_chance) or 1.0) < 0.02


def test_cluster_weights_draw_as_many_clusters_as_there_are() -> None:
    weights = cluster_weights(7, 500, np.random.default_rng(0))
    assert weights.shape == (500, 7)
    assert (weights.sum(1) == 7).all()
    assert weights.mean(0) == pytest.approx(np.ones(7), abs=0.15)
