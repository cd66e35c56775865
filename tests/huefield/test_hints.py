"""Strokes through the hints network: exact where painted, nothing where nothing is asked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from huefield.colorizer import Colorizer, OpenPhoto
from huefield.hints import ANCHOR_STEP, Reach, anchor_cells, hint_map
from huefield.lab import AB_SCALE
from huefield.networks import ModelError, Networks, load_model
from huefield.photo import read_photo
from huefield.strokes import Constraints, Edits, Stroke

GRID = (16, 24)


@pytest.fixture(scope="module")
def networks(hinted_model: Path) -> Networks:
    return load_model(hinted_model, "cpu", threads=1)


@pytest.fixture(scope="module")
def gray() -> np.ndarray:
    return np.linspace(-1, 1, GRID[0] * GRID[1], dtype=np.float32).reshape(GRID)


@pytest.fixture(scope="module")
def constraints() -> Constraints:
    targets = np.array([[30.0, -20.0], [10.0, 5.0]], np.float32)
    share = np.array([1.0, 0.25], np.float32)
    return Constraints.of_cells(np.array([40, 100]), targets, GRID[0] * GRID[1], share)


def test_the_map_shows_colour_and_share(constraints: Constraints) -> None:
    found = hint_map(constraints, constraints.targets[None], GRID)
    assert found.shape == (1, 3, *GRID)
    flat = found.reshape(3, -1)
    assert flat[:, 40] == pytest.approx([30 / AB_SCALE, -20 / AB_SCALE, 1.0])
    assert flat[:, 100] == pytest.approx([10 / AB_SCALE, 5 / AB_SCALE, 0.25])
    assert np.count_nonzero(flat.any(0)) == 2


def test_anchors_lie_on_other_things_than_strokes() -> None:
    grid = (24, 36)
    embedding = np.zeros((2, 24, 36), np.float32)
    embedding[0, :, 18:] = 10.0  # two things, left and right
    cells = np.array([5 * 36 + 4, 20 * 36 + 9])
    anchors = anchor_cells(embedding.reshape(2, -1), grid, cells)
    rows, columns = np.divmod(anchors, 36)
    assert len(anchors) == 6 * 5  # of 6 x 9 all on the right
    assert columns.min() >= 18
    assert set(np.diff(np.unique(rows))) == {ANCHOR_STEP}


SIZE = (48, 32)
LEFT = Stroke(((6.0, 8.0), (12.0, 20.0)), 3.0, (42.0, 30.0))
RIGHT = Stroke(((38.0, 16.0),), 4.0, (-20.0, 25.0))


class Halves:
    """A network for which the left half is one thing, and that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[np.ndarray] = []

    def hinted(self, gray: np.ndarray, hints: np.ndarray) -> np.ndarray:
        self.told.append(hints)
        left = hints[:, :, :, :12]
        known = left[:, 2:].sum((2, 3)) + 1e-6
        colours = np.zeros((len(hints), 2, *gray.shape), np.float32)
        mean = (left[:, :2] * left[:, 2:]).sum((2, 3)) / known
        colours[:, :, :, :12] = 0.5 * mean[:, :, None, None]
        return colours


@pytest.fixture
def halves(gray: np.ndarray) -> tuple[Halves, Reach]:
    network = Halves()
    embedding = np.zeros((2, *GRID), np.float32)
    embedding[0, :, 12:] = 10.0
    return network, Reach(cast(Networks, network), gray, embedding.reshape(2, -1))


def test_a_stroke_moves_its_thing_by_the_share_that_the_network_tells(
    halves: tuple[Halves, Reach],
) -> None:
    _, reach = halves
    share = reach.reached(LEFT, SIZE).share.reshape(GRID)
    assert share[:, :12] == pytest.approx(0.5, abs=1e-3)
    assert not share[:, 12:].any()
    fields = np.zeros((2, GRID[0] * GRID[1], 2), np.float32)
    fields[1] = LEFT.ab
    moved = reach.moved(fields, Edits(SIZE, (LEFT,))).reshape(2, *GRID, 2)
    assert moved[0, :, :12] == pytest.approx(np.broadcast_to([21.0, 15.0], (16, 12, 2)), abs=0.1)
    assert not moved[0, :, 12:].any()
    assert np.allclose(moved[1], LEFT.ab, atol=1e-3)  # in its own colour it changes nothing
    weak = reach.moved(fields, Edits(SIZE, (replace(LEFT, strength=0.5),)))
    assert weak[0].reshape(*GRID, 2)[3, 3] == pytest.approx([10.5, 7.5], abs=0.1)
    kept = reach.moved(fields, Edits(SIZE, (replace(LEFT, keep=True),)))
    assert np.array_equal(kept, fields)


def test_each_stroke_is_asked_for_once_and_with_what_stays(halves: tuple[Halves, Reach]) -> None:
    network, reach = halves
    fields = np.zeros((3, GRID[0] * GRID[1], 2), np.float32)
    reach.moved(fields, Edits(SIZE, (LEFT,)))
    before = reach.nbytes
    reach.moved(fields[:1], Edits(SIZE, (LEFT, RIGHT)))
    assert [len(hints) for hints in network.told] == [1, 1, 1]  # none, then each stroke
    assert reach.nbytes - before == fields[0, :, 0].nbytes
    (told,) = network.told[1]
    assert told[2, 2::4, 14::4].all()  # anchors on the right: the thing that stays
    painted = told[2, :, :12] > 0
    assert painted.any()
    assert np.allclose(told[:2, :, :12][:, painted].T * AB_SCALE, LEFT.ab, atol=1e-3)


def test_later_strokes_move_what_earlier_ones_made(halves: tuple[Halves, Reach]) -> None:
    _, reach = halves
    again = replace(LEFT, points=((14.0, 24.0),), ab=(-10.0, 0.0))
    fields = np.random.default_rng(3).normal(0, 20, (2, GRID[0] * GRID[1], 2)).astype(np.float32)
    both = reach.moved(fields, Edits(SIZE, (LEFT, again)))
    first = reach.moved(fields, Edits(SIZE, (LEFT,)))
    assert np.allclose(both, reach.moved(first, Edits(SIZE, (again,))), atol=1e-3)


def test_strokes_stay_exact_and_repeat(
    networks: Networks, example_photos: Mapping[str, Path]
) -> None:
    photo = read_photo(example_photos["mechanic"].read_bytes())
    edits = Edits(photo.size, (Stroke(((380.0, 120.0), (430.0, 170.0)), 18.0, (42.0, 30.0)),))

    def opened() -> OpenPhoto:
        return Colorizer(networks, "cpu", anticipate=False).open(photo)

    first, second = opened().samples(3, 1, edits), opened().samples(3, 1, edits)
    cell = opened().cell(405.0, 145.0)
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.field, b.field)
        assert a.field.reshape(-1, 2)[cell] == pytest.approx([42.0, 30.0], abs=1.0)


def test_models_without_it_say_so(tiny_networks: Networks, gray: np.ndarray) -> None:
    assert not tiny_networks.has_hints
    with pytest.raises(ModelError, match=r"no hints network \(hints\.onnx\)"):
        tiny_networks.hinted(gray, np.zeros((1, 3, *GRID), np.float32))


def test_strokes_leave_the_network_alone_unless_the_model_says_so(
    networks: Networks, tiny_networks: Networks, example_photos: Mapping[str, Path]
) -> None:
    photo = read_photo(example_photos["mechanic"].read_bytes())
    edits = Edits(photo.size, (Stroke(((380.0, 120.0), (430.0, 170.0)), 18.0, (42.0, 30.0)),))
    silent = copy.copy(networks)
    silent.info = replace(networks.info, hints_for_strokes=False)

    def field(of: Networks) -> np.ndarray:
        return Colorizer(of, "cpu", anticipate=False).open(photo).samples(1, 1, edits)[0].field

    assert np.array_equal(field(silent), field(tiny_networks))
    assert np.abs(field(silent) - field(networks)).max() > 0.1
