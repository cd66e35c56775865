"""Strokes through the hints network: exact where painted, nothing where nothing is asked."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huefield.colorizer import Colorizer, OpenPhoto
from huefield.hints import expected_change, expected_colours, hint_map
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


def test_a_stroke_in_the_samples_own_colour_changes_only_what_the_hint_itself_tells(
    networks: Networks, gray: np.ndarray, constraints: Constraints
) -> None:
    """The hint is then the expected colour, and the same for every sample."""
    nothing = Constraints.empty(gray.size)
    unhinted = expected_colours(networks, gray, nothing, np.zeros((1, 0, 2), np.float32))[0]
    fields = np.random.default_rng(0).normal(0, 20, (2, gray.size, 2)).astype(np.float32)
    cells = np.array([40, 100])
    fields[:, cells] = constraints.targets
    change = expected_change(networks, gray, fields, constraints, unhinted)
    assert np.allclose(change[0], change[1], atol=1e-4)
    fields[1, cells] += 25.0
    other = expected_change(networks, gray, fields, constraints, unhinted)
    assert np.allclose(other[0], change[0], atol=1e-4)
    assert np.abs(other[1] - change[1]).max() > 0.1


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
