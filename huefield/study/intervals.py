"""Shares and how sure they are: Wilson, exact binomial, bootstrap over people and photos.

Votes of one person resemble each other, so an interval over votes alone is too narrow; the
bootstrap draws whole people (and photos) anew.

Source: Wilson, J. Am. Stat. Assoc. 22 (1927); Field and Welsh, J. R. Stat. Soc. B 69 (2007), for
resampling clusters.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

CONFIDENCE = 0.95


def wilson(wins: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of a share, (low, high); (0, 1) where there are no votes."""
    if n <= 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = wins / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def binomial_p(wins: int, n: int) -> float:
    """Exact two-sided p of a share against one half; 1 where there are no votes."""
    return float(stats.binomtest(wins, n, 0.5).pvalue) if n else 1.0


def cluster_weights(num_clusters: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each cluster is drawn in each resample, (draws, num_clusters)."""
    return rng.multinomial(
        num_clusters, np.full(num_clusters, 1 / num_clusters), size=draws
    ).astype(np.float64)


def bootstrap_shares(wins: Floats, totals: Floats, weights: Floats) -> Floats:
    """Shares in each resample, (draws, cells); NaN where a resample holds no vote of a cell.

    Args:
        wins: (clusters, cells), wins of each cluster.
        totals: (clusters, cells), its votes.
        weights: (draws, clusters), from `cluster_weights`.
    """
    below = weights @ totals
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, (weights @ wins) / below, np.nan)


def two_way_interval(
    by_person: Floats,
    by_photo: Floats,
    share: float,
    n: int,
    num_clusters: tuple[int, int],
    confidence: float = CONFIDENCE,
) -> tuple[float, float]:
    """Interval of a share when both people and photos could have been others, (low, high).

    The variance is that between people plus that between photos, less that of independent votes,
    which both contain; at least the larger of the two. Taken on the logit scale, t quantile.
    NaN where there are too few clusters or all votes agree.

    Source: Cameron, Gelbach, Miller, J. Bus. Econ. Stat. 29 (2011), two-way clustering; their
    sandwich variances are replaced by those of the two bootstraps.

    Args:
        by_person: (draws,), shares in resamples of people.
        by_photo: (draws,), shares in resamples of photos.
        share: the share itself.
        n: votes.
        num_clusters: people and photos with a vote.
        confidence: of the interval.
    """
    if min(num_clusters) < 2 or not 0 < share < 1:
        return math.nan, math.nan
    variances = [
        float(np.nanvar(resampled)) * c / (c - 1)
        for resampled, c in zip((by_person, by_photo), num_clusters, strict=True)
    ]
    variance = max(sum(variances) - share * (1 - share) / n, *variances)
    middle = math.log(share / (1 - share))
    quantile = float(stats.t.ppf(0.5 + confidence / 2, min(num_clusters) - 1))
    half = quantile * math.sqrt(variance) / (share * (1 - share))
    return _logistic(middle - half), _logistic(middle + half)


def percentile_interval(
    resampled: Floats, estimate: float, num_clusters: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval from resampled values, (low, high); NaN where there are too few clusters.

    Quantiles are spread around the estimate by the t quantile over the normal one and by
    sqrt(c / (c - 1)), without which few clusters give intervals that are too narrow.

    Source: Hesterberg, Am. Stat. 69 (2015), section 5.3 (expanded percentile interval).
    """
    kept = resampled[np.isfinite(resampled)]
    if num_clusters < 2 or len(kept) < 20:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    stretched = float(
        stats.norm.cdf(
            math.sqrt(num_clusters / (num_clusters - 1)) * stats.t.ppf(tail, num_clusters - 1)
        )
    )
    low, high = np.quantile(kept, [stretched, 1 - stretched])
    return float(min(low, estimate)), float(max(high, estimate))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))
