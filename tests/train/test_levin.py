from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.sparse as sp
from PIL import Image
from scipy.sparse.linalg import spsolve
from skimage.color import rgb2lab

from train.baselines import levin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def photo(color_photos: Mapping[str, Path]) -> np.ndarray:
    """Lab of a real photo, (48, 64, 3)."""
    with Image.open(next(iter(color_photos.values()))) as image:
        return rgb2lab(np.asarray(image.convert("RGB").resize((64, 48), Image.Resampling.BOX)))


def revealed(shape: tuple[int, int], count: int) -> np.ndarray:
    known = np.zeros(shape, bool)
    random = np.random.default_rng(1)
    known[random.integers(shape[0], size=count), random.integers(shape[1], size=count)] = True
    return known


def test_rows_are_the_papers_weights(photo: np.ndarray) -> None:
    guide = photo[..., 0] / 100
    weights = levin.affinity(guide, variance_factor=2.0)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    row, column = 20, 31
    window = guide[row - 1 : row + 2, column - 1 : column + 2]
    expected = np.exp(-((window - window[1, 1]) ** 2) / (2 * window.var()))
    expected[1, 1] = 0
    index = np.arange(48 * 64).reshape(48, 64)[row - 1 : row + 2, column - 1 : column + 2]
    got = weights[row * 64 + column, index.ravel()].toarray().reshape(3, 3)
    np.testing.assert_allclose(got, expected / expected.sum(), atol=1e-9)
    assert weights[0].nnz == 3  # a corner has three neighbours
    assert weights[row * 64].nnz == 5  # rows do not wrap around


def test_flat_windows_stay_defined() -> None:
    weights = levin.affinity(np.full((5, 6), 0.4))
    np.testing.assert_allclose(weights.data[weights.indptr[7] : weights.indptr[8]], 1 / 8)


def test_solves_the_full_square_system(photo: np.ndarray) -> None:
    lightness, ab = photo[..., 0], photo[..., 1:]
    known = revealed(lightness.shape, 30)
    got = levin.colorize(lightness, known, ab)
    np.testing.assert_allclose(got[known], ab[known], atol=1e-4)
    free = sp.diags((~known.ravel()).astype(float))
    system = sp.identity(known.size) - free @ levin.affinity(lightness / 100)
    right = np.where(known[..., None], ab, 0).reshape(-1, 2)
    expected = spsolve(system.tocsc(), right).reshape(ab.shape)
    np.testing.assert_allclose(got, expected, atol=1e-3)


def test_colours_stay_between_the_revealed_ones(photo: np.ndarray) -> None:
    lightness, ab = photo[..., 0], photo[..., 1:]
    known = revealed(lightness.shape, 12)
    got = levin.colorize(lightness, known, ab)
    assert (got.min(axis=(0, 1)) >= ab[known].min(axis=0) - 1e-3).all()
    assert (got.max(axis=(0, 1)) <= ab[known].max(axis=0) + 1e-3).all()


def test_one_colour_goes_everywhere(photo: np.ndarray) -> None:
    lightness = photo[..., 0]
    known = np.zeros(lightness.shape, bool)
    known[5, 5] = True
    got = levin.colorize(lightness, known, np.full((*lightness.shape, 2), [12.0, -7.0]))
    np.testing.assert_allclose(got, np.broadcast_to([12.0, -7.0], got.shape), atol=1e-3)


def test_more_points_help(photo: np.ndarray) -> None:
    lightness, ab = photo[..., 0], photo[..., 1:]
    errors = [
        np.abs(levin.colorize(lightness, revealed(lightness.shape, n), ab) - ab).mean()
        for n in (3, 30, 300)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.6 * np.abs(ab).mean()  # far better than grey


def test_stops_at_edges_and_variance_factor_matters() -> None:
    lightness = np.where(np.arange(32) < 16, 30.0, 70.0) * np.ones((24, 1))
    lightness = lightness + np.random.default_rng(0).normal(0, 1, lightness.shape)
    known = np.zeros(lightness.shape, bool)
    known[12, [4, 28]] = True
    colors = np.zeros((24, 32, 2))
    colors[12, 4], colors[12, 28] = (40, 0), (-40, 0)
    got = levin.colorize(lightness, known, colors)
    assert got[:, :14, 0].min() > 25
    assert got[:, 18:, 0].max() < -25
    wider = levin.colorize(lightness, known, colors, variance_factor=20.0)
    assert np.abs(wider - got).max() > 1


def test_refuses_what_it_cannot_solve() -> None:
    gray, nothing, colors = np.zeros((4, 4)), np.zeros((4, 4), bool), np.zeros((4, 4, 2))
    with pytest.raises(ValueError, match="no pixel is revealed"):
        levin.colorize(gray, nothing, colors)
    with pytest.raises(ValueError, match="at least 2 pixels"):
        levin.colorize(gray[:1], ~nothing[:1], colors[:1])
    with pytest.raises(ValueError, match=r"expected ab of shape \(4, 4, 2\)"):
        levin.colorize(gray, ~nothing, colors[..., 0])
    with pytest.raises(ValueError, match="twice"):
        levin.colorize(gray, nothing[:2], colors)


def test_everything_revealed_is_returned(photo: np.ndarray) -> None:
    known = np.ones(photo.shape[:2], bool)
    np.testing.assert_allclose(levin.colorize(photo[..., 0], known, photo[..., 1:]), photo[..., 1:])
