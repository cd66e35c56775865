"""How sure figures over photos are: intervals by drawing whole photos anew.

Called by `samples` and `points`. Differences of two methods on the same photos go in as such: that
is the paired interval, which is much narrower than the two methods' own.

Source: Efron & Tibshirani 1993, chapter 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
CONFIDENCE = 0.95

Interval = tuple[float, float]


def mean_resamples(
    values: NDArray[np.float64], seed: int, draws: int = DRAWS
) -> NDArray[np.float64]:
    """Means over photos (draws, C) of values (photos, C), each of as many photos drawn anew."""
    num_photos = len(values)
    weights = np.random.default_rng(seed).multinomial(
        num_photos, np.full(num_photos, 1.0 / num_photos), size=draws
    )
    means: NDArray[np.float64] = weights @ values / num_photos
    return means


def interval(resamples: NDArray[np.float64]) -> Interval:
    """The middle 95 % of a figure's resamples (draws,)."""
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(resamples, [tail, 100.0 - tail])
    return float(low), float(high)


def mean_interval(
    values: NDArray[np.float64], *, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end (C,) of the 95 % interval of each column's mean.

    Args:
        values: (K, C), one row a photo; with one photo both ends are its values.
        seed: of the draws; the same photos are drawn for all columns.
    """
    ends = [interval(column) for column in mean_resamples(values, seed).T]
    low, high = zip(*ends, strict=True)
    return np.array(low), np.array(high)


def figure_intervals(
    rows: Sequence[Mapping[str, float]], truths: NDArray[np.floating], seed: int
) -> dict[str, Interval]:
    """Intervals of the mean of each figure over photos, and of the two ratios of such means.

    Args:
        rows: {figure: value} of each photo.
        truths: (photos,) colour beyond a tint of the true photos.
        seed: of the draws.
    """
    keys = list(rows[0])
    values = np.array([[row[key] for key in keys] for row in rows])
    means = mean_resamples(np.column_stack([values, truths]), seed)
    drawn = dict(zip(keys, means.T[:-1], strict=True))
    drawn["beyond_tint_share"] = drawn["beyond_tint"] / means[:, -1]
    if "tints_mae" in drawn:
        drawn["below_tints"] = 1.0 - drawn["image_mae"] / drawn["tints_mae"]
    return {key: interval(resamples) for key, resamples in drawn.items()}
