"""All methods that follow strokes or points, on the same terms."""

from __future__ import annotations

import csv
import json
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from huefield.model_info import ModelError
from huefield.photo import Photo, read_photo
from huefield.strokes import Edits, EditsError, Stroke, Tie
from huefield.strokes.edits import Region
from train.arguments import Stage, run_stage
from train.baselines import endo
from train.baselines.interactive import NAMES, Interactive, open_method
from train.baselines.settings import ZhangConfig
from train.baselines.zhang import LocalHints, draw_points, train
from train.baselines.zhang_onnx import GRAPH_FILE, INFO_FILE, load_zhang
from train.config import Config, ConfigError, config_from_dict, config_to_dict
from train.evaluation.photos import SquarePhoto
from train.evaluation.revealed import reveal, score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SPREADING = ("levin", "endo", "barron")  # those that need no training before


@pytest.fixture(scope="module")
def photos(color_photos: Mapping[str, Path]) -> list[Photo]:
    return [read_photo(path.read_bytes()) for path in color_photos.values()]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the methods work at 96 x 96 pixels or as many, at a seventh of the cost."""
    monkeypatch.setattr("train.baselines.interactive.WORKING_PIXELS", 96 * 96)


@pytest.fixture(scope="module")
def methods(zhang_folder: Path) -> dict[str, Interactive]:
    return {name: open_method(name, weights=zhang_folder) for name in NAMES}


def two_strokes(size: tuple[int, int]) -> Edits:
    width, height = size
    left = Stroke(((width * 0.2, height * 0.5), (width * 0.3, height * 0.5)), 12.0, (40.0, 20.0))
    right = Stroke(((width * 0.8, height * 0.5),), 12.0, (-30.0, -30.0), 0.5)
    return Edits(size, (left, right))


@pytest.mark.parametrize("name", SPREADING)
def test_points_beat_grey_and_a_tint(name: str, photos: list[Photo]) -> None:
    method = open_method(name)
    for number, photo in enumerate(photos[:2]):
        square = SquarePhoto.of("x", photo.rgb, 128)
        points = reveal(square.ab, (50,), number)[0]
        ab = method.colorize(square.lightness, points.known, points.colors)
        tint = np.broadcast_to(square.ab.mean(axis=(0, 1)), square.ab.shape)
        own, grey, tinted = score(square, [ab, np.zeros_like(ab), tint])
        assert own > max(grey, tinted) + 0.5
        np.testing.assert_array_equal(ab[points.known], points.colors[points.known])


@pytest.mark.parametrize("name", NAMES)
def test_recolor_gives_the_photos_size_and_the_same_twice(
    name: str, methods: dict[str, Interactive], photos: list[Photo]
) -> None:
    photo = photos[0]
    edits = two_strokes((photo.width, photo.height))
    ab = methods[name].recolor(photo, edits)
    assert ab.shape == (photo.height, photo.width, 2)
    assert ab.dtype == np.float32
    np.testing.assert_array_equal(ab, methods[name].recolor(photo, edits))
    other = Edits(edits.size, (edits.strokes[0],))
    assert np.abs(methods[name].recolor(photo, other) - ab).max() > 1
    # The edit file may have been made on a smaller copy.
    half = two_strokes((photo.width // 2, photo.height // 2))
    assert methods[name].recolor(photo, half).shape == ab.shape
    if name != "zhang":
        y, x = photo.height // 2, int(photo.width * 0.25)
        assert np.abs(ab[y, x] - (40, 20)).max() < 4


def test_small_photos_are_coloured_as_they_are(photos: list[Photo]) -> None:
    square = SquarePhoto.of("x", photos[0].rgb, 96)
    photo = read_photo(_png(square.rgb))
    stroke = Stroke(((30.0, 40.0),), 3.0, (10.0, -20.0))
    ab = open_method("levin").recolor(photo, Edits((96, 96), (stroke,)))
    np.testing.assert_allclose(ab, np.broadcast_to([10, -20], ab.shape), atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_grey_photo_is_coloured(
    name: str, methods: dict[str, Interactive], photos: list[Photo]
) -> None:
    rgb = np.repeat(SquarePhoto.of("x", photos[1].rgb, 64).rgb[..., 1:2], 3, axis=2)
    ab = methods[name].recolor(read_photo(_png(rgb)), two_strokes((64, 64)))
    assert np.isfinite(ab).all()
    assert np.ptp(ab[..., 0]) > 1


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_followed_is_said(
    name: str, methods: dict[str, Interactive], photos: list[Photo]
) -> None:
    photo, method = photos[0], methods[name]
    size = (photo.width, photo.height)
    outside = Stroke(((-60.0, -60.0),), 5.0, (10.0, 10.0))
    keep = Stroke(((50.0, 50.0),), 5.0, (0.0, 0.0), keep=True)
    weak = Stroke(((50.0, 50.0),), 5.0, (9.0, 9.0), 0.0)
    region = Region(((50.0, 50.0),), 5.0)
    for edits in (
        Edits(size),
        Edits(size, (outside, keep, weak)),
        Edits(size, (), (Tie(region, region),)),
    ):
        with pytest.raises(EditsError, match="gives a colour to a pixel"):
            method.recolor(photo, edits)
    gray, known, colors = np.zeros((8, 8)), np.zeros((8, 8), bool), np.zeros((8, 8, 2))
    with pytest.raises(ValueError, match="no pixel is revealed"):
        method.colorize(gray, known, colors)
    with pytest.raises(ValueError, match=r"expected ab of shape \(8, 8, 2\)"):
        method.colorize(gray, ~known, colors[..., 0])
    with pytest.raises(ValueError, match="twice"):
        method.colorize(gray, known[:4], colors)
    with pytest.raises(ValueError, match="not finite"):
        method.colorize(gray, ~known, colors * np.nan)


def test_methods_are_asked_for_by_name() -> None:
    with pytest.raises(ValueError, match="expected one of levin, endo, barron, zhang"):
        open_method("magic")
    with pytest.raises(ValueError, match="folder of its trained network"):
        open_method("zhang")


# Endo


def test_endos_seed_and_settings_count(photos: list[Photo]) -> None:
    square = SquarePhoto.of("x", photos[0].rgb, 48)
    points = reveal(square.ab, (6,), 0)[0]
    known = (square.lightness, points.known, points.colors)
    state = torch.random.get_rng_state()
    first = endo.colorize(*known, num_steps=40)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    np.testing.assert_array_equal(first, endo.colorize(*known, num_steps=40))
    for change in ({"seed": 1}, {"num_steps": 60}, {"max_colors": 2}, {"learning_rate": 1e-3}):
        other = endo.colorize(*known, **({"num_steps": 40} | change))
        assert np.abs(other - first).max() > 0.5, change


def test_endo_learns_from_lightness_and_from_place() -> None:
    rng = np.random.default_rng(0)
    stripes = np.where(np.arange(64) // 8 % 2, 25.0, 75.0) * np.ones((64, 1))
    lightness = stripes + rng.normal(0, 1, stripes.shape)
    known, colors = np.zeros((64, 64), bool), np.zeros((64, 64, 2), np.float32)
    known[20:44, 16:48] = True
    colors[..., 0] = np.where(stripes > 50, 30, -30)
    ab = endo.colorize(lightness, known, colors)
    assert (np.sign(ab[..., 0]) == np.sign(colors[..., 0])).mean() > 0.9
    flat = np.full((64, 64), 50.0)
    known[:], colors[..., 0] = False, np.where(np.arange(64) < 32, 30, -30)
    known[28:36, [10, 11, 20, 21, 42, 43, 52, 53]] = True
    ab = endo.colorize(flat, known, colors)
    assert (np.sign(ab[..., 0]) == np.sign(colors[..., 0])).mean() > 0.9


def test_endos_colours_are_mixed_from_those_painted() -> None:
    colors = np.repeat(np.random.default_rng(2).normal(0, 30, (9, 2)), 4, axis=0)
    distinct, index = endo.painted_colors(colors, 20, 0)
    assert len(distinct) == 9
    np.testing.assert_allclose(distinct[index], colors, rtol=1e-5)
    merged, index = endo.painted_colors(colors, 3, 0)
    assert merged.shape == (3, 2)
    for k in range(3):
        np.testing.assert_allclose(merged[k], colors[index == k].mean(axis=0), rtol=1e-4)


# Zhang


def test_zhangs_points_are_those_of_the_paper() -> None:
    ab = np.random.default_rng(0).normal(0, 0.2, (2, 64, 64)).astype(np.float32)
    ab = ndimage.gaussian_filter(ab, (0, 3, 3))
    rng = np.random.default_rng(1)
    shown = draw_points(rng, np.repeat(ab[None], 600, axis=0), ZhangConfig(whole_share=0.0))
    bare = (shown[:, 2].max((1, 2)) == 0).mean()
    assert bare == pytest.approx(1 / 8, abs=0.04)
    one = [draw_points(rng, ab[None], ZhangConfig(whole_share=0.0, geometric=0.5))[0]
           for _ in range(400)]  # fmt: skip
    area = [hints[2].sum() * 16 for hints in one if 0 < hints[2].sum() * 16 <= 81.01]
    assert min(area) == pytest.approx(1, abs=1e-3)
    assert max(area) == pytest.approx(81, abs=1e-2)
    whole = draw_points(rng, ab[None], ZhangConfig(whole_share=1.0))
    np.testing.assert_array_equal(whole[0, :2], ab)
    assert (whole[0, 2] == 1).all()
    many = draw_points(rng, np.repeat(ab[None], 60, axis=0), ZhangConfig(geometric=0.01))
    assert many[:, 2].mean() > 3 * shown[:, 2].mean()


def test_zhangs_network_sees_hints_and_picture(zhang_folder: Path, photos: list[Photo]) -> None:
    network = load_zhang(zhang_folder)
    square = SquarePhoto.of("x", photos[0].rgb, 64)
    points = reveal(square.ab, (5,), 0)[0]
    ab = network.colorize(square.lightness, points.known, points.colors)
    again = pickle.loads(pickle.dumps(network))  # as other processes get it
    np.testing.assert_array_equal(ab, again.colorize(square.lightness, points.known, points.colors))
    told = network.colorize(square.lightness, points.known, points.colors + 20)
    assert np.abs(told - ab).max() > 0.5
    assert np.abs(network.colorize(100 - square.lightness, points.known, points.colors) - ab).max()
    info = json.loads((zhang_folder / INFO_FILE).read_text())
    assert info["parity"]["error"] <= 1e-4
    full = sum(p.numel() for p in LocalHints(ZhangConfig()).parameters()) * 4
    assert full < 10e6


def test_a_broken_folder_is_refused(zhang_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_zhang(tmp_path)
    (tmp_path / GRAPH_FILE).write_bytes((zhang_folder / GRAPH_FILE).read_bytes() + b"x")
    (tmp_path / INFO_FILE).write_text((zhang_folder / INFO_FILE).read_text())
    with pytest.raises(ModelError, match="SHA-256 differs"):
        load_zhang(tmp_path)
    (tmp_path / INFO_FILE).write_text("{")
    with pytest.raises(ModelError, match="is no JSON"):
        load_zhang(tmp_path)


def test_export_without_a_checkpoint_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from export.zhang import main

    assert main([str(tmp_path), str(tmp_path / "onnx")]) == 1
    assert "zhang.pt: no such checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(("key", "value"), [
    ("widths", [16, 16]), ("widths", [33, 16, 16, 16]), ("geometric", 1.0), ("delta", 0.0),
    ("whole_share", 1.5), ("epochs", 0.0),
])  # fmt: skip
def test_settings_that_cannot_work_are_refused(key: str, value: object) -> None:
    values = config_to_dict(Config())
    values["zhang"][key] = value
    with pytest.raises(ConfigError, match=f"zhang.{key}"):
        config_from_dict(values)


def _png(rgb: np.ndarray) -> bytes:
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, format="PNG")
    return buffer.getvalue()


def test_zhangs_network_is_trained_resumed_and_exported(
    crops: Path,
    tiny_preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from export.zhang import main

    settings = {"epochs": 8.0, "batch_size": 8, "widths": [16, 16, 32, 32], "learning_rate": 3e-3}
    preset = write_preset(tmp_path / "tiny.toml", tiny_preset(zhang=settings))
    run = tmp_path / "run"
    arguments = ["--config", str(preset), "--data", str(crops), "--out", str(run)]
    assert run_stage([Stage("zhang", train)], arguments) == 0
    with (run / "zhang.csv").open() as lines:
        losses = [float(row["loss"]) for row in csv.DictReader(lines)]
    assert losses[-1] < 0.9 * losses[0]
    capsys.readouterr()
    assert run_stage([Stage("zhang", train)], [*arguments, "--resume"]) == 0
    assert "zhang: done before" in capsys.readouterr().out
    assert main([str(run), str(tmp_path / "onnx")]) == 0
    method = open_method("zhang", weights=tmp_path / "onnx")
    assert method.settings == load_zhang(tmp_path / "onnx").sha256
