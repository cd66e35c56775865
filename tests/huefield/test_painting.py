"""Strokes at picture size: their own colour inside, soft outside, sooner across edges."""

from __future__ import annotations

import numpy as np
import pytest

from huefield.painting import RIM, paint
from huefield.strokes import Edits, Region, Stroke, Tie, coverage

RED = (60.0, 40.0)


def flat(height: int = 120, width: int = 160) -> np.ndarray:
    return np.full((height, width), 50.0, np.float32)


def stroke(strength: float = 1.0, radius: float = 10.0) -> Stroke:
    return Stroke(((60.0, 60.0), (100.0, 60.0)), radius, RED, strength)


def painted(edits: Edits, lightness: np.ndarray) -> np.ndarray:
    ab = np.zeros((*lightness.shape, 2), np.float32)
    layer = paint(edits, lightness)
    assert layer is not None
    layer.apply(ab)
    return ab


def test_inside_shows_the_colour_exactly() -> None:
    edits = Edits((160, 120), (stroke(),))
    labels, _ = coverage(edits, (120, 160))
    ab = painted(edits, flat())
    np.testing.assert_allclose(ab[labels == 0], np.tile(RED, ((labels == 0).sum(), 1)), atol=0.05)


def test_beyond_the_rim_nothing_changes() -> None:
    ab = painted(Edits((160, 120), (stroke(),)), flat())
    rows = np.arange(120) + 0.5
    reach = 10 + 10 * RIM + 2
    assert np.abs(ab[np.abs(rows - 60) > reach, 80]).max() == 0
    rim = ab[71:74, 80, 0]
    assert np.all(np.diff(rim) < 0), "it fades monotonically"
    assert rim[0] < RED[0]


def test_rim_stops_at_an_edge_of_the_photo() -> None:
    lightness = flat()
    lightness[70:] = 90.0
    edits = Edits((160, 120), (stroke(),))
    with_edge, without = painted(edits, lightness), painted(edits, flat())
    assert without[72, 80, 0] > 10
    assert abs(with_edge[72, 80, 0]) < 0.01
    assert np.array_equal(with_edge[45:70, 80], without[45:70, 80])


def test_strength_shares_with_what_is_below() -> None:
    ab = painted(Edits((160, 120), (stroke(strength=0.25),)), flat())
    np.testing.assert_allclose(ab[60, 80], np.multiply(RED, 0.25), atol=0.05)


def test_later_strokes_cover_earlier_ones() -> None:
    blue = Stroke(((80.0, 40.0), (80.0, 80.0)), 5.0, (0.0, -50.0))
    ab = painted(Edits((160, 120), (stroke(), blue)), flat())
    np.testing.assert_allclose(ab[60, 80], (0.0, -50.0), atol=0.05)
    np.testing.assert_allclose(ab[60, 65], RED, atol=0.05)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_picture_may_have_another_size(factor: float) -> None:
    edits = Edits((160, 120), (stroke(),))
    large = painted(edits, flat(int(120 * factor), int(160 * factor)))
    np.testing.assert_allclose(large[int(60 * factor), int(80 * factor)], RED, atol=0.05)
    share = (np.abs(large[..., 0]) > 30).mean()
    assert share == pytest.approx((np.abs(painted(edits, flat())[..., 0]) > 30).mean(), rel=0.15)


def test_nothing_painted_is_none() -> None:
    outside = Stroke(((-50.0, -50.0),), 3.0, RED)
    tie = Tie(Region(((10.0, 10.0),), 5.0), Region(((90.0, 90.0),), 5.0))
    assert paint(Edits((160, 120)), flat()) is None
    assert paint(Edits((160, 120), (), (tie,)), flat()) is None
    assert paint(Edits((160, 120), (outside,)), flat()) is None


def test_stroke_at_the_border_stays_inside() -> None:
    corner = Stroke(((0.0, 0.0), (5.0, 0.0)), 8.0, RED)
    ab = painted(Edits((160, 120), (corner,)), flat())
    np.testing.assert_allclose(ab[0, 0], RED, atol=0.05)
