"""Bradley–Terry strengths: how strong each method is, so that win rates follow from differences.

P(i beats j) = 1 / (1 + exp(s_j - s_i)), strengths s with mean 0. All resamples of a bootstrap are
fitted together.

Source: Bradley and Terry, Biometrika 39 (1952); iterations of Hunter, Ann. Stat. 32 (2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR = 0.1  # wins added to each side of every pair that was compared: keeps strengths finite
_STEPS = 5000
_TOLERANCE = 1e-9


def strengths(wins: Floats, prior: float = PRIOR) -> Floats:
    """Log-strengths, (..., M), mean 0; NaN for all where comparisons do not connect the methods.

    Args:
        wins: (..., M, M), how often the row's method beat the column's.
        prior: wins added to both sides of every pair that was compared.
    """
    wins = np.asarray(wins, np.float64)
    games = wins + np.swapaxes(wins, -1, -2)  # (..., M, M)
    met = games > 0
    counted = wins + prior * met
    games = games + 2 * prior * met
    won = counted.sum(-1)  # (..., M)
    power = np.ones(won.shape)
    for _ in range(_STEPS):
        pairs = power[..., :, None] + power[..., None, :]
        # A method without comparisons keeps a power of next to nothing; it gets NaN below.
        fresh = np.maximum(won / np.maximum((games / pairs).sum(-1), 1e-30), 1e-30)
        fresh /= np.exp(np.log(fresh).mean(-1, keepdims=True))
        change = float(np.abs(np.log(fresh / power)).max(initial=0.0, where=won > 0))
        power = fresh
        if change < _TOLERANCE:
            break
    found = np.log(power)
    found -= found.mean(-1, keepdims=True)
    return np.where(_connected(met)[..., None], found, np.nan)


def _connected(met: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether every method was compared with every other, directly or through others."""
    size = met.shape[-1]
    reach = (met | np.eye(size, dtype=bool)).astype(np.float64)
    for _ in range(max(1, size.bit_length())):
        reach = np.minimum(reach @ reach, 1.0)
    return np.asarray((reach > 0).all((-1, -2)))
