"""Latent codes of a photo: the mixture that the MDN gives, seeded samples, a choice under edits.

Called by `huefield.colorizer`.  Sample k depends on the photo, the seed and k alone, so asking for
more samples never changes the ones that a person has seen.

Source: the paper, section 3.3 (the mixture density network).  It draws components at random; here
a low-discrepancy sequence spreads even a few samples over them in proportion to pi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Step of the sequence: multiples of it, modulo 1, fill the unit interval evenly at every length.
_GOLDEN = (5**0.5 - 1) / 2
# How much a difference in z counts beside one in colour when samples are told apart.
_CODE_SHARE = 0.1
# How far from a code those near it are drawn, in deviations of a component.
NEAR = 0.5


class MixtureError(ValueError):
    """A mixture, or what was asked of it, makes no sense; the message says what was expected."""


@dataclass(frozen=True)
class Draws:
    """Latent codes drawn from a mixture.

    Attributes:
        z: (n, Z) float32.
        component: (n,) int64, the component that each was drawn from.
        log_prob: (n,) float32, natural logarithm of the mixture's density at z.
    """

    z: Float32
    component: npt.NDArray[np.int64]
    log_prob: Float32

    def __len__(self) -> int:
        return len(self.z)


class Mixture:
    """A mixture of Gaussians with one deviation: sum_m pi_m N(z; mu_m, sigma^2 I).

    Args:
        pi: (M,) weights, summing to 1 to 1e-3.
        mu: (M, Z) means.
        sigma: deviation of every component in every direction, above 0.

    Raises:
        MixtureError: shapes that do not fit, weights that are no distribution, or entries that are
            not finite.
    """

    def __init__(self, pi: npt.ArrayLike, mu: npt.ArrayLike, sigma: float) -> None:
        weights = np.asarray(pi, dtype=np.float64)
        means = np.asarray(mu, dtype=np.float64)
        if weights.ndim != 1 or len(weights) < 1:
            raise MixtureError(f"pi must be (M,), got {weights.shape}")
        if means.ndim != 2 or len(means) != len(weights) or means.shape[1] < 1:
            raise MixtureError(f"mu must be ({len(weights)}, Z), got {means.shape}")
        if not (np.isfinite(weights).all() and np.isfinite(means).all()):
            raise MixtureError("pi and mu must be finite")
        if (weights < 0).any() or abs(weights.sum() - 1.0) > 1e-3:
            raise MixtureError(f"pi must be >= 0 and sum to 1, sums to {weights.sum():.6g}")
        if not (np.isfinite(sigma) and sigma > 0):
            raise MixtureError(f"sigma must be a finite number above 0, got {sigma!r}")
        self.pi = weights / weights.sum()
        self.mu = means
        self.sigma = float(sigma)

    def sample(self, n: int, seed: int, temperature: float = 1.0) -> Draws:
        """n latent codes; the first is the mean of the likeliest component.

        Args:
            n: how many, at least 1.
            seed: at least 0.
            temperature: scales sigma; 0 gives the components' means.

        Raises:
            MixtureError: an argument outside its range.
        """
        if n < 1 or seed < 0:
            raise MixtureError(f"expected n >= 1 and seed >= 0, got n={n}, seed={seed}")
        if not (np.isfinite(temperature) and temperature >= 0):
            raise MixtureError(f"temperature must be a finite number >= 0, got {temperature!r}")
        start = np.random.default_rng(seed).random()
        place = (start + _GOLDEN * np.arange(n)) % 1.0
        # The last edge is 1 whatever the rounding, and a component without weight is never met.
        edges = np.cumsum(self.pi)
        edges[np.flatnonzero(self.pi)[-1] :] = 1.0
        component = np.searchsorted(edges, place, side="right")
        component[0] = int(np.argmax(self.pi))
        z = self.mu[component].copy()  # (n, Z)
        for k in range(1, n):
            noise = np.random.default_rng([seed, k]).standard_normal(z.shape[1])
            z[k] += temperature * self.sigma * noise
        z32 = z.astype(np.float32)
        return Draws(z32, component.astype(np.int64), self.log_prob(z32))

    def around(self, z: npt.ArrayLike, n: int, seed: int, spread: float = NEAR) -> Draws:
        """n latent codes near one: the first is that code, the others lie around it.

        Args:
            z: (Z,) the code to stay near.
            n: how many, at least 1.
            seed: at least 0.
            spread: how far, in deviations of a component.

        Raises:
            MixtureError: an argument outside its range or of another shape.
        """
        center = np.asarray(z, dtype=np.float64)
        if center.shape != (self.mu.shape[1],):
            raise MixtureError(f"z must be ({self.mu.shape[1]},), got {center.shape}")
        if n < 1 or seed < 0:
            raise MixtureError(f"expected n >= 1 and seed >= 0, got n={n}, seed={seed}")
        codes = np.tile(center, (n, 1))
        for k in range(1, n):
            noise = np.random.default_rng([seed, k]).standard_normal(len(center))
            codes[k] += spread * self.sigma * noise
        z32 = codes.astype(np.float32)
        apart = ((codes[:, None, :] - self.mu[None]) ** 2).sum(axis=2)  # (n, M)
        return Draws(z32, apart.argmin(axis=1).astype(np.int64), self.log_prob(z32))

    def log_prob(self, z: npt.ArrayLike) -> Float32:
        """Natural logarithm of the density at z (n, Z): (n,) float32.

        Raises:
            MixtureError: z has another shape.
        """
        codes = np.asarray(z, dtype=np.float64)
        size = self.mu.shape[1]
        if codes.ndim != 2 or codes.shape[1] != size:
            raise MixtureError(f"z must be (n, {size}), got {codes.shape}")
        apart = ((codes[:, None, :] - self.mu[None]) ** 2).sum(axis=2)  # (n, M)
        with np.errstate(divide="ignore"):
            log_pi = np.log(self.pi)
        terms = log_pi - apart / (2 * self.sigma**2)
        largest = terms.max(axis=1)
        total = largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))
        return np.asarray(total - size * np.log(self.sigma * np.sqrt(2 * np.pi)), dtype=np.float32)


def choose_for_edits(
    draws: Draws, fits: npt.ArrayLike, signature: npt.ArrayLike, n: int
) -> npt.NDArray[np.int64]:
    """Indices (n,) of draws that agree with the edits and differ from one another.

    The first is the best fit; each next one has the largest fit times the distance to the nearest
    chosen one: a draw that is twice as far may fit half as well.

    Args:
        draws: N candidates; codes that differ tell apart candidates that look the same.
        fits: (N,) >= 0, the likelihood of the edits under each candidate, up to a factor; larger
            is better.
        signature: (N, F) what each candidate looks like, as a coarse thumbnail of its colours.
        n: how many, 1..N.

    Raises:
        MixtureError: shapes that do not fit, fits below 0 or entries that are not finite.

    Source: greedy maximum of a weighted dispersion, after Carbonell & Goldstein 1998.
    """
    weight = np.asarray(fits, dtype=np.float64)
    looks = np.asarray(signature, dtype=np.float64)
    size = len(draws)
    if weight.shape != (size,):
        raise MixtureError(f"fits must be ({size},), got {weight.shape}")
    if looks.ndim != 2 or len(looks) != size:
        raise MixtureError(f"signature must be ({size}, F), got {looks.shape}")
    if not (np.isfinite(weight).all() and np.isfinite(looks).all() and (weight >= 0).all()):
        raise MixtureError("fits must be finite and >= 0, signatures finite")
    if not 1 <= n <= size:
        raise MixtureError(f"expected n in 1..{size}, got {n}")
    features = np.concatenate(
        [_unit_spread(looks), _CODE_SHARE * _unit_spread(draws.z.astype(np.float64))], axis=1
    )
    with np.errstate(divide="ignore"):
        log_weight = np.log(weight)
    # Where no candidate fits at all, only being different counts.
    log_weight = np.where(np.isfinite(log_weight), log_weight, -1e6)
    chosen = [int(np.argmax(log_weight))]
    nearest: Any = np.full(size, np.inf)
    while len(chosen) < n:
        nearest = np.minimum(nearest, np.sqrt(((features - features[chosen[-1]]) ** 2).sum(axis=1)))
        score = log_weight + np.log(np.maximum(nearest, 1e-9))
        score[chosen] = -np.inf
        chosen.append(int(np.argmax(score)))
    return np.array(chosen, dtype=np.int64)


def _unit_spread(rows: Float64) -> Float64:
    """Rows (N, F) scaled so that their mean squared distance to the mean is 1."""
    spread = float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))
    return rows / spread if spread > 0 else rows
