"""Nominal 95 % intervals over 1,000 simulated studies, through the code of the analysis."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from huefield.study.bradley_terry import strengths
from huefield.study.comparisons import per_cluster
from huefield.study.intervals import (
    bootstrap_shares,
    cluster_weights,
    percentile_interval,
    two_way_interval,
    wilson,
)

STUDIES = 1000
PERSONS, TRIALS, PHOTOS, DRAWS = 60, 20, 60, 600
NORMAL = np.random.default_rng(77).standard_normal(200_000)


def votes(
    rng: np.random.Generator, middle: float, person_spread: float, photo_spread: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Persons, photos and wins of a study whose people and photos differ on the logit scale."""
    person = np.repeat(np.arange(PERSONS), TRIALS)
    photo = np.concatenate([rng.permutation(PHOTOS)[:TRIALS] for _ in range(PERSONS)])
    at = middle + person_spread * rng.standard_normal(PERSONS)[person]
    at = at + photo_spread * rng.standard_normal(PHOTOS)[photo]
    return person, photo, rng.random(len(person)) < expit(at)


def coverage(person_spread: float, photo_spread: float, share: float) -> dict[str, float]:
    """How often each interval holds the true share, over all people and photos."""
    middle = logit(share)
    true = float(expit(middle + np.hypot(person_spread, photo_spread) * NORMAL).mean())
    rng = np.random.default_rng(2024)
    people, photos = (cluster_weights(size, DRAWS, rng) for size in (PERSONS, PHOTOS))
    inside = dict.fromkeys(("wilson", "by_person", "by_photo", "by_both"), 0)
    for _ in range(STUDIES):
        person, photo, won = votes(rng, middle, person_spread, photo_spread)
        n, wins = len(won), int(won.sum())
        every = np.full(n, True)
        resampled = []
        for cluster, size, weights in ((person, PERSONS, people), (photo, PHOTOS, photos)):
            won_by, of = per_cluster(cluster, size, every, won)
            resampled.append(bootstrap_shares(won_by[:, None], of[:, None], weights)[:, 0])
        found = {
            "wilson": wilson(wins, n),
            "by_person": percentile_interval(resampled[0], wins / n, PERSONS),
            "by_photo": percentile_interval(resampled[1], wins / n, PHOTOS),
            "by_both": two_way_interval(*resampled, wins / n, n, (PERSONS, PHOTOS)),
        }
        for name, (low, high) in found.items():
            inside[name] += low <= true <= high
    return {name: count / STUDIES for name, count in inside.items()}


def test_intervals_by_person_cover_people_who_differ() -> None:
    found = coverage(person_spread=0.8, photo_spread=0.0, share=0.65)
    assert 0.93 <= found["by_person"] <= 0.97
    assert 0.93 <= found["by_both"] <= 0.97
    assert found["wilson"] < 0.93, "votes of one person are not independent"


def test_intervals_by_both_cover_people_and_photos_that_differ() -> None:
    found = coverage(person_spread=0.8, photo_spread=0.8, share=0.65)
    assert 0.93 <= found["by_both"] <= 0.97
    assert found["by_person"] < 0.93
    assert found["by_photo"] < 0.93


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_all_intervals_cover_where_nobody_differs(share: float) -> None:
    found = coverage(0.0, 0.0, share)
    assert all(0.93 <= value <= 0.97 for value in found.values()), found


def test_strengths_cover_people_who_differ() -> None:
    """Three methods; people differ in how much each method appeals to them."""
    rng = np.random.default_rng(8)
    true = np.array([0.5, 0.0, -0.5])
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    spread = 0.5
    # What the fit tends to with ever more people: win rates averaged over them.
    gaps = (true[pairs[:, 0]] - true[pairs[:, 1]])[:, None] + spread * np.sqrt(2) * NORMAL
    limit = np.zeros((3, 3))
    for (i, j), rate in zip(pairs, expit(gaps).mean(1), strict=True):
        limit[i, j], limit[j, i] = rate * 1e6, (1 - rate) * 1e6
    wanted = strengths(limit)
    weights = cluster_weights(PERSONS, 300, rng)
    inside = np.zeros(3)
    for _ in range(STUDIES):
        appeal = true + spread * rng.standard_normal((PERSONS, 3))
        wins = np.zeros((PERSONS, 3, 3))
        for i, j in pairs:
            won = rng.binomial(7, expit(appeal[:, i] - appeal[:, j]))
            wins[:, i, j] += won
            wins[:, j, i] += 7 - won
        estimate = strengths(wins.sum(0))
        resampled = strengths((weights @ wins.reshape(PERSONS, 9)).reshape(-1, 3, 3))
        for k in range(3):
            low, high = percentile_interval(resampled[:, k], float(estimate[k]), PERSONS)
            inside[k] += low <= wanted[k] <= high
    assert np.all((inside / STUDIES >= 0.93) & (inside / STUDIES <= 0.97)), inside / STUDIES
