"""Colorization by optimization: a few known colours spread over alike neighbours.

The classical baseline of the revealed-points suite (`train.evaluation.points`). Each pixel's
colour is a weighted mean of its neighbours' colours, each revealed pixel keeps its own; with as
many equations as pixels that is one square sparse system, solved by sparse LU.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from train.baselines.known import check_known

FloatArray = NDArray[np.float32]

VARIANCE_FACTOR = 0.6
MIN_VARIANCE = 2e-6
MIN_WEIGHT = 0.01

_OFFSETS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def affinity(
    guide: NDArray[np.floating], *, variance_factor: float = VARIANCE_FACTOR
) -> sp.csr_matrix:
    """Weights of the 8 neighbours of each pixel; every row sums to 1.

    The weight of neighbour s of pixel r is exp(-(Y_r - Y_s)^2 / v_r), v_r being
    `variance_factor` times the variance of Y in the 3 x 3 window around r. Two floors keep the
    rows defined where the window is flat: v_r >= 2e-6, and v_r so large that the most alike
    neighbour weighs at least 0.01 before the row is normalised.

    Args:
        guide: (H, W) lightness scaled to 0..1.
        variance_factor: The paper's formula has 2; its authors' own program uses 0.6, the
            default here, since it scores higher on our photos (a baseline is to be at its best).

    Returns:
        (H*W, H*W) float64, pixels row-major.

    Source: Levin, Lischinski, Weiss 2004, "Colorization using Optimization", Eq. 2.
    """
    height, width = guide.shape
    num_pixels = height * width
    y = guide.astype(np.float64)
    padded = np.full((height + 2, width + 2), np.nan)
    padded[1:-1, 1:-1] = y
    neighbours = np.stack(
        [padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width] for dy, dx in _OFFSETS]
    )  # (8, H, W), nan outside the photo
    inside = ~np.isnan(neighbours)
    filled = np.where(inside, neighbours, 0.0)

    count = inside.sum(axis=0) + 1
    mean = (filled.sum(axis=0) + y) / count
    deviations = np.where(inside, neighbours - mean, 0.0)
    variance = ((deviations**2).sum(axis=0) + (y - mean) ** 2) / count

    squared = np.where(inside, neighbours - y, np.inf) ** 2
    scale = np.maximum(variance_factor * variance, squared.min(axis=0) / -np.log(MIN_WEIGHT))
    weights = np.exp(-squared / np.maximum(scale, MIN_VARIANCE))  # inf outside: weight 0
    weights /= weights.sum(axis=0)

    index = np.arange(num_pixels)
    steps = np.array([dy * width + dx for dy, dx in _OFFSETS])
    rows = np.broadcast_to(index, (8, num_pixels))
    columns = rows + steps[:, None]
    kept = inside.reshape(8, -1)
    return sp.csr_matrix(
        (weights.reshape(8, -1)[kept], (rows[kept], columns[kept])), shape=(num_pixels, num_pixels)
    )


def colorize(
    lightness: NDArray[np.floating],
    known: NDArray[np.bool_],
    colors: NDArray[np.floating],
    *,
    variance_factor: float = VARIANCE_FACTOR,
) -> FloatArray:
    """The colours of a whole photo from those of its revealed pixels.

    Solves x_r - sum_s w_rs x_s = 0 at every other pixel, with x given at the revealed ones. The
    revealed rows are the identity, so they are taken out of the square system beforehand; what
    is left has a symmetric pattern, which the LU's ordering makes use of.

    Args:
        lightness: (H, W) L in 0..100, both sides at least 2.
        known: (H, W) true where the colour is revealed.
        colors: (H, W, 2) ab; read at the revealed pixels alone.
        variance_factor: See `affinity`.

    Returns:
        (H, W, 2) float32 ab; equal to `colors` where `known`.

    Raises:
        ValueError: As `check_known`.

    Source: Levin, Lischinski, Weiss 2004, Section 2. Departure: L of Lab as the guide and ab as
    the colour, for YIQ, so that every method of the table spreads the same two channels.
    """
    check_known(lightness, known, colors)
    result = colors.reshape(-1, 2).astype(np.float64)
    fixed = known.ravel()
    free = np.flatnonzero(~fixed)
    if free.size:
        weights = affinity(lightness / 100.0, variance_factor=variance_factor)[free]
        system = sp.identity(free.size, format="csc") - weights[:, free]
        factor = spla.splu(
            sp.csc_matrix(system),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,  # the matrix is a diagonally dominant M-matrix
            options={"SymmetricMode": True},
        )
        revealed = np.flatnonzero(fixed)
        result[free] = factor.solve(weights[:, revealed] @ result[revealed])
    return result.reshape(colors.shape).astype(np.float32)
