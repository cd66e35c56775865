"""The fast bilateral solver: a few known colours, smooth in a bilateral grid of the photo.

A baseline of the revealed-points suite (`train.evaluation.points`). Kept of the method: the grid
over position and lightness with hard splat and slice, its [1, 2, 1] blur, bistochastisation, the
quadratic energy and its solution by preconditioned conjugate gradients. Made smaller: a grey guide
needs no chroma axes, so the grid has three; Jacobi in place of the hierarchical preconditioner,
run until it has converged. OpenCV has a solver of its own in `ximgproc`; it is left aside because
its package is 60 MB of other things and shows none of the steps, which the tests here look at.

Source: Barron & Poole 2016, "The Fast Bilateral Solver".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from train.baselines.known import check_known

FloatArray = NDArray[np.float32]
Doubles = NDArray[np.float64]

# Of 13 settings on 22 validation photos at 256 x 256 (`unsplash` and photos held out of `places`),
# mean PSNR over 1, 10, 50, 100 and 500 points: (6, 3, 2) 27.434 dB, (8, 3, 2) 27.437, (6, 4, 2)
# 27.415, (6, 2, 2) 27.411, (4, 4, 2) 27.374; a smoothness of 0.3 is within 0.01 dB of 2. Levin's
# method has 27.256 on the same photos.
SIGMA_PLACE = 6.0
SIGMA_LIGHT = 3.0
SMOOTHNESS = 2.0
BALANCINGS = 20  # of the bistochastisation; what is left over is corrected by the masses
TOLERANCE = 1e-5
MAX_STEPS = 5000


@dataclass(frozen=True)
class BilateralGrid:
    """The occupied vertices of a photo's bilateral grid, V of them.

    Attributes:
        splat: (V, P) float64, 1 where a pixel lies in a vertex's box; its transpose slices.
        blur: (V, V) float64, 2 on the diagonal for each of the three axes, 1 for each neighbour
            along one of them.
    """

    splat: sp.csr_matrix
    blur: sp.csr_matrix

    @classmethod
    def of(
        cls, lightness: NDArray[np.floating], sigma_place: float, sigma_light: float
    ) -> BilateralGrid:
        """The grid of a photo.

        Args:
            lightness: (H, W) L in 0..100.
            sigma_place: Edge of a box in pixels.
            sigma_light: Edge of a box in units of L.
        """
        height, width = lightness.shape
        rows, columns = np.mgrid[:height, :width]
        coordinates = np.stack(
            [
                np.rint(rows.ravel() / sigma_place),
                np.rint(columns.ravel() / sigma_place),
                np.rint(lightness.ravel() / sigma_light),
            ],
            axis=1,
        ).astype(np.int64)
        coordinates -= coordinates.min(axis=0)
        sizes = coordinates.max(axis=0) + 2  # one more: a step beyond the end meets no vertex
        strides = np.array([sizes[1] * sizes[2], sizes[2], 1])
        keys, vertex = np.unique(coordinates @ strides, return_inverse=True)
        num_pixels, num_vertices = len(vertex), len(keys)
        splat = sp.csr_matrix(
            (np.ones(num_pixels), (vertex, np.arange(num_pixels))),
            shape=(num_vertices, num_pixels),
        )
        blur = 2.0 * len(strides) * sp.identity(num_vertices, format="csr")
        for stride in strides:
            place = np.searchsorted(keys, keys + stride)
            place[place == num_vertices] = 0
            first = np.flatnonzero(keys[place] == keys + stride)
            ones = np.ones(len(first))
            step = sp.csr_matrix((ones, (first, place[first])), shape=blur.shape)
            blur = blur + step + step.T
        return cls(splat, sp.csr_matrix(blur))

    def balanced(self) -> tuple[Doubles, Doubles]:
        """Scales n (V,) that make n B n bistochastic, and the masses m (V,) = n B n 1.

        Source: the paper's supplement, Algorithm 1.
        """
        mass = np.asarray(self.splat.sum(axis=1)).ravel()
        scale = np.ones_like(mass)
        for _ in range(BALANCINGS):
            scale = np.sqrt(scale * mass / (self.blur @ scale))
        return scale, scale * (self.blur @ scale)

    def precision(self, confidence: Doubles, smoothness: float) -> sp.csr_matrix:
        """A = smoothness (Dm - Dn B Dn) + diag(S c), (V, V).

        Args:
            confidence: (P,), at least 0.
            smoothness: The paper's lambda.

        Source: the paper, Eq. 5 to 7.
        """
        scale, mass = self.balanced()
        smooth = sp.diags(mass) - sp.diags(scale) @ self.blur @ sp.diags(scale)
        return sp.csr_matrix(smoothness * smooth + sp.diags(self.splat @ confidence))


def solve(
    grid: BilateralGrid, confidence: Doubles, target: Doubles, start: Doubles, smoothness: float
) -> Doubles:
    """The smoothest field (V, C) that keeps near the targets.

    Where no confidence reaches, the system is singular, and conjugate gradients keep the start.

    Args:
        grid: Of the photo.
        confidence: (P,), at least 0.
        target: (P, C), read where the confidence is above 0.
        start: (C,), the field's first guess everywhere.
        smoothness: The paper's lambda.

    Raises:
        ValueError: Conjugate gradients do not converge.
    """
    system = grid.precision(confidence, smoothness)
    wanted = grid.splat @ (confidence[:, None] * target)
    jacobi = sp.diags(1.0 / np.maximum(system.diagonal(), 1e-12))
    field = np.empty(wanted.shape)
    for channel, first in enumerate(start):
        # The start is taken off first, so that the tolerance is relative to what is to be found.
        guess = np.full(len(wanted), first)
        change, failed = spla.cg(
            system,
            wanted[:, channel] - system @ guess,
            rtol=TOLERANCE,
            atol=1e-9,
            maxiter=MAX_STEPS,
            M=jacobi,
        )
        if failed:
            raise ValueError(f"the bilateral solver did not converge in {MAX_STEPS} steps")
        field[:, channel] = guess + change
    return field


def colorize(
    lightness: NDArray[np.floating],
    known: NDArray[np.bool_],
    colors: NDArray[np.floating],
    *,
    sigma_place: float = SIGMA_PLACE,
    sigma_light: float = SIGMA_LIGHT,
    smoothness: float = SMOOTHNESS,
) -> FloatArray:
    """The colours of a whole photo from those of its revealed pixels.

    Args:
        lightness: (H, W) L in 0..100.
        known: (H, W) true where the colour is revealed.
        colors: (H, W, 2) ab; read at the revealed pixels alone.
        sigma_place: Edge of a box of the grid in pixels.
        sigma_light: Edge of a box in units of L.
        smoothness: The paper's lambda, against a confidence of 1 on revealed pixels.

    Returns:
        (H, W, 2) float32 ab; equal to `colors` where `known`, as in Levin's method.

    Raises:
        ValueError: The shapes differ or nothing is revealed.

    Source: Barron & Poole 2016, section 2, with the confidences of its colorization (section 4).
    """
    check_known(lightness, known, colors)
    target = np.where(known[..., None], colors, 0.0).reshape(-1, 2).astype(np.float64)
    confidence = known.ravel().astype(np.float64)
    grid = BilateralGrid.of(lightness, sigma_place, sigma_light)
    start = target[known.ravel()].mean(axis=0)
    field = grid.splat.T @ solve(grid, confidence, target, start, smoothness)
    result = np.where(known[..., None], colors, field.reshape(colors.shape))
    return result.astype(np.float32)
