"""How good, how varied and how coloured a set of colourings is: each figure with its definition.

`train.evaluate` reports them all; the training stages and the tests use single ones. Colours come
in Lab units here; where the definition says ab/128, the division happens inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huefield.lab import AB_SCALE

Array = NDArray[np.floating]
Doubles = NDArray[np.float64]

AB_RANGE = 256.0  # data range of ab for SSIM: -128..128
RGB_RANGE = 255.0
_WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


@dataclass(frozen=True)
class BestErrors:
    """Error of the best of N samples in three readings, all in ab/128.

    Attributes:
        image_mae: min over samples of the mean |x - truth| over pixels and channels.
        image_mse: min over samples of the mean (x - truth)^2 over pixels and channels.
        pixel_mse: mean over pixels of the min over samples of the mean (x - truth)^2 over channels;
            the best sample is chosen anew at every pixel, so it is never above `image_mse`.
    """

    image_mae: float
    image_mse: float
    pixel_mse: float


@dataclass(frozen=True)
class Flood:
    """Mean distance in the ab plane between two colourings, inside and outside of a mask."""

    inside: float
    outside: float


def _require(condition: bool, expected: str, *arrays: NDArray[np.generic]) -> None:
    if not condition:
        raise ValueError(f"expected {expected}, got {', '.join(str(a.shape) for a in arrays)}")


def error_of_best(samples: Array, truth: Array) -> BestErrors:
    """Three errors of the best of N samples, in ab/128.

    Args:
        samples: (N, h, w, 2) ab in Lab units, N >= 1.
        truth: (h, w, 2) ab in Lab units.

    Source: Messaoud et al. 2018, Table 2, which doesn't say which of the readings it reports.
    """
    _require(
        samples.ndim == 4 and samples.shape[1:] == truth.shape and len(samples) > 0,
        "(N, h, w, 2) and (h, w, 2)",
        samples,
        truth,
    )
    difference = (samples.astype(np.float64) - truth) / AB_SCALE
    squared = difference**2
    return BestErrors(
        image_mae=float(np.abs(difference).mean(axis=(1, 2, 3)).min()),
        image_mse=float(squared.mean(axis=(1, 2, 3)).min()),
        pixel_mse=float(squared.mean(axis=3).min(axis=0).mean()),
    )


def variance(samples: Array) -> float:
    """Unbiased variance over the samples of ab/128, mean over pixels and channels.

    Args:
        samples: (N, h, w, 2) ab in Lab units, N >= 2.

    Source: Messaoud et al. 2018, Table 2.
    """
    _require(samples.ndim == 4 and len(samples) > 1, "(N >= 2, h, w, 2)", samples)
    return float((samples.astype(np.float64) / AB_SCALE).var(axis=0, ddof=1).mean())


def variance_beyond_tint(lightness: Array, samples: Array) -> float:
    """The part of `variance` that is left when each sample has lost its best tint.

    Two samples that differ by a tint of the whole picture alone differ in nothing that it shows:
    they add to `variance`, to this they add 0. What a tint is, `beyond_tint` says.

    Args:
        lightness: (h, w) L.
        samples: (N, h, w, 2) ab in Lab units, N >= 2.
    """
    return variance(_without_tint(lightness, samples))


def _blur_matrix(size: int) -> Doubles:
    """Rows of the 11-tap Gaussian at every place where it fits, (size - 10, size)."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    taps = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    matrix = np.zeros((size - _WINDOW + 1, size))
    for row in range(len(matrix)):
        matrix[row, row : row + _WINDOW] = taps / taps.sum()
    return matrix


def _planes(images: NDArray[np.generic]) -> Doubles:
    """Channels first: (N, H, W, C) to (N, C, H, W) float64."""
    return np.ascontiguousarray(np.moveaxis(images.astype(np.float64), -1, 1))


def ssim(first: NDArray[np.generic], second: NDArray[np.generic], data_range: float) -> float:
    """Structural similarity of two pictures, mean over places and channels, 1 for equal ones.

    Wang's settings: 11 x 11 Gaussian window with sigma 1.5, K1 = 0.01, K2 = 0.03, weighted
    (biased) variances, only places where the whole window fits.

    Args:
        first: (H, W, C), both sides at least 11.
        second: (H, W, C).
        data_range: Largest minus smallest possible value: `RGB_RANGE` for 8-bit RGB, `AB_RANGE`
            for ab in Lab units.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality Assessment", Eq. 13-17.
    """
    _require(first.shape == second.shape, "two pictures of one shape", first, second)
    return pairwise_ssim(np.stack([first, second]), data_range)


def pairwise_ssim(images: NDArray[np.generic], data_range: float) -> float:
    """Mean of `ssim` over all N (N - 1) / 2 pairs of pictures.

    Args:
        images: (N, H, W, C), N >= 2, both sides at least 11.
        data_range: See `ssim`.
    """
    _require(
        images.ndim == 4 and len(images) > 1 and min(images.shape[1:3]) >= _WINDOW,
        "(N >= 2, H >= 11, W >= 11, C)",
        images,
    )
    planes = _planes(images)
    down = _blur_matrix(planes.shape[2])
    across = _blur_matrix(planes.shape[3]).T
    mean = down @ planes @ across  # (N, C, H - 10, W - 10)
    power = down @ planes**2 @ across - mean**2
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    total = 0.0
    for i in range(len(planes) - 1):
        others = slice(i + 1, None)
        product = mean[i] * mean[others]
        covariance = down @ (planes[i] * planes[others]) @ across - product
        luminance = (2 * product + c1) / (mean[i] ** 2 + mean[others] ** 2 + c1)
        structure = (2 * covariance + c2) / (power[i] + power[others] + c2)
        total += float((luminance * structure).mean(axis=(1, 2, 3)).sum())
    return total / (len(planes) * (len(planes) - 1) / 2)


def colorfulness(rgb: NDArray[np.uint8]) -> float:
    """Hasler-Suesstrunk colourfulness M3 of a picture: 0 for grey, about 15 slight, 60 strong.

    sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2), with rg = R - G and
    yb = (R + G) / 2 - B over all pixels.

    Args:
        rgb: (H, W, 3) uint8.

    Source: Hasler, Suesstrunk 2003, "Measuring colourfulness in natural images".
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def colorfulness_distance(samples: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Mean over samples of |M3(sample) - M3(truth)|.

    Args:
        samples: (N, H, W, 3) uint8.
        truth: (H, W, 3) uint8.
    """
    wanted = colorfulness(truth)
    return float(np.mean([abs(colorfulness(sample) - wanted) for sample in samples]))


def beyond_tint(lightness: Array, ab: Array) -> float:
    """RMS of the colour that is left after the best tint of one picture, in Lab units.

    A tint is what a person gets by toning a grey print: a and b each a quadratic in L, fitted to
    the picture by least squares. A toned picture has 0 here.

    Args:
        lightness: (h, w) L.
        ab: (h, w, 2).
    """
    return float(np.sqrt((_without_tint(lightness, ab[None]) ** 2).mean()))


def _without_tint(lightness: Array, samples: Array) -> Doubles:
    """Samples (N, h, w, 2) of L (h, w), each less the quadratic in L that fits it best."""
    _require(
        samples.ndim == 4 and samples.shape[1:] == (*lightness.shape, 2),
        "L (h, w) and ab (N, h, w, 2)",
        lightness,
        samples,
    )
    level = (lightness.reshape(-1).astype(np.float64) - 50) / 50
    powers = np.stack([np.ones_like(level), level, level**2], axis=1)  # (P, 3)
    colors = samples.astype(np.float64).transpose(1, 2, 0, 3).reshape(len(level), -1)  # (P, 2 N)
    rest = colors - powers @ np.linalg.lstsq(powers, colors, rcond=None)[0]
    height, width = lightness.shape
    return np.ascontiguousarray(rest.reshape(height, width, -1, 2).transpose(2, 0, 1, 3))


def beyond_tint_share(samples: Array, truths: Array) -> float:
    """Colour beyond a tint over a whole set, as a share of the truth's: 1 would be right.

    The sum over photos of the mean over samples of `beyond_tint`, over the sum of the truths'.
    Sums come before the ratio, so that a photo that is a tint itself can't divide by zero.

    Args:
        samples: (K, N) `beyond_tint` of N samples of K photos.
        truths: (K,) `beyond_tint` of the true photos.

    Raises:
        ValueError: No photo has colour beyond a tint.
    """
    total = float(truths.sum())
    if total <= 0:
        raise ValueError("no true photo has colour beyond a tint, so there is no share of it")
    return float(samples.mean(axis=1).sum()) / total


def fixed_tints(mean_ab: Array, num_tints: int = 8, seed: int = 0) -> NDArray[np.float32]:
    """Tints (num_tints, 2) that lie nearest to a set's photos: k-means of their mean ab.

    k-means++ starts, ten of them, the tightest kept; ordered by size of cluster, largest first.

    Args:
        mean_ab: (K, 2) mean ab of each photo, Lab units, K >= num_tints.
        num_tints: Number of tints.
        seed: Of the starts; the same photos and seed give the same tints.

    Raises:
        ValueError: There are fewer photos than tints.
    """
    points = mean_ab.astype(np.float64)
    if len(points) < num_tints:
        raise ValueError(f"{num_tints} tints need as many photos at least, got {len(points)}")
    random = np.random.default_rng(seed)
    best, best_spread = np.zeros((num_tints, 2)), np.inf
    for _ in range(10):
        centers = points[random.integers(len(points))][None]
        while len(centers) < num_tints:
            nearest = ((points[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
            odds = nearest + 1e-12  # photos of one colour: any of them will do
            centers = np.vstack([centers, points[random.choice(len(points), p=odds / odds.sum())]])
        for _ in range(100):
            member = ((points[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
            moved = centers.copy()
            for k in np.unique(member):
                moved[k] = points[member == k].mean(axis=0)
            if np.allclose(moved, centers, rtol=0, atol=1e-9):
                break
            centers = moved
        distances = ((points[:, None] - centers) ** 2).sum(axis=2)
        spread = float(distances.min(axis=1).sum())
        if spread < best_spread:
            sizes = np.bincount(distances.argmin(axis=1), minlength=num_tints)
            best, best_spread = centers[np.argsort(-sizes, kind="stable")], spread
    return best.astype(np.float32)


def best_tint_mae(truth: Array, tints: Array) -> float:
    """Image-wise MAE of the best of some fixed tints, in ab/128: `error_of_best` of flat fields.

    Args:
        truth: (h, w, 2) ab in Lab units.
        tints: (T, 2) ab in Lab units.
    """
    flat = np.broadcast_to(tints[:, None, None, :], (len(tints), *truth.shape))
    return error_of_best(flat, truth).image_mae


def psnr(rgb: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of 8-bit RGB: 10 log10(255^2 / MSE); inf for equal ones.

    Args:
        rgb: (H, W, 3) uint8.
        truth: (H, W, 3) uint8.
    """
    _require(rgb.shape == truth.shape, "two pictures of one shape", rgb, truth)
    error = float(((rgb.astype(np.float64) - truth) ** 2).mean())
    return float("inf") if error == 0 else float(10 * np.log10(RGB_RANGE**2 / error))


def mean_ab_error(ab: Array, truth: Array) -> float:
    """Mean distance in the ab plane, Lab units.

    Args:
        ab: (..., 2).
        truth: (..., 2), or anything that broadcasts to it.
    """
    difference = ab.astype(np.float64) - truth
    return float(np.hypot(difference[..., 0], difference[..., 1]).mean())


def flood(before: Array, after: Array, mask: NDArray[np.bool_]) -> Flood:
    """How far colours moved inside and outside of a mask.

    Args:
        before: (H, W, 2) ab.
        after: (H, W, 2) ab.
        mask: (H, W); a side without pixels counts as 0.
    """
    _require(before.shape == after.shape, "two fields of one shape", before, after)

    def moved(chosen: NDArray[np.bool_]) -> float:
        return mean_ab_error(after[chosen], before[chosen]) if chosen.any() else 0.0

    return Flood(inside=moved(mask), outside=moved(~mask))
