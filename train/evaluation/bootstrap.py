"""How sure a mean over photos is: percentile bootstrap, photos drawn anew with replacement.

Called by `train.evaluation.points`. Differences of two methods on the same photos go in as such:
that is the paired interval, which is much narrower than the two methods' own.

Source: Efron & Tibshirani 1993, chapter 13.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

RESAMPLES = 5000
LEVEL = 0.95


def mean_interval(values: Doubles, *, seed: int = 0) -> tuple[Doubles, Doubles]:
    """Lower and upper end (C,) of the 95 % interval of each column's mean.

    Args:
        values: (K, C), one row a photo; with one photo both ends are its values.
        seed: Of the draws; the same photos are drawn for all columns.
    """
    drawn = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    counts = np.zeros((RESAMPLES, len(values)))
    np.add.at(counts, (np.arange(RESAMPLES)[:, None], drawn), 1.0 / len(values))
    means = counts @ values  # (RESAMPLES, C)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high
