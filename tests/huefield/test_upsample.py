"""The grid down and up: exact means, edges kept better than by interpolation, any shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from huefield import lab, upsample

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def lab_photos(color_photos: Mapping[str, Path]) -> list[Floats]:
    """Lab of the shipped examples that have colours, the longer side 480 pixels."""
    photos = []
    for path in color_photos.values():
        with Image.open(path) as image:
            small = image.convert("RGB")
        small.thumbnail((480, 480), Image.Resampling.LANCZOS)
        photos.append(lab.rgb_to_lab(np.asarray(small)))
    return photos


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512), (64, 64)),
        ((768, 1024), (56, 72)),
        ((1024, 768), (72, 56)),
        ((4000, 6000), (56, 80)),
        ((1, 20_000), (8, 576)),
        ((20_000, 1), (576, 8)),
        ((1, 1), (64, 64)),
    ],
)
def test_grid_keeps_aspect_and_area(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert upsample.grid_shape(*size) == expected


def test_grid_follows_area_and_multiple() -> None:
    for aspect in np.geomspace(0.25, 4, 33):
        h, w = upsample.grid_shape(1000, round(1000 * aspect))
        assert h % 8 == w % 8 == 0
        assert 0.8 <= h * w / 4096 <= 1.125
        assert abs(np.log(w / h / aspect)) < 0.12
    assert upsample.grid_shape(300, 300, area=1024) == (32, 32)
    assert upsample.grid_shape(300, 400, area=1024, multiple=4) == (28, 36)


@pytest.mark.parametrize("shape", [(48, 64), (50, 61), (7, 130), (1, 9), (3, 3)])
def test_means_are_exact_areas(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    grid = (8, 16)
    # The independent way: make every pixel 8 x 16 equal ones, then average whole blocks.
    fine = np.repeat(np.repeat(values, grid[0], axis=0), grid[1], axis=1)
    blocks = fine.reshape(grid[0], shape[0], grid[1], shape[1]).mean(axis=(1, 3), dtype=float)
    np.testing.assert_allclose(upsample.grid_lightness(values, grid), blocks, atol=1e-4)
    both = upsample.grid_ab(np.stack([values, -values], axis=-1), grid)
    np.testing.assert_allclose(both[..., 0], blocks, atol=1e-4)
    np.testing.assert_allclose(both[..., 1], -blocks, atol=1e-4)
    assert both.dtype == np.float32


def test_bilinear_agrees_with_pillow() -> None:
    field = np.random.default_rng(0).normal(size=(8, 16, 2)).astype(np.float32)
    result = upsample.bilinear(field, (100, 90))
    for k in range(2):
        image = Image.fromarray(np.ascontiguousarray(field[..., k]))
        expected = np.asarray(image.resize((90, 100), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(result[..., k], expected, atol=1e-4)


def _errors(photo: Floats, middle: int | None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Mean ab error near strong edges and everywhere, of bilinear and of the guide."""
    if middle is not None:
        monkeypatch.setattr(upsample, "MIDDLE_PIXELS", middle)
    lightness = np.ascontiguousarray(photo[..., 0])
    slope = ndimage.gaussian_gradient_magnitude(lightness, 1.0)
    edge = ndimage.binary_dilation(slope > np.percentile(slope, 92), iterations=2)
    field = upsample.grid_ab(photo[..., 1:], upsample.grid_shape(*lightness.shape))
    guided = upsample.upsample(field, lightness)
    plain = upsample.bilinear(field, lightness.shape)
    misses = [np.linalg.norm(ab - photo[..., 1:], axis=-1) for ab in (plain, guided)]
    return [misses[0][edge].mean(), misses[1][edge].mean(), misses[0].mean(), misses[1].mean()]


@pytest.mark.parametrize("middle", [None, 40_000])
def test_edges_bleed_less_than_with_bilinear_on_real_photos(
    lab_photos: list[Floats], middle: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = np.array([_errors(photo, middle, monkeypatch) for photo in lab_photos])
    plain_edge, guided_edge, plain, guided = errors.mean(axis=0)
    assert guided_edge < 0.95 * plain_edge
    assert guided < 0.97 * plain


@pytest.mark.parametrize("middle", [10**8, 3_000])
def test_colours_do_not_cross_a_step(middle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsample, "MIDDLE_PIXELS", middle)
    lightness = np.full((160, 160), 30, np.float32)
    lightness[:, 85:] = 75
    ab = np.zeros((160, 160, 2), np.float32)
    ab[:, :85] = (40, 20)
    ab[:, 85:] = (-20, -30)
    field = upsample.grid_ab(ab, (16, 16))
    guided = np.abs(upsample.upsample(field, lightness) - ab).max(axis=-1)
    plain = np.abs(upsample.bilinear(field, (160, 160)) - ab).max(axis=-1)
    assert guided[:, 78:92].mean() < 0.2 * plain[:, 78:92].mean()


@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1), (5, 7), (64, 64), (700, 900)])
def test_any_shape_and_an_even_field_stays_even(shape: tuple[int, int]) -> None:
    lightness = np.random.default_rng(0).uniform(0, 100, shape).astype(np.float32)
    field = np.broadcast_to(np.array([12, -7], np.float32), (*upsample.grid_shape(*shape), 2))
    result = upsample.upsample(field, lightness)
    assert result.shape == (*shape, 2)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, np.broadcast_to(field[0, 0], result.shape), atol=2e-3)


def test_cells_keep_their_mean(lab_photos: list[Floats]) -> None:
    photo = lab_photos[0]
    field = upsample.grid_ab(photo[..., 1:], (56, 72))
    back = upsample.grid_ab(upsample.upsample(field, photo[..., 0].copy()), (56, 72))
    rough = upsample.grid_ab(upsample.bilinear(field, photo.shape[:2]), (56, 72))
    assert np.abs(back - field).mean() < 0.25 * np.abs(rough - field).mean()


def test_guide_is_reusable_and_counts_its_bytes(lab_photos: list[Floats]) -> None:
    lightness = np.ascontiguousarray(lab_photos[0][..., 0])
    rng = np.random.default_rng(0)
    one = rng.normal(0, 20, (32, 40, 2)).astype(np.float32)
    guide = upsample.Guide(lightness)
    assert guide.nbytes == lightness.nbytes
    first = guide.upsample(one)
    assert guide.nbytes > lightness.nbytes
    np.testing.assert_array_equal(guide.upsample(one), first)
    np.testing.assert_array_equal(upsample.upsample(one, lightness), first)
    ready = upsample.Guide(lightness, (32, 40))
    assert ready.nbytes == guide.nbytes
    np.testing.assert_array_equal(ready.upsample(one), first)
    other = upsample.Guide(lightness[::-1].copy()).upsample(one)
    assert np.abs(other - first).max() > 1  # the photo does guide
