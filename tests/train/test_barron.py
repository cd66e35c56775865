from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from train.baselines import barron
from train.baselines.barron import BilateralGrid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def photo(color_photos: Mapping[str, Path]) -> np.ndarray:
    """Lab of a real photo, (48, 64, 3)."""
    with Image.open(next(iter(color_photos.values()))) as image:
        return rgb2lab(np.asarray(image.convert("RGB").resize((64, 48), Image.Resampling.BOX)))


def box_of(lightness: np.ndarray, place: float, light: float) -> dict[tuple[int, int, int], list]:
    """Pixels of each occupied box, one by one."""
    boxes: dict[tuple[int, int, int], list] = {}
    for index in np.ndindex(lightness.shape):
        y, x = index
        key = (round(y / place), round(x / place), round(float(lightness[index]) / light))
        boxes.setdefault(key, []).append(y * lightness.shape[1] + x)
    return boxes


def test_the_grid_is_that_of_boxes_and_their_neighbours(photo: np.ndarray) -> None:
    lightness = photo[..., 0]
    grid = BilateralGrid.of(lightness, 5.0, 7.0)
    boxes = box_of(lightness, 5.0, 7.0)
    splat = grid.splat.toarray()
    assert sorted(np.flatnonzero(row).tolist() for row in splat) == sorted(boxes.values())
    assert (splat.sum(axis=0) == 1).all()
    vertex = {key: int(splat[:, pixels[0]].argmax()) for key, pixels in boxes.items()}
    expected = np.zeros((len(boxes), len(boxes)))
    for key, row in vertex.items():
        expected[row, row] = 6
        for axis in range(3):
            for step in (-1, 1):
                near = tuple(c + step * (a == axis) for a, c in enumerate(key))
                if near in vertex:
                    expected[row, vertex[near]] = 1
    np.testing.assert_array_equal(grid.blur.toarray(), expected)


def test_slicing_a_splat_averages_over_boxes(photo: np.ndarray) -> None:
    lightness = photo[..., 0]
    grid = BilateralGrid.of(lightness, 8.0, 10.0)
    values = photo[..., 1].ravel()
    means = grid.splat.T @ ((grid.splat @ values) / np.asarray(grid.splat.sum(axis=1)).ravel())
    for pixels in box_of(lightness, 8.0, 10.0).values():
        np.testing.assert_allclose(means[pixels], values[pixels].mean())


def test_balanced_rows_sum_to_their_masses(photo: np.ndarray) -> None:
    grid = BilateralGrid.of(photo[..., 0], 6.0, 6.0)
    scale, mass = grid.balanced()
    blurred = scale[:, None] * grid.blur.toarray() * scale
    np.testing.assert_allclose(blurred.sum(axis=1), mass)
    pixels = np.asarray(grid.splat.sum(axis=1)).ravel()
    np.testing.assert_allclose(mass, pixels, rtol=0.02)
    smooth = grid.precision(np.zeros(photo[..., 0].size), 3.0).toarray()
    np.testing.assert_allclose(smooth @ np.ones(len(mass)), 0, atol=1e-9)
    assert np.linalg.eigvalsh(smooth).min() > -1e-9


def test_solves_the_dense_system(photo: np.ndarray) -> None:
    lightness, ab = photo[..., 0], photo[..., 1:].reshape(-1, 2)
    grid = BilateralGrid.of(lightness, 6.0, 5.0)
    confidence = np.random.default_rng(0).random(lightness.size) ** 4
    confidence[::3] = 0
    got = barron.solve(grid, confidence, ab, ab.mean(axis=0), 2.0)
    splat, blur = grid.splat.toarray(), grid.blur.toarray()
    scale, mass = grid.balanced()
    system = 2.0 * (np.diag(mass) - np.diag(scale) @ blur @ np.diag(scale))
    system += np.diag(splat @ confidence)
    wanted = splat @ (confidence[:, None] * ab)
    # Boxes alone with no confidence have a row of zeros: they keep the start.
    alone = np.abs(system).sum(axis=1) < 1e-9
    expected = np.linalg.lstsq(system, wanted - system @ np.tile(ab.mean(0), (len(mass), 1)))[0]
    np.testing.assert_allclose(got[~alone], (expected + ab.mean(axis=0))[~alone], atol=0.05)
    np.testing.assert_allclose(got[alone], np.tile(ab.mean(axis=0), (alone.sum(), 1)))


def test_a_line_of_boxes_is_interpolated_linearly() -> None:
    # One box after the other, equal masses: the smoothest field between two held ends is a line.
    lightness = np.full((1, 12), 50.0).repeat(2, axis=0)
    line = BilateralGrid.of(lightness, 4.0, 100.0)
    scale, mass = line.balanced()
    flow = -(np.diag(mass) - scale[:, None] * line.blur.toarray() * scale)
    np.fill_diagonal(flow, 0)
    confidence, target = np.zeros(24), np.zeros((24, 1))
    confidence[[0, 11]] = 100.0
    target[11] = 30.0
    got = barron.solve(line, confidence, target, np.zeros(1), 1.0)[:, 0]
    order = [int(line.splat[:, [x]].toarray().argmax()) for x in (0, 3, 7, 11)]
    links = [flow[a, b] for a, b in pairwise(order)]
    steps = np.diff(got[order])
    # Like resistors in a row: the step over each link is inverse to its weight.
    np.testing.assert_allclose(steps * links, (steps * links)[0], rtol=1e-2)
    # What flows in at one end, where the field misses its target, flows out at the other.
    assert confidence[11] * (30 - got[order[-1]]) == pytest.approx((steps * links)[0], rel=1e-2)
    assert confidence[0] * got[order[0]] == pytest.approx((steps * links)[0], rel=1e-2)


def test_lightness_parts_what_place_does_not() -> None:
    lightness = np.where(np.arange(32) < 16, 30.0, 70.0) * np.ones((24, 1))
    known = np.zeros(lightness.shape, bool)
    known[12, [4, 28]] = True
    colors = np.zeros((24, 32, 2))
    colors[12, 4], colors[12, 28] = (40, 0), (-40, 0)
    got = barron.colorize(lightness, known, colors)
    assert got[:, :16, 0].min() > 35
    assert got[:, 16:, 0].max() < -35
    blurred = barron.colorize(lightness, known, colors, sigma_light=1000.0)
    assert np.abs(blurred - got).max() > 20


def test_every_parameter_changes_something(photo: np.ndarray) -> None:
    lightness, ab = photo[..., 0], photo[..., 1:]
    known = np.zeros(lightness.shape, bool)
    known[np.random.default_rng(1).integers(48, size=20), np.arange(0, 60, 3)] = True
    first = barron.colorize(lightness, known, ab)
    np.testing.assert_array_equal(first, barron.colorize(lightness, known, ab))
    for change in ({"sigma_place": 12.0}, {"sigma_light": 9.0}, {"smoothness": 50.0}):
        assert np.abs(barron.colorize(lightness, known, ab, **change) - first).max() > 0.5
