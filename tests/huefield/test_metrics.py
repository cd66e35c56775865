from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from huefield import lab, metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def pictures(color_photos: Mapping[str, Path]) -> list[np.ndarray]:
    """Three real photos, (72, 96, 3) uint8."""
    loaded = []
    for path in list(color_photos.values())[:3]:
        with Image.open(path) as image:
            loaded.append(np.asarray(image.convert("RGB").resize((96, 72), Image.Resampling.BOX)))
    return loaded


@pytest.fixture(scope="module")
def fields(pictures: list[np.ndarray]) -> np.ndarray:
    """Their ab, (3, 72, 96, 2)."""
    return np.stack([lab.rgb_to_lab(picture)[..., 1:] for picture in pictures])


def test_error_of_best_by_hand() -> None:
    truth = np.zeros((1, 2, 2))
    samples = np.array([[[[128, 128], [0, 0]]], [[[0, 0], [64, 64]]]], float)
    errors = metrics.error_of_best(samples, truth)
    assert errors.image_mae == pytest.approx(0.25)
    assert errors.image_mse == pytest.approx(0.125)
    assert errors.pixel_mse == 0.0  # each pixel is right in one of the samples


def test_pixel_wise_best_is_never_above_image_wise(fields: np.ndarray) -> None:
    errors = metrics.error_of_best(fields[1:], fields[0])
    assert 0 < errors.pixel_mse < errors.image_mse
    fewer = metrics.error_of_best(fields[1:2], fields[0])
    assert errors.image_mae <= fewer.image_mae
    assert metrics.error_of_best(fields, fields[0]).image_mae == 0


def test_error_of_best_names_the_shapes(fields: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(3, 72, 96, 2\), \(72, 95, 2\)"):
        metrics.error_of_best(fields, fields[0][:, 1:])
    with pytest.raises(ValueError, match="expected"):
        metrics.error_of_best(fields[:0], fields[0])


def test_variance_is_unbiased(fields: np.ndarray) -> None:
    pairs = [((fields[i] - fields[j]) ** 2).mean() / 2 for i, j in ((0, 1), (0, 2), (1, 2))]
    assert metrics.variance(fields) == pytest.approx(np.mean(pairs) / 128**2, rel=1e-5)
    with pytest.raises(ValueError, match="N >= 2"):
        metrics.variance(fields[:1])


@pytest.mark.parametrize("kind", ["rgb", "ab"])
def test_ssim_agrees_with_scikit_image(
    kind: str, pictures: list[np.ndarray], fields: np.ndarray
) -> None:
    first, second = (pictures[0], pictures[1]) if kind == "rgb" else (fields[0], fields[1])
    data_range = metrics.RGB_RANGE if kind == "rgb" else metrics.AB_RANGE
    expected = structural_similarity(
        first.astype(np.float64),
        second.astype(np.float64),
        data_range=data_range,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert metrics.ssim(first, second, data_range) == pytest.approx(expected, abs=1e-9)
    assert metrics.ssim(first, first, data_range) == pytest.approx(1.0)
    assert metrics.ssim(first, second, data_range / 8) != pytest.approx(expected, abs=1e-3)


def test_pairwise_ssim_is_the_mean_over_all_pairs(fields: np.ndarray) -> None:
    pairs = [metrics.ssim(fields[i], fields[j], 256.0) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert metrics.pairwise_ssim(fields, 256.0) == pytest.approx(np.mean(pairs))
    with pytest.raises(ValueError, match="H >= 11"):
        metrics.pairwise_ssim(fields[:, :10], 256.0)


def test_colorfulness(pictures: list[np.ndarray]) -> None:
    gray = np.full((8, 8, 3), 90, np.uint8)
    assert metrics.colorfulness(gray) == 0
    half = gray.copy()
    half[:4] = (255, 0, 0)  # rg: 255 and 0, yb: 127.5 and 0
    expected = np.hypot(127.5, 63.75) + 0.3 * np.hypot(127.5, 63.75)
    assert metrics.colorfulness(half) == pytest.approx(expected)
    photo = pictures[0]
    pale = ((photo.astype(float) + photo.mean(axis=2, keepdims=True)) / 2).astype(np.uint8)
    distance = metrics.colorfulness_distance(np.stack([photo, pale]), photo)
    assert distance == pytest.approx(
        (metrics.colorfulness(photo) - metrics.colorfulness(pale)) / 2, rel=1e-9
    )
    assert distance > 1


def test_a_toned_picture_has_no_colour_beyond_its_tint(pictures: list[np.ndarray]) -> None:
    true = lab.rgb_to_lab(pictures[0])
    lightness, level = true[..., 0], (true[..., :1] - 50) / 50
    sepia = np.concatenate([8 + 3 * level, 20 - 5 * level**2], axis=-1)
    assert metrics.beyond_tint(lightness, sepia) < 1e-5
    colorful = metrics.beyond_tint(lightness, true[..., 1:])
    assert colorful > 2
    both = metrics.beyond_tint(lightness, true[..., 1:] * 0.5 + sepia)
    assert both == pytest.approx(colorful / 2, rel=1e-5)


def test_tints_of_the_whole_picture_add_nothing_to_the_variance_beyond_them(
    pictures: list[np.ndarray],
) -> None:
    true = lab.rgb_to_lab(pictures[0])
    lightness, level = true[..., 0], (true[..., :1] - 50) / 50
    sepia = np.concatenate([8 + 3 * level, 20 - 5 * level**2], axis=-1)
    tinted = np.stack([true[..., 1:], true[..., 1:] + sepia, true[..., 1:] - 2 * sepia])
    assert metrics.variance(tinted) > 1e-3
    assert metrics.variance_beyond_tint(lightness, tinted) < 1e-12
    things = tinted + np.where(np.arange(level.shape[1]) % 2, 7.0, 0.0)[:, None] * np.array(
        [1.0, -1.0, 0.0]
    ).reshape(3, 1, 1, 1)
    left = metrics.variance_beyond_tint(lightness, things)
    assert 0 < left < 49 / 4 / 128**2 * 1.001
    assert left == pytest.approx(49 / 4 / 128**2, rel=0.01)
    with pytest.raises(ValueError, match="expected L"):
        metrics.variance_beyond_tint(lightness[1:], tinted)


def test_share_beyond_tint_sums_before_it_divides() -> None:
    assert metrics.beyond_tint_share(
        np.array([[1.0, 3.0], [6.0, 6.0]]), np.array([0.0, 16.0])
    ) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="no true photo"):
        metrics.beyond_tint_share(np.ones((2, 2)), np.zeros(2))


def test_fixed_tints_find_clusters_whatever_the_order() -> None:
    random = np.random.default_rng(3)
    centers = np.array([[0, 0], [40, 0], [0, 40], [-40, 0], [0, -40], [40, 40], [-40, 40], [9, 80]])
    sizes = np.arange(20, 4, -2)
    points = np.concatenate(
        [c + random.normal(0, 1, (n, 2)) for c, n in zip(centers, sizes, strict=True)]
    )
    tints = metrics.fixed_tints(points, seed=0)
    np.testing.assert_allclose(tints, centers, atol=1.5)  # largest cluster first
    np.testing.assert_array_equal(tints, metrics.fixed_tints(points, seed=0))
    shuffled = metrics.fixed_tints(random.permutation(points), seed=5)
    np.testing.assert_allclose(tints, shuffled, atol=1e-4)
    with pytest.raises(ValueError, match="8 tints need"):
        metrics.fixed_tints(points[:7])
    assert len(metrics.fixed_tints(np.zeros((9, 2)))) == 8  # photos of one colour


def test_best_tint_mae(fields: np.ndarray) -> None:
    tints = np.array([[0, 0], fields[0].mean(axis=(0, 1))])
    alone = np.abs(fields[0] - tints[1]).mean() / 128
    assert metrics.best_tint_mae(fields[0], tints) == pytest.approx(
        min(alone, np.abs(fields[0]).mean() / 128), rel=1e-5
    )


def test_psnr_agrees_with_scikit_image(pictures: list[np.ndarray]) -> None:
    expected = peak_signal_noise_ratio(pictures[0], pictures[1])
    assert metrics.psnr(pictures[0], pictures[1]) == pytest.approx(expected)
    assert metrics.psnr(pictures[0], pictures[0]) == np.inf


def test_mean_ab_error_and_flood() -> None:
    before = np.zeros((2, 2, 2))
    after = before.copy()
    after[0] = (3, 4)
    mask = np.array([[True, False], [False, False]])
    assert metrics.mean_ab_error(after, before) == pytest.approx(2.5)
    assert metrics.mean_ab_error(after, np.array([3.0, 4.0])) == pytest.approx(2.5)
    result = metrics.flood(before, after, mask)
    assert result.inside == pytest.approx(5)
    assert result.outside == pytest.approx(5 / 3)
    assert metrics.flood(before, after, np.ones((2, 2), bool)).outside == 0
