"""Revealed points under other settings: size of the embedding, S, β, the grid.

Called by `ablations`. The reference is the row "G-CRF, points alone" of `train.evaluate`. An
embedding is cut to its first principal components over the photo's pixels, which keep the distances
(or inner products) that S is made of as well as so many numbers can: what a network trained with so
few would give is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from huefield import upsample
from huefield.gcrf import Kernel, Weights
from huefield.gcrf.opening import Backend, cuda_unavailable
from huefield.model_info import ModelInfo
from train.evaluation.photos import SquarePhoto
from train.evaluation.points import measure
from train.evaluation.revealed import points_seed
from train.evaluation.spreading import EmbedFn, GcrfSpread
from train.reproduction.ablations_samples import other_kernels

Floats = NDArray[np.float32]

SIDE = 256
COUNTS = (10, 50, 100)
SIZES = (2, 4, 8, 16, 32)
BETAS = (1.0, 5.0, 50.0)
WEIGHTS = Weights(beta_edit=5.0, beta_prior=1e-4, pairs=0.1)
FINE_SHARE = 20  # one photo of so many is measured on the fine grid, which takes minutes each
FIGURES = {f"psnr_{count}": f"PSNR at {count} points, dB" for count in COUNTS} | {
    "seconds": "seconds a photo"
}


@dataclass(frozen=True)
class Setting:
    """How points are spread.

    Attributes:
        kernel: how S is made of the embedding.
        weights: `beta_edit` pulls a revealed cell.
        area: cells of the grid.
        size: principal components of the embedding that are kept; 0 for the embedding as it is.
        share: one photo of so many is measured.
    """

    kernel: Kernel
    weights: Weights
    area: int
    size: int = 0
    share: int = 1


def settings(info: ModelInfo, num_photos: int) -> dict[str, Setting]:
    """The rows by name, the reference first; each other departs from it in one thing.

    Args:
        info: of the model.
        num_photos: photos that are measured; with few of them the fine grid is left out.
    """
    kernel = Kernel(info.kernel.kind, info.kernel.diagonal)
    shipped = Setting(kernel, WEIGHTS, info.grid_area)
    found = {f"as shipped, D = {info.embedding_size}": shipped}
    for size in SIZES:
        if size < info.embedding_size:
            found[f"D = {size}"] = replace(shipped, size=size)
    for name, other in other_kernels(kernel).items():
        found[name] = replace(shipped, kernel=other)
    for beta in BETAS:
        if beta != WEIGHTS.beta_edit:
            weights = replace(WEIGHTS, beta_edit=beta)
            found[f"β of revealed cells = {beta:g}"] = replace(shipped, weights=weights)
    found[_grid_name(info, info.grid_area // 4)] = replace(shipped, area=info.grid_area // 4)
    if num_photos >= FINE_SHARE:
        fine = replace(shipped, area=4 * info.grid_area, share=FINE_SHARE)
        found[_grid_name(info, fine.area)] = fine
    return found


def _grid(info: ModelInfo, area: int) -> tuple[int, int]:
    return upsample.grid_shape(SIDE, SIDE, area=area, multiple=info.multiple)


def _grid_name(info: ModelInfo, area: int) -> str:
    height, width = _grid(info, area)
    return f"grid {height} × {width}"


def principal(embedding: Floats, kind: str, size: int) -> Floats:
    """The first principal components (size, h, w) of an embedding (D, h, w) over its pixels.

    Args:
        embedding: (D, h, w).
        kind: of the kernel; distances are seen about the mean, inner products about 0.
        size: components kept; D or more only turn the embedding, which changes no S.
    """
    flat = embedding.reshape(len(embedding), -1).astype(np.float64)  # (D, P)
    if kind == "distance":
        flat = flat - flat.mean(axis=1, keepdims=True)
    _, axes = np.linalg.eigh(flat @ flat.T)  # by rising share
    kept = axes[:, ::-1][:, :size].T @ flat
    return kept.reshape(-1, *embedding.shape[1:]).astype(np.float32)


def spread_of(embed: EmbedFn, info: ModelInfo, setting: Setting) -> GcrfSpread:
    """The method that a setting comes to.

    Args:
        embed: the embedding of a scaled gray grid.
        info: of the model, for its grids.
        setting: the row's.
    """

    def cut(gray: Floats) -> Floats:
        embedding = embed(gray)
        if not setting.size:
            return embedding
        return principal(embedding, setting.kernel.kind, setting.size)

    # Without a GPU the fine grid would get the matrix-free form, which is slower still.
    backend: Backend = "cpu" if cuda_unavailable() else "auto"
    return GcrfSpread(
        cut,
        _grid(info, setting.area),
        kernel=setting.kernel,
        weights=setting.weights,
        backend=backend,
    )


def measure_points(
    photos: Sequence[SquarePhoto], spread: GcrfSpread, seed: int
) -> dict[str, list[float]]:
    """`FIGURES` of each photo, its points those of `train.evaluation.points`.

    Args:
        photos: squares of 256 pixels.
        spread: the method.
        seed: photo k draws its points from (seed, k).
    """
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for k, photo in enumerate(photos):
        psnr, seconds = measure(photo, points_seed(seed, k), spread, COUNTS)
        for name, value in zip(FIGURES, [*psnr, seconds], strict=True):
            found[name].append(value)
    return found
