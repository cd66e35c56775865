"""Edit files and what they come to: validation with the place named, pixels, shares of cells."""

from __future__ import annotations

import copy
import itertools
import json
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from skimage import color, draw

from huefield.strokes import (
    Constraints,
    Edits,
    EditsError,
    Region,
    Stroke,
    StrokeLabels,
    Tie,
    coverage,
    edits_to_json,
    parse_edits,
    parse_hex_color,
    rasterize,
)
from huefield.strokes.edits import MAX_POINTS, MAX_STROKES, MAX_TIES

FILE: dict[str, Any] = {
    "version": 1,
    "size": [1024, 768],
    "strokes": [
        {
            "points": [[10.5, 20.0], [14.0, 22.5]],
            "radius": 6.0,
            "color": "#c03028",
            "strength": 1.0,
        },
        {"points": [[500, 300]], "radius": 40, "ab": [-20.5, 30], "strength": 0.25},
    ],
    "ties": [
        {"a": {"points": [[1, 1]], "radius": 5}, "b": {"points": [[9, 9]], "radius": 5}},
    ],
}


def test_the_contracts_example_is_read() -> None:
    edits = parse_edits(json.loads(json.dumps(FILE)))
    assert edits.size == (1024, 768)
    first, second = edits.strokes
    assert first.points == ((10.5, 20.0), (14.0, 22.5))
    expected = color.rgb2lab(np.array([[[0xC0, 0x30, 0x28]]], dtype=np.uint8))[0, 0, 1:]
    assert np.allclose(first.ab, expected, atol=1e-3)
    assert first.strength == 1.0
    assert (second.ab, second.radius, second.strength) == ((-20.5, 30.0), 40.0, 0.25)
    assert edits.ties == (Tie(Region(((1.0, 1.0),), 5.0), Region(((9.0, 9.0),), 5.0)),)
    assert len(edits) == 3
    hash(edits)


def test_edits_survive_being_written_and_read() -> None:
    edits = parse_edits(FILE)
    assert parse_edits(json.loads(json.dumps(edits_to_json(edits)))) == edits


def test_strokes_and_ties_may_be_left_out_and_strength_is_full() -> None:
    assert parse_edits({"version": 1, "size": [3, 2]}) == Edits((3, 2))
    one = {"points": [[1, 1]], "radius": 1, "ab": [0, 0]}
    assert parse_edits({"version": 1, "size": [3, 2], "strokes": [one]}).strokes[0].strength == 1


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, "version: expected 1, got 2"),
        (("version",), True, "version: expected 1"),
        (("size",), [1024], "size: expected [width, height], got 1"),
        (("size",), [1024, 0], "size[1]: expected a whole number in 1..40000, got 0"),
        (("size",), [10.5, 10], "size[0]: expected a whole number"),
        (("size",), "1024x768", "size: expected a list, got str"),
        (("colour",), 1, "edits: unknown key 'colour'"),
        (("strokes",), {}, "strokes: expected a list, got dict"),
        (("strokes", 1), 7, "strokes[1]: expected an object, got int"),
        (("strokes", 1, "width"), 7, "strokes[1]: unknown key 'width'"),
        (("strokes", 1, "color"), "#ffffff", "strokes[1]: expected either 'color' or 'ab'"),
        (("strokes", 0, "color"), "red", "strokes[0].color: a colour must be '#rrggbb', got 'red'"),
        (("strokes", 0, "color"), "#c0302", "strokes[0].color: a colour must be"),
        (("strokes", 0, "color"), None, "strokes[0].color: a colour must be"),
        (("strokes", 1, "ab"), [1], "strokes[1].ab: expected [a, b], got 1"),
        (("strokes", 1, "ab"), [1, 200], "strokes[1].ab[1]: expected -128 to 128, got 200"),
        (("strokes", 0, "points"), [], "strokes[0].points: expected at least one point"),
        (("strokes", 0, "points", 0), [1], "strokes[0].points[0]: expected [x, y], got 1"),
        (("strokes", 0, "points", 1, 0), math.nan, "strokes[0].points[1][0]: expected a finite"),
        (("strokes", 0, "points", 1, 1), -math.inf, "strokes[0].points[1][1]: expected a finite"),
        (("strokes", 0, "points", 1, 1), "4", "strokes[0].points[1][1]: expected a number"),
        (("strokes", 0, "points", 1, 1), False, "strokes[0].points[1][1]: expected a number"),
        (("strokes", 0, "points", 1, 1), 10**400, "strokes[0].points[1][1]: expected -512 to"),
        (("strokes", 0, "points", 1, 0), 1600, "strokes[0].points[1][0]: expected -512 to 1536"),
        (("strokes", 0, "points", 1, 0), -513, "strokes[0].points[1][0]: expected -512 to 1536"),
        (("strokes", 0, "radius"), 0, "strokes[0].radius: expected more than 0"),
        (("strokes", 0, "radius"), -1, "strokes[0].radius: expected 0 to 1024, got -1"),
        (("strokes", 0, "radius"), 1025, "strokes[0].radius: expected 0 to 1024"),
        (("strokes", 0, "strength"), 1.5, "strokes[0].strength: expected 0 to 1, got 1.5"),
        (("ties", 0, "a"), [], "ties[0].a: expected an object, got list"),
        (("ties", 0, "c"), {}, "ties[0]: unknown key 'c'"),
        (("ties", 0, "b", "color"), "#ffffff", "ties[0].b: unknown key 'color'"),
        (("ties", 0, "b", "points", 0, 1), 2000, "ties[0].b.points[0][1]: expected -512 to 1280"),
    ],
)
def test_a_fault_is_named_with_its_place(path: tuple[Any, ...], value: Any, message: str) -> None:
    file = copy.deepcopy(FILE)
    place: Any = file
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(EditsError) as error:
        parse_edits(file)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("version",), "edits: missing key 'version'"),
        (("strokes", 0, "radius"), "strokes[0]: missing key 'radius'"),
        (("strokes", 0, "color"), "strokes[0]: expected either 'color' or 'ab'"),
        (("ties", 0, "a"), "ties[0]: missing key 'a'"),
        (("ties", 0, "b", "points"), "ties[0].b: missing key 'points'"),
    ],
)
def test_what_is_missing_is_named(path: tuple[Any, ...], message: str) -> None:
    file = copy.deepcopy(FILE)
    place: Any = file
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    with pytest.raises(EditsError) as error:
        parse_edits(file)
    assert str(error.value) == message


def test_too_much_of_anything_is_refused() -> None:
    dot = {"points": [[1, 1]], "radius": 1, "ab": [0, 0]}
    region = {"points": [[1, 1]], "radius": 1}
    line = {"points": [[1, 1]] * MAX_POINTS, "radius": 1, "ab": [0, 0]}
    sweep = {"points": [[1, 0], [1, 768]] * 1500, "radius": 300, "ab": [0, 0]}

    def refused(strokes: list[Any], ties: list[Any]) -> str:
        with pytest.raises(EditsError) as error:
            parse_edits({"version": 1, "size": [1024, 768], "strokes": strokes, "ties": ties})
        return str(error.value)

    assert refused([dot] * (MAX_STROKES + 1), []) == "strokes: 2001 entries, at most 2000"
    assert refused([], [{"a": region, "b": region}] * (MAX_TIES + 1)).startswith("ties: 101")
    long = dict(line, points=line["points"] + [[1, 1]])
    assert refused([long], []) == "strokes[0].points: 20001 entries, at most 20000"
    assert "200001 points in all" in refused([line] * 10 + [dot], [])
    assert "photo heights of ink in all, at most 5000" in refused([sweep], [])


def test_edits_that_are_no_object_are_refused() -> None:
    for bad in (None, [], "x", 3):
        with pytest.raises(EditsError, match="edits: expected an object"):
            parse_edits(bad)


def test_hex_colors() -> None:
    assert parse_hex_color("#C03028").tolist() == [0xC0, 0x30, 0x28]
    for bad in ("c03028", "#c0302g", "#c030281", "", 7):
        with pytest.raises(EditsError, match="#rrggbb"):
            parse_hex_color(bad)


def thick_line(points: np.ndarray, radius: float, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies within a radius of a polyline, by the distance to each segment."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, dtype=bool)
    for a, b in itertools.pairwise(points):
        along = b - a
        t = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(along @ along, 1e-12)
        t = np.clip(t, 0, 1)
        inside |= np.hypot(x - a[0] - t * along[0], y - a[1] - t * along[1]) <= radius
    return inside


@pytest.mark.parametrize("seed", range(8))
def test_a_stroke_covers_the_pixels_within_its_radius(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (90, 140)
    points = rng.uniform(-30, 160, (rng.integers(2, 9), 2))
    radius = float(rng.uniform(1, 40))
    edits = Edits((140, 90), (Stroke(tuple(map(tuple, points.tolist())), radius, (1.0, 2.0)),))
    labels, colors = coverage(edits, shape)
    assert labels.dtype == np.int16
    assert colors.tolist() == [[1.0, 2.0]]
    assert (labels.reshape(-1) == 0).any()
    assert np.array_equal(labels == 0, thick_line(points, radius, shape))


def test_a_dot_is_a_disc_and_agrees_with_scikit_image() -> None:
    edits = Edits((100, 80), (Stroke(((40.5, 30.5),), 12.0, (0.0, 0.0)),))
    expected = np.zeros((80, 100), dtype=bool)
    # skimage leaves out the rim itself, which no pixel centre but the four poles meets.
    expected[draw.disk((30, 40), 12.001)] = True
    assert np.array_equal(coverage(edits, (80, 100))[0] == 0, expected)


def test_later_strokes_cover_earlier_ones() -> None:
    across = Stroke(((0.0, 50.0), (100.0, 50.0)), 10.0, (30.0, 0.0))
    down = Stroke(((50.0, 0.0), (50.0, 100.0)), 10.0, (-30.0, 0.0))
    labels, colors = coverage(Edits((100, 100), (across, down)), (100, 100))
    assert (labels[50, 50], labels[50, 10], labels[10, 50], labels[10, 10]) == (1, 0, 1, -1)
    assert colors[labels[50, 50]].tolist() == [-30.0, 0.0]
    constraints = rasterize(Edits((100, 100), (across, down)), (10, 10))
    field = dict(zip(constraints.rows.indices.tolist(), constraints.targets[:, 0], strict=True))
    assert [field[55], field[52], field[25]] == pytest.approx([-30.0, 30.0, -30.0], abs=1e-3)


def test_coverage_follows_the_size_that_is_asked_for() -> None:
    edits = Edits((200, 100), (Stroke(((20.0, 20.0), (180.0, 80.0)), 15.0, (0.0, 0.0)),))
    share = [
        (coverage(edits, shape)[0] == 0).mean() for shape in ((100, 200), (400, 800), (50, 99))
    ]
    assert np.ptp(share) < 0.01


def test_a_line_thinner_than_a_pixel_is_still_seen() -> None:
    edits = Edits((400, 400), (Stroke(((3.0, 9.0), (390.0, 371.0)), 0.2, (0.0, 0.0)),))
    labels, _ = coverage(edits, (40, 40))
    assert (labels == 0).any(axis=0).sum() >= 38


def test_strokes_beside_the_photo_paint_nothing() -> None:
    edits = Edits(
        (100, 80),
        (
            Stroke(((-30.0, 40.0), (-20.0, 10.0)), 10.0, (9.0, 9.0)),
            Stroke(((50.0, 110.0),), 20.0, (9.0, 9.0)),
        ),
    )
    assert (coverage(edits, (80, 100))[0] == -1).all()
    assert len(rasterize(edits, (8, 10))) == 0
    assert len(rasterize(Edits((100, 80)), (8, 10))) == 0


def test_weights_are_the_covered_share_of_each_cell_times_the_strength() -> None:
    size, grid = (320, 240), (24, 32)
    points = np.array([[50.0, 60.0], [200.0, 130.0], [240.0, 60.0]])
    for strength in (1.0, 0.4):
        stroke = Stroke(tuple(map(tuple, points.tolist())), 17.0, (12.0, -7.0), strength)
        constraints = rasterize(Edits(size, (stroke,)), grid)
        mask = thick_line(points, 17.0, (240, 320))
        share = mask.reshape(24, 10, 32, 10).mean(axis=(1, 3)).reshape(-1)
        found = np.zeros(24 * 32)
        found[constraints.rows.indices] = constraints.weights
        assert np.allclose(found, strength * share, atol=1e-6)
        assert np.array_equal(constraints.rows.data, np.ones(len(constraints)))
        assert np.allclose(constraints.targets, [12.0, -7.0])
        assert constraints.num_ties == 0


def test_a_large_photo_gives_the_same_shares_as_a_small_one() -> None:
    def weights(scale: int) -> np.ndarray:
        points = tuple((x * scale, y * scale) for x, y in ((60.0, 50.0), (200.0, 150.0)))
        edits = Edits((320 * scale, 240 * scale), (Stroke(points, 21.0 * scale, (1.0, 1.0)),))
        constraints = rasterize(edits, (24, 32))
        field = np.zeros(24 * 32)
        field[constraints.rows.indices] = constraints.weights
        return field

    # 10 points a side against 16: an outline that crosses a cell is known to a few hundredths.
    assert np.abs(weights(1) - weights(12)).max() < 0.06
    assert abs(weights(1).sum() / weights(12).sum() - 1) < 0.005


def test_a_cell_under_two_strokes_has_their_weighted_mean() -> None:
    left = Stroke(((-5.0, 5.0),), 10.0, (40.0, 0.0), 1.0)
    right = Stroke(((15.0, 5.0),), 10.0, (0.0, 40.0), 0.5)
    edits = Edits((10, 10), (left, right))
    labels, _ = coverage(edits, (10, 10))
    constraints = rasterize(edits, (1, 1))
    parts = [(labels == 0).sum() * 1.0, (labels == 1).sum() * 0.5]
    assert constraints.weights[0] == pytest.approx(sum(parts) / 100)
    expected = np.array([40 * parts[0], 40 * parts[1]]) / sum(parts)
    assert constraints.targets[0] == pytest.approx(expected)


def test_ties_are_cells_less_the_other_regions_mean() -> None:
    a, b = Region(((30.0, 30.0),), 14.0), Region(((70.0, 60.0), (80.0, 60.0)), 9.0)
    stroke = Stroke(((50.0, 90.0),), 6.0, (5.0, 5.0))
    constraints = rasterize(Edits((100, 100), (stroke,), (Tie(a, b),)), (10, 10))
    tied = constraints.rows[len(constraints) - constraints.num_ties :].toarray()
    assert 0 < constraints.num_ties < len(constraints)
    assert np.abs(tied.sum(axis=1)).max() < 1e-6
    assert np.allclose(np.sort(tied, axis=1)[:, -1], 1.0)
    assert not constraints.targets[-constraints.num_ties :].any()
    in_a = coverage(Edits((100, 100), (Stroke(a.points, a.radius, (0, 0)),)), (100, 100))[0] == 0
    share = in_a.reshape(10, 10, 10, 10).mean(axis=(1, 3)).reshape(-1)
    num_a = int((share > 0).sum())
    assert np.allclose(constraints.weights[-constraints.num_ties :][:num_a], share[share > 0])
    mean_a = -np.minimum(tied[num_a], 0)
    assert np.allclose(mean_a, share / share.sum(), atol=1e-6)


def test_a_tie_with_a_region_beside_the_photo_is_left_out() -> None:
    tie = Tie(Region(((30.0, 30.0),), 14.0), Region(((-40.0, 50.0),), 14.0))
    assert len(rasterize(Edits((100, 100), (), (tie,)), (10, 10))) == 0


def test_constraints_of_cells_and_none() -> None:
    targets = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
    constraints = Constraints.of_cells(np.array([7, 3]), targets, 12)
    assert constraints.rows.toarray()[:, [7, 3]].tolist() == [[1, 0], [0, 1]]
    assert constraints.weights.tolist() == [1, 1]
    empty = Constraints.empty(12)
    assert (len(empty), empty.rows.shape, empty.targets.shape) == (0, (0, 12), (0, 2))


def test_a_24_megapixel_map_needs_no_array_per_stroke() -> None:
    points = tuple((200.0 + 50 * i, 300.0 + 30 * (i % 5)) for i in range(60))
    edits = Edits(
        (6000, 4000),
        tuple(Stroke(tuple((x, y + 800 * k) for x, y in points), 90.0, (k, k)) for k in range(4)),
    )
    tracemalloc.start()
    try:
        labels, _ = coverage(edits, (4000, 6000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert labels.max() == 3
    # The map itself is 48 MB.
    assert peak < labels.nbytes + 30e6


def test_kept_labels_give_the_bits_of_painting_anew() -> None:
    size, grid = (480, 360), (24, 32)
    rng = np.random.default_rng(11)
    strokes = tuple(
        Stroke(
            tuple(map(tuple, (rng.uniform(20, 340, 2) + rng.uniform(-60, 60, (7, 2))).tolist())),
            float(rng.uniform(5, 30)),
            (float(k), -2.0 * k),
            float(rng.uniform(0.3, 1)),
            keep=k == 6,
        )
        for k in range(9)
    )
    held = {6: rng.standard_normal((2, 24 * 32, 2)).astype(np.float32)}
    kept = StrokeLabels(grid)
    hidden = strokes[:2] + strokes[3:]
    lists = [strokes[:k] for k in range(1, 10)] + [strokes[:4], strokes, hidden, strokes[::-1]]
    for part in lists:
        for known in ({}, held if len(part) > 6 and part[6].keep else {}):
            edits = Edits(size, part)
            found, fresh = rasterize(edits, grid, known, kept), rasterize(edits, grid, known)
            assert np.array_equal(found.rows.indices, fresh.rows.indices)
            assert np.array_equal(found.weights, fresh.weights)
            assert np.array_equal(found.targets, fresh.targets)
    assert kept.nbytes < 3 * (24 * 15) * (32 * 15) * 2


def test_a_further_stroke_leaves_the_order_of_the_cells_before() -> None:
    size, grid = (480, 360), (24, 32)
    lower = Stroke(((40.0, 300.0), (200.0, 320.0)), 20.0, (10.0, 0.0))
    upper = Stroke(((40.0, 40.0), (440.0, 200.0)), 20.0, (0.0, 10.0))
    first = rasterize(Edits(size, (lower,)), grid).rows.indices
    both = rasterize(Edits(size, (lower, upper)), grid).rows.indices
    assert np.array_equal(both[: len(first)], first)
    assert len(both) == len(set(both)) > len(first)
