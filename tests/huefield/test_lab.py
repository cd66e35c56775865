"""Lab against scikit-image, the gamut at fixed L, and the renderer against the plain formulas."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from skimage import color

from huefield import lab


@pytest.fixture(scope="module")
def cube() -> np.ndarray:
    """(17, 17, 17, 3) uint8: the sRGB cube, its corners and faces included."""
    steps = np.rint(np.linspace(0, 255, 17)).astype(np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)


def test_rgb_to_lab_agrees_with_scikit_image(cube: np.ndarray) -> None:
    expected = color.rgb2lab(cube)
    assert np.abs(lab.rgb_to_lab(cube) - expected).max() < 1e-3
    assert np.abs(lab.rgb_to_lab(cube / 255.0) - expected).max() < 1e-3
    assert lab.rgb_to_lab(cube).dtype == np.float32


def test_lab_to_rgb_agrees_with_scikit_image_and_returns(cube: np.ndarray) -> None:
    values = color.rgb2lab(cube)
    assert np.abs(lab.lab_to_rgb(values) - color.lab2rgb(values)).max() < 1e-3
    assert np.abs(lab.lab_to_rgb(lab.rgb_to_lab(cube)) - cube / 255).max() < 1e-3


def test_lightness_is_the_first_channel_of_lab(cube: np.ndarray) -> None:
    expected = lab.rgb_to_lab(cube)[..., 0]
    assert np.abs(lab.rgb_to_lightness(cube) - expected).max() < 1e-3
    assert np.abs(lab.rgb_to_lightness(cube / 255) - expected).max() < 1e-3
    assert lab.rgb_to_lightness(cube[0, 0, 0]).shape == ()
    assert lab.rgb_to_lightness(cube).min() >= 0
    assert lab.rgb_to_lightness(cube).max() <= 100


def test_scaling_maps_the_range_of_lab_to_one() -> None:
    gray = lab.scale_gray(np.array([0, 50, 100], np.float32))
    np.testing.assert_array_equal(gray, np.array([-1, 0, 1], np.float32))
    ab = np.array([[-128, 64]], np.float32)
    np.testing.assert_array_equal(lab.scale_ab(ab), np.array([[-1, 0.5]], np.float32))
    np.testing.assert_array_equal(lab.unscale_ab(lab.scale_ab(ab)), ab)
    assert gray.dtype == lab.scale_ab(ab).dtype == np.float32


def test_colours_inside_the_gamut_are_left_alone(cube: np.ndarray) -> None:
    values = lab.rgb_to_lab(cube)
    clipped = lab.clip_to_gamut(values[..., 0], values[..., 1:])
    np.testing.assert_array_equal(clipped, values[..., 1:])


def test_clipping_keeps_hue_and_reaches_the_surface() -> None:
    rng = np.random.default_rng(0)
    lightness = rng.uniform(2, 98, 5000).astype(np.float32)
    wanted = rng.uniform(-128, 128, (5000, 2)).astype(np.float32)
    clipped = lab.clip_to_gamut(lightness, wanted)
    # Hue: the clipped colour lies on the ray of the wanted one.
    cross = wanted[:, 0] * clipped[:, 1] - wanted[:, 1] * clipped[:, 0]
    assert np.abs(cross / np.hypot(*wanted.T)).max() < 1e-3
    before, after = np.hypot(*wanted.T), np.hypot(*clipped.T)
    assert (after <= before + 1e-4).all()
    moved = after < before - 1e-3
    assert 0.5 < moved.mean() < 1  # the case is met, and so is its opposite
    linear = np.stack(lab._linear(lightness, clipped[:, 0], clipped[:, 1]), axis=-1)
    assert linear.min() > -1e-3
    assert linear.max() < 1.01
    # Not clipped too far: 3 % more chroma is outside again.
    further = clipped[moved] * 1.03
    outside = lab._outside(*lab._linear(lightness[moved], further[:, 0], further[:, 1]))
    assert outside.mean() > 0.99


def test_black_and_white_have_no_colour() -> None:
    clipped = lab.clip_to_gamut(np.array([0.0, 100.0, 140.0]), np.full((3, 2), 60.0))
    assert np.abs(clipped).max() < 1.0


def test_render_equals_the_plain_formulas_inside_the_gamut(cube: np.ndarray) -> None:
    values = lab.rgb_to_lab(cube).reshape(17, 289, 3)
    rgb = lab.render_rgb8(values[..., 0], values[..., 1:])
    assert rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - cube.reshape(17, 289, 3)).max() <= 1


def test_render_keeps_lightness_however_wild_the_colours() -> None:
    rng = np.random.default_rng(1)
    lightness = rng.uniform(0, 100, (300, 400)).astype(np.float32)
    ab = rng.normal(0, 60, (300, 400, 2)).astype(np.float32)
    difference = np.abs(lab.rgb_to_lightness(lab.render_rgb8(lightness, ab)) - lightness)
    assert difference.mean() < 0.2
    assert difference.max() < 1.0
    plain = np.rint(lab.lab_to_rgb(np.dstack([lightness, ab])) * 255).astype(np.uint8)
    assert np.abs(lab.rgb_to_lightness(plain) - lightness).mean() > 1.0  # what clipping avoids


def test_render_without_colour_is_gray() -> None:
    codes = np.arange(256, dtype=np.uint8)
    lightness = lab.rgb_to_lightness(np.repeat(codes[None, :, None], 3, axis=2))
    rgb = lab.render_rgb8(lightness, np.zeros((1, 256, 2), np.float32))
    np.testing.assert_array_equal(rgb, np.repeat(codes[None, :, None], 3, axis=2))


@pytest.mark.parametrize("shape", [(1, 1), (1, 50_000), (50_000, 1), (3, 40_000)])
def test_render_takes_any_shape(shape: tuple[int, int]) -> None:
    lightness = np.full(shape, 60, np.float32)
    ab = np.broadcast_to(np.array([10, -20], np.float32), (*shape, 2))
    rgb = lab.render_rgb8(lightness, ab)
    assert rgb.shape == (*shape, 3)
    assert (rgb == rgb[0, 0]).all()


def test_render_needs_little_memory_beyond_its_result() -> None:
    lightness = np.full((2000, 2000), 60, np.float32)
    ab = np.full((2000, 2000, 2), 90, np.float32)  # all of it outside the gamut
    lab.render_rgb8(lightness[:2], ab[:2])
    tracemalloc.start()
    rgb = lab.render_rgb8(lightness, ab)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rgb.nbytes + 40_000_000
