"""Samples picked from a pool: nested, repeatable, and nearer to the whole than plain draws."""

from __future__ import annotations

import numpy as np
import pytest

from huefield.candidates import POOL_SIZE, USUAL, Candidates, cover, small_grid
from huefield.mixture import Mixture, MixtureError

GRID = (8, 16)


@pytest.fixture
def mixture() -> Mixture:
    rng = np.random.default_rng(0)
    return Mixture([0.5, 0.3, 0.2], rng.standard_normal((3, 4)), 0.5)


def decode(z: np.ndarray) -> np.ndarray:
    """A unary in which two numbers of the code tint the two halves, the others do nothing."""
    unary = np.zeros((len(z), GRID[0], GRID[1], 2), np.float32)
    unary[:, :, :8, 0] = 30 * z[:, 0, None, None]
    unary[:, :, 8:, 1] = 30 * z[:, 1, None, None]
    return unary.reshape(len(z), -1, 2)


def test_the_order_is_greedy_and_begins_with_the_first() -> None:
    rows = np.random.default_rng(1).standard_normal((12, 5)).astype(np.float32)
    order = cover(rows)
    assert sorted(order) == list(range(12))
    assert order[0] == 0

    def left(chosen: list[int]) -> float:
        return sum(min(np.abs(row - rows[k]).mean() for k in chosen) for row in rows)

    for size in range(1, 12):
        best = min((left([*order[:size], k]), k) for k in range(12) if k not in order[:size])
        assert left(list(order[: size + 1])) == pytest.approx(best[0], rel=1e-5)


def test_samples_do_not_depend_on_how_many_are_asked_for(mixture: Mixture) -> None:
    pools = Candidates(mixture, decode, GRID)
    few, many = pools.first(5, 3), Candidates(mixture, decode, GRID).first(POOL_SIZE + 9, 3)
    np.testing.assert_array_equal(few.z, many.z[:5])
    np.testing.assert_array_equal(
        many.z[POOL_SIZE:], mixture.sample(POOL_SIZE + 9, 3).z[POOL_SIZE:]
    )
    np.testing.assert_array_equal(many.log_prob, mixture.log_prob(many.z))
    np.testing.assert_array_equal(few.z[0], mixture.sample(1, 3).z[0])
    assert len(np.unique(many.z, axis=0)) == len(many)
    assert not np.array_equal(few.z, pools.first(5, 4).z)


def test_a_wide_set_is_unlike_the_first_samples_and_another_seed_is_not(mixture: Mixture) -> None:
    pools = Candidates(mixture, decode, GRID)
    usual = decode(pools.first(USUAL, 0).z)

    def apart(seed: int, wide: bool) -> float:
        shown = decode(pools.first(5, seed, wide=wide).z)
        return float(np.abs(shown[:, None] - usual[None]).mean((2, 3)).min(1).mean())

    seeds = range(1, 9)
    others = np.mean([apart(seed, wide=False) for seed in seeds])
    assert np.mean([apart(seed, wide=True) for seed in seeds]) > 1.5 * others
    few, many = pools.first(3, 2, wide=True), pools.first(POOL_SIZE + 4, 2, wide=True)
    np.testing.assert_array_equal(few.z, many.z[:3])
    assert len(np.unique(many.z, axis=0)) == len(many)
    np.testing.assert_array_equal(many.log_prob, mixture.log_prob(many.z))
    assert not np.array_equal(few.z, pools.first(3, 1, wide=True).z)
    plain = Candidates(mixture, decode, GRID, size=0).first(7, 2, wide=True)
    assert len(np.unique(plain.z, axis=0)) == 7


def test_no_pool_gives_plain_draws(mixture: Mixture) -> None:
    plain = Candidates(mixture, decode, GRID, size=0).first(7, 2)
    np.testing.assert_array_equal(plain.z, mixture.sample(7, 2).z)
    with pytest.raises(MixtureError, match="at least 0"):
        Candidates(mixture, decode, GRID, size=-1)


def test_picked_samples_stand_for_more_than_plain_ones(mixture: Mixture) -> None:
    """For new draws, the nearest of eight samples looks nearer than that of eight plain draws."""
    fresh = decode(mixture.sample(300, 99).z)

    def apart(size: int, seed: int) -> float:
        shown = decode(Candidates(mixture, decode, GRID, size).first(8, seed).z)
        return float(np.abs(fresh[:, None] - shown[None]).mean((2, 3)).min(1).mean())

    plain = np.mean([apart(0, seed) for seed in range(8)])
    picked = np.mean([apart(POOL_SIZE, seed) for seed in range(8)])
    assert picked < 0.9 * plain


def test_the_small_grid_keeps_to_multiples() -> None:
    assert small_grid((64, 64), 8) == (32, 32)
    assert small_grid((56, 72), 8) == (24, 32)
    assert small_grid((8, 200), 8) == (8, 96)
