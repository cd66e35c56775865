"""Colour suggestions: alike ones are one, the most frequent comes first, they show at L."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from huefield.lab import rgb_to_lab
from huefield.palette import SAME, group_colors
from huefield.strokes import parse_hex_color


def candidates(*groups: tuple[int, float, float]) -> np.ndarray:
    """`count` candidates at a colour, spread a little, for each (count, a, b)."""
    spread = np.random.default_rng(0)
    parts = [np.array([a, b]) + spread.normal(0.0, 1.0, (count, 2)) for count, a, b in groups]
    return np.concatenate(parts).astype(np.float32)


def test_most_frequent_group_comes_first() -> None:
    colors = group_colors(candidates((3, 40, 30), (9, -20, 20), (6, 5, -30)), 55.0, 6)
    assert [round(color.share * 18) for color in colors] == [9, 6, 3]
    wanted = [(-20, 20), (5, -30), (40, 30)]
    for color, ab in zip(colors, wanted, strict=True):
        np.testing.assert_allclose(color.ab, ab, atol=1.5)


def test_shares_add_up_and_groups_lie_apart() -> None:
    points = np.random.default_rng(1).uniform(-60, 60, (24, 2)).astype(np.float32)
    colors = group_colors(points, 50.0, 24)
    assert np.isclose(sum(color.share for color in colors), 1.0)
    assert all(a.share >= b.share - 1e-9 for a, b in pairwise(colors))
    assert 1 < len(colors) <= 24
    assert len(group_colors(points, 50.0, 2)) == 2


def test_one_colour_is_one_suggestion() -> None:
    colors = group_colors(candidates((24, 10, 12)), 50.0, 6)
    assert len(colors) == 1
    assert colors[0].share == 1.0
    assert SAME > 5


def test_colour_is_shown_at_the_lightness_of_the_place() -> None:
    for lightness in (20.0, 60.0, 85.0):
        (color,) = group_colors(candidates((4, 12, -14)), lightness, 3)
        shown = rgb_to_lab(parse_hex_color(color.color))
        np.testing.assert_allclose(shown, [lightness, *color.ab], atol=1.0)
