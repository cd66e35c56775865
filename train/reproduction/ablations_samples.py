"""Samples under other settings than the shipped ones: the G-CRF, its β, S, and which are shown.

Called by `ablations`. Codes are the same in every row but that of the plain draws, and all rows
come from the shipped weights: the embedding was learned for the shipped kernel, so the row of the
other kernel tells what the embedding is worth under it, not what training with it would give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from huefield import metrics
from huefield.candidates import POOL_SIZE
from huefield.gcrf import GcrfError, Kernel, Weights, open_solver
from huefield.model_info import ModelInfo
from huefield.networks import Networks
from huefield.sampling import Sampler
from train.evaluation.photos import SquarePhoto

Floats = NDArray[np.float32]

COUNT = 8
BETAS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 5.0, 30.0)
FIGURES = {
    "image_mae": "error of best of 8 (MAE, ab/128)",
    "variance": "variance (ab/128)",
    "ssim_ab": "SSIM over pairs, ab",
    "beyond_tint": "colour beyond a tint, share of the truth's",
}


@dataclass(frozen=True)
class Setting:
    """How samples are made.

    Attributes:
        kernel: how S is made of the embedding.
        beta: pull to the unary; infinite where the G-CRF is off, 0 for the limit of ever less.
        pool_size: draws from which the samples are picked; 0 for plain draws.
    """

    kernel: Kernel
    beta: float
    pool_size: int = POOL_SIZE


def settings(info: ModelInfo) -> dict[str, Setting]:
    """The rows by name, the shipped setting first; each other departs from it in one thing."""
    kernel = Kernel(info.kernel.kind, info.kernel.diagonal)
    shipped = Setting(kernel, info.gcrf.beta)
    found = {
        f"as shipped, β = {shipped.beta:g}": shipped,
        "G-CRF off": replace(shipped, beta=math.inf),
    }
    for beta in BETAS:
        if beta != shipped.beta:
            found[f"β = {beta:g}" if beta else "β → 0"] = replace(shipped, beta=beta)
    for name, other in other_kernels(kernel).items():
        found[name] = replace(shipped, kernel=other)
    found["plain draws"] = replace(shipped, pool_size=0)
    return found


def other_kernels(kernel: Kernel) -> dict[str, Kernel]:
    """The kernels that differ from one in a single thing, by name."""
    diagonal = replace(kernel, diagonal=not kernel.diagonal)
    kind = Kernel("inner" if kernel.kind == "distance" else "distance", kernel.diagonal)
    return {
        f"diagonal of S {'kept' if diagonal.diagonal else 'left out'}": diagonal,
        "S of inner products" if kind.kind == "inner" else "S of distances": kind,
    }


def smoothed(unary: Floats, embedding: Floats, kernel: Kernel, beta: float) -> Floats:
    """Fields (n, P, 2), ab, that the G-CRF makes of a unary.

    Where β goes to 0 the energy wants rows of S to hold alone, which every constant field does, and
    of those the nearest to the unary: its mean colour everywhere.

    Args:
        unary: (n, P, 2), ab.
        embedding: (D, P).
        kernel: how S is made of it.
        beta: pull to the unary; infinite for the unary itself.
    """
    if math.isinf(beta):
        return unary
    if beta == 0:
        return np.broadcast_to(unary.mean(axis=1, keepdims=True), unary.shape)
    solver = open_solver(embedding, kernel, Weights(beta=beta))
    try:
        return solver.smooth(unary)
    except GcrfError:  # conjugate gradients gave up: the same minimum by factoring
        return solver.solve(np.full(unary.shape[1], beta, np.float32), unary)


class SetSamples:
    """The unary and the embedding of each photo, made once for all settings.

    Args:
        networks: the model.
        photos: squares at the size of the grid.
        seed: photo k is sampled with seed + k, as in Table 2.
    """

    def __init__(self, networks: Networks, photos: Sequence[SquarePhoto], seed: int) -> None:
        self._networks = networks
        self._photos = photos
        self._seed = seed
        self._made: dict[tuple[int, int], tuple[Floats, Floats]] = {}

    def measure(self, setting: Setting) -> dict[str, list[float]]:
        """`FIGURES` of each photo under a setting."""
        found: dict[str, list[float]] = {name: [] for name in FIGURES}
        for k, photo in enumerate(self._photos):
            fields = self.fields(k, setting)
            found["image_mae"].append(metrics.error_of_best(fields, photo.ab).image_mae)
            found["variance"].append(metrics.variance(fields))
            found["ssim_ab"].append(metrics.pairwise_ssim(fields, metrics.AB_RANGE))
            beyond = [metrics.beyond_tint(photo.lightness, ab) for ab in fields]
            found["beyond_tint"].append(float(np.mean(beyond)))
        return found

    def fields(self, k: int, setting: Setting) -> Floats:
        """Samples (8, h, w, 2), ab, of photo k."""
        unary, embedding = self._unary(k, setting.pool_size)
        fields = smoothed(unary, embedding, setting.kernel, setting.beta)
        return fields.reshape(COUNT, *self._photos[k].lightness.shape, 2)

    def truths(self) -> dict[str, list[float]]:
        """The true photos' values of the figure that is told as a share of theirs."""
        return {"beyond_tint": [metrics.beyond_tint(p.lightness, p.ab) for p in self._photos]}

    def _unary(self, k: int, pool_size: int) -> tuple[Floats, Floats]:
        """Unary (8, P, 2), ab, and embedding (D, P) of photo k."""
        if (k, pool_size) not in self._made:
            lightness = self._photos[k].lightness
            grid = (lightness.shape[0], lightness.shape[1])
            sampler = Sampler(self._networks, lightness, grid, {}, pool_size)
            unary = sampler.unary(sampler.draws(COUNT, self._seed + k).z)
            embedding = self._networks.embed(sampler.gray)
            self._made[k, pool_size] = unary, embedding.reshape(len(embedding), -1)
        return self._made[k, pool_size]
