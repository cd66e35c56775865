"""The terms of the training losses, and the figures that show a latent collapse.

Called by the stages.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from huefield import lab
from train.batches import Batches

BIN = 10.0  # ab units, as in Zhang et al. 2016
NUM_BINS = 27
UNIT = lab.AB_SCALE / 10.0  # errors are counted in units of 10 ab


def rarity_table(batches: Batches, share: float, num_photos: int = 2000) -> Tensor:
    """Returns the weight of each colour bin, (27 * 27,) float32, of mean 1 over the pixels.

    A bin of probability p weighs 1 / ((1 - share) p + share / Q): share 1 weighs all alike.

    Source: Zhang, Isola, Efros, ECCV 2016, section 2.2.
    """
    counts = np.zeros(NUM_BINS * NUM_BINS)
    chosen = batches.train_indices[:: max(1, len(batches.train_indices) // num_photos)]
    for index in chosen:
        pixels = lab.rgb_to_lab(batches.cache.photo(int(index))[::3, ::3])
        ab = torch.from_numpy(pixels[..., 1:].reshape(-1, 2) / lab.AB_SCALE)
        counts += np.bincount(colour_bins(ab.T[None]).flatten().numpy(), minlength=counts.size)
    share_of = counts / counts.sum()
    seen = share_of > 0
    weight = np.zeros_like(share_of)
    weight[seen] = 1.0 / ((1.0 - share) * share_of[seen] + share / seen.sum())
    weight /= (weight * share_of).sum()
    weight[~seen] = weight[seen].max()
    return torch.from_numpy(weight.astype(np.float32))


def colour_bins(ab: Tensor) -> Tensor:
    """Returns the bin (N, ...) of each colour of ab (N, 2, ...), ab / 128."""
    index = ((ab * lab.AB_SCALE + NUM_BINS * BIN / 2) / BIN).floor().long().clamp(0, NUM_BINS - 1)
    return index[:, 0] * NUM_BINS + index[:, 1]


def colour_error(unary: Tensor, ab: Tensor, weight: Tensor) -> Tensor:
    """Returns the rarity-weighted mean absolute error in units of 10 ab, a scalar.

    Args:
        unary: (N, 2, h, w), ab / 128.
        ab: the truth, same shape.
        weight: (N, h, w).
    """
    return ((unary.float() - ab).abs().sum(1) * weight).mean() * UNIT


def colour_distance(unary: Tensor, ab: Tensor) -> Tensor:
    """Returns the mean absolute difference over each picture, (...), of fields (..., 2, h, w)."""
    return (unary.float() - ab).abs().mean((-3, -2, -1))


def gradient_error(unary: Tensor, ab: Tensor) -> Tensor:
    """Returns the mean absolute error of the colour gradients in units of 10 ab, a scalar.

    Source: the gradient term of Deshpande et al., CVPR 2017, section 4, which the paper takes over.
    """
    difference = unary.float() - ab
    down = (difference[:, :, 1:] - difference[:, :, :-1]).abs().mean()
    across = (difference[..., 1:] - difference[..., :-1]).abs().mean()
    return (down + across) * UNIT


def beyond_tint(gray: Tensor, ab: Tensor) -> Tensor:
    """Returns the RMS of the colour left after the best tint of each picture, (N,), in ab / 128.

    What `huefield.metrics.beyond_tint` measures: a and b less the quadratic in L that fits best.

    Args:
        gray: (N, 1, h, w), (L - 50) / 50.
        ab: (N, 2, h, w), ab / 128.
    """
    level = gray.float().flatten(2)  # (N, 1, P)
    powers = torch.cat([torch.ones_like(level), level, level.square()], dim=1)  # (N, 3, P)
    colours = ab.float().flatten(2)  # (N, 2, P)
    # A flat picture leaves its powers alike; a trace of a ridge keeps their system solvable.
    ridge = 1e-4 * level.shape[2] * torch.eye(3, device=level.device)
    fit = torch.linalg.solve(powers @ powers.mT + ridge, powers @ colours.mT)  # (N, 3, 2)
    left = colours - fit.mT @ powers
    rms: Tensor = (left.square().mean((1, 2)) + 1e-12).sqrt()
    return rms


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Returns KL(q(z | x, g) || N(0, 1)) per dimension, (N, Z)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance)


def num_active(means: Tensor) -> int:
    """Returns how many dimensions of posterior means (N, Z) vary over photos by more than 0.01.

    Source: Burda, Grosse, Salakhutdinov, ICLR 2016, section 5.2.
    """
    return int((means.var(dim=0, correction=min(1, len(means) - 1)) > 0.01).sum())


def mixture_loss(pi: Tensor, mu: Tensor, z: Tensor, sigma: float) -> Tensor:
    """Returns the nearest-component loss, (N,): -log pi_m + |z - mu_m|^2 / (2 sigma^2).

    Args:
        pi: (N, M).
        mu: (N, M, Z).
        z: (N, Z), draws or means of the frozen posterior; m is the component nearest to it.
        sigma: the fixed deviation.

    Source: the paper, Eq. 9.
    """
    nearest, m = (mu - z[:, None]).square().sum(2).min(dim=1)
    chosen = pi.gather(1, m[:, None])[:, 0]
    return nearest / (2.0 * sigma**2) - chosen.clamp_min(1e-8).log()
