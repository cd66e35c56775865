"""The figures: what stands on their sheets, and that a second call draws nothing."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFont

from huefield import upsample
from huefield.colorizer import Colorizer
from huefield.lab import rgb_to_lab
from tests.reproduction_task import make_task
from train.baselines.interactive import open_method
from train.reproduction import explained, figures, sheet, trained
from train.reproduction.effort import Effort, Task
from train.reproduction.places import (
    APART,
    principal_components,
    scripted_edits,
    typical_places,
)
from train.reproduction.sets import SETS
from train.reproduction.shown import SIDE, gray_of, photo_of, shown_photos
from train.reproduction.tiles import heat_over, marked, painted

if TYPE_CHECKING:
    from huefield.colorizer import OpenPhoto
    from huefield.networks import Networks
    from train.evaluation.photos import SquarePhoto

EFFORT = Effort(minutes=0.02, limit=0, num_photos=8, counts=(8,), num_shown=2)


@pytest.fixture(scope="module")
def rows() -> list[str]:
    return []


@pytest.fixture(scope="module")
def task(
    crops: Path,
    tiny_model: Path,
    untrained_baselines: Path,
    rows: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Task:
    """Faces with BicycleGAN beside ours, and VAE-MDN that was never trained."""
    return make_task(
        tmp_path_factory.mktemp("figures"),
        crops,
        tiny_model,
        EFFORT,
        rows,
        methods=("bicycle_gan", "vae_mdn"),
        untrained=untrained_baselines,
    )


@pytest.fixture(scope="module")
def results(task: Task) -> dict[str, dict[str, dict[str, object]]]:
    made: dict[str, dict[str, dict[str, object]]] = figures.make(task)["sets"]
    return made


@pytest.fixture(scope="module")
def squares(task: Task) -> list[SquarePhoto]:
    return shown_photos(SETS["faces"].test_source(task.places.data), 2, task.seed)


@pytest.fixture(scope="module")
def opened(tiny_networks: Networks, squares: list[SquarePhoto]) -> OpenPhoto:
    return Colorizer(tiny_networks, anticipate=False).open(photo_of(squares[0]))


def last_line(path: Path, num_columns: int) -> list[np.ndarray]:
    """The tiles of the last line of a sheet without a legend, which has the largest tiles."""
    with Image.open(path) as image:
        page = np.asarray(image.convert("RGB"))
    side, margin = sheet.SIDES[0], 3 * sheet.UNIT
    bottom, right = page.shape[0] - margin, page.shape[1] - margin
    starts = [right - side - k * (side + sheet.UNIT) for k in reversed(range(num_columns))]
    return [page[bottom - side : bottom, x : x + side] for x in starts]


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of two pictures in ab."""
    change = rgb_to_lab(a)[..., 1:] - rgb_to_lab(b)[..., 1:]
    return float(np.linalg.norm(change, axis=-1).mean())


def test_a_line_goes_from_grey_over_samples_to_the_truth(
    task: Task, results: dict[str, dict[str, dict[str, object]]], squares: list[SquarePhoto]
) -> None:
    about = results["faces"]["figure1"]
    assert about["photos"] == [square.name for square in squares]
    assert about["methods"] == ["BicycleGAN", "ours without G-CRF", "ours"]
    assert about["absent"] == ["VAE-MDN"]
    tiles = last_line(task.places.out / "figure1-faces.jpg", figures.NUM_SAMPLES + 2)
    size = (sheet.SIDES[0], sheet.SIDES[0])
    truth = np.asarray(Image.fromarray(squares[-1].rgb).resize(size, Image.Resampling.LANCZOS))
    assert np.abs(tiles[-1].astype(int) - truth).mean() < 3  # JPEG
    assert distance(tiles[0], np.repeat(tiles[0][..., :1], 3, axis=2)) < 1.5
    for number, tile in enumerate(tiles[1:-1]):
        assert distance(tile, tiles[0]) > 3
        for other in tiles[number + 2 :]:
            assert distance(tile, other) > 1
        lightness = rgb_to_lab(tile)[..., 0] - rgb_to_lab(truth)[..., 0]
        assert np.abs(lightness).mean() < 2


def test_zhang_follows_the_same_strokes_where_it_is_trained(
    task: Task,
    zhang_folder: Path,
    opened: OpenPhoto,
    squares: list[SquarePhoto],
    tmp_path: Path,
) -> None:
    places = dataclasses.replace(task.places, runs=tmp_path / "runs", out=tmp_path / "results")
    shutil.copytree(zhang_folder, trained.zhang_folder(places, "faces"))
    about = explained.edits_figure(dataclasses.replace(task, places=places), "faces")
    assert (about["others"], about["absent"]) == (["Zhang 2017"], [])
    method = open_method("zhang", weights=zhang_folder)
    alone = explained.edits_line("alone", opened, squares[0], [], task.seed).tiles
    beside = explained.edits_line("beside", opened, squares[0], [method], task.seed).tiles
    assert len(beside) == len(alone) + 1
    for ours, same in zip(alone, [*beside[:2], *beside[3:]], strict=True):
        assert np.array_equal(ours, same)
    lightness = rgb_to_lab(beside[2])[..., 0] - squares[0].lightness
    assert np.abs(lightness).mean() < 1.5
    assert distance(beside[2], gray_of(squares[0])) > 1


def test_every_figure_is_small_told_of_and_linked(
    task: Task, results: dict[str, dict[str, dict[str, object]]], rows: list[str]
) -> None:
    assert rows == [f"faces: {figure}" for figure in figures.TITLES]
    assert figures.rows(task) == len(rows)
    text = figures.markdown({"seed": 0, "sets": results})
    for figure in figures.TITLES:
        file = task.places.out / f"{figure}-faces.jpg"
        assert 0 < file.stat().st_size <= sheet.MOST_BYTES
        assert f"]({file.name})" in text
        assert figures.CAPTIONS[figure] in text
    assert "Not there: VAE-MDN." in text
    assert "Not there: Zhang 2017." in text


def test_a_second_call_draws_what_is_gone_and_nothing_else(
    task: Task, results: dict[str, dict[str, dict[str, object]]]
) -> None:
    files = sorted(p for p in task.places.out.parent.rglob("*") if p.suffix in (".jpg", ".json"))
    before = {path: path.stat().st_mtime_ns for path in files}
    assert figures.make(task)["sets"] == results
    assert {path: path.stat().st_mtime_ns for path in files} == before
    gone = task.places.out / "figure8-faces.jpg"
    drawn = gone.read_bytes()
    gone.unlink()
    figures.make(task)
    assert gone.read_bytes() == drawn
    changed = {path for path in files if path.stat().st_mtime_ns != before[path]}
    assert {path.stem for path in changed} == {"figure8-faces"}


def test_the_seed_chooses_the_photos(task: Task, squares: list[SquarePhoto]) -> None:
    source = SETS["faces"].test_source(task.places.data)
    names = [[s.name for s in shown_photos(source, 2, seed)] for seed in range(4)]
    assert names[0] == [square.name for square in squares]
    assert len({tuple(each) for each in names}) > 1
    everything = shown_photos(source, 1000, 0)
    assert 2 < len({square.name for square in everything}) == len(everything) < 1000


def test_another_place_and_another_model_are_drawn_anew(
    task: Task, results: dict[str, dict[str, dict[str, object]]], tmp_path: Path
) -> None:
    places = dataclasses.replace(task.places, out=tmp_path / "out")
    elsewhere = dataclasses.replace(task, places=places)
    assert explained.unary_figure(elsewhere, "faces") == results["faces"]["figure7"]
    first = (tmp_path / "out" / "figure7-faces.jpg").read_bytes()
    assert first == (task.places.out / "figure7-faces.jpg").read_bytes()
    shutil.copytree(task.places.models, tmp_path / "models")
    about = tmp_path / "models" / "faces" / "model.json"
    changed = json.loads(about.read_text())
    changed["gcrf"]["beta"] *= 10
    about.write_text(json.dumps(changed))
    places = dataclasses.replace(places, models=tmp_path / "models", runs=tmp_path / "runs")
    explained.unary_figure(dataclasses.replace(task, places=places), "faces")
    assert (tmp_path / "out" / "figure7-faces.jpg").read_bytes() != first


def test_edits_show_the_photo_s_colours_where_they_are_missed(
    opened: OpenPhoto, squares: list[SquarePhoto]
) -> None:
    (before,) = opened.samples(1, 0)
    edits = scripted_edits(before.field, squares[0])
    (after,) = opened.samples(1, 0, edits)
    truth = upsample.grid_ab(squares[0].ab, opened.grid)
    misses = np.linalg.norm(truth - before.field, axis=2)
    middles = [np.mean(stroke.points, axis=0) for stroke in edits.strokes]
    for stroke, (x, y) in zip(edits.strokes, middles, strict=True):
        cell = np.unravel_index(opened.cell(x, y), opened.grid)
        assert np.linalg.norm(truth[cell] - stroke.ab) < 12
        assert misses[cell] > np.median(misses)
        closer = np.linalg.norm(after.field[cell] - stroke.ab)
        assert closer < 0.3 * np.linalg.norm(before.field[cell] - stroke.ab)
    assert np.hypot(*(middles[0] - middles[1])) >= (APART - 0.05) * SIDE
    picture = painted(gray_of(squares[0]), edits)
    x, y = (round(v) for v in middles[0])
    wanted = np.asarray(edits.strokes[0].ab)
    assert np.linalg.norm(rgb_to_lab(picture[y, x])[1:] - wanted) < 6  # gamut


def test_maps_are_brightest_at_their_own_pixel(
    opened: OpenPhoto, squares: list[SquarePhoto]
) -> None:
    x, y = 150.0, 90.0
    for values in opened.influence(x, y):
        assert np.argmax(values) == opened.cell(x, y)
        tile = heat_over(values, squares[0].lightness)
        bright = np.argmax(rgb_to_lab(tile)[..., 0].ravel())
        down, across = np.unravel_index(bright, (SIDE, SIDE))
        assert np.hypot(across - x, down - y) < 1.5 * SIDE / opened.grid[0]
    nothing = heat_over(np.zeros(opened.grid, np.float32), squares[0].lightness)
    assert distance(nothing, gray_of(squares[0])) < 0.5
    assert rgb_to_lab(nothing)[..., 0].mean() < 0.7 * squares[0].lightness.mean()


def test_the_unary_stands_beside_another_result(
    opened: OpenPhoto, squares: list[SquarePhoto]
) -> None:
    (sample,) = opened.samples(1, 0)
    unary = opened.unary(sample)
    (line,) = explained.unary_lines(squares[0], [(unary, sample.field)], 5.0)
    assert distance(line.tiles[1], line.tiles[2]) > 0.1
    assert np.array_equal(line.tiles[2], opened.render(sample))
    assert np.array_equal(line.tiles[-1], squares[0].rgb)
    change = np.linalg.norm(sample.field - unary, axis=2)
    down, across = np.unravel_index(np.argmax(change), opened.grid)
    cell = SIDE // opened.grid[0]
    heat = rgb_to_lab(line.tiles[3])[..., 0]
    there = heat[down * cell : (down + 1) * cell, across * cell : (across + 1) * cell]
    assert there.mean() > np.percentile(heat, 95)
    (same,) = explained.unary_lines(squares[0], [(unary, unary)], 5.0)
    assert same.tiles[3].max() < 8


def test_principal_components_are_those_of_the_singular_values() -> None:
    rng = np.random.default_rng(3)
    embedding = rng.standard_normal((6, 8, 9)).astype(np.float32)
    found = principal_components(embedding)
    flat = embedding.reshape(6, -1) - embedding.reshape(6, -1).mean(axis=1, keepdims=True)
    singular = np.linalg.svd(flat, compute_uv=False)[:3]
    assert np.linalg.norm(found, axis=(0, 1)) == pytest.approx(singular, rel=1e-4)
    assert np.allclose(principal_components(embedding[:, ::-1])[::-1], found, atol=1e-4)


def test_typical_places_are_on_three_surfaces() -> None:
    rng = np.random.default_rng(1)
    components = rng.normal(0, 0.05, (32, 32, 3)).astype(np.float32)
    for k in range(3):
        components[:, 11 * k : 11 * k + 11, k] += 5
    columns = [int(x * 32 / SIDE) // 11 for x, _ in typical_places(components, 0)]
    assert columns == [0, 1, 2]


def test_marks_are_rings_that_leave_their_pixel_free() -> None:
    blank = np.full((SIDE, SIDE, 3), 128, np.uint8)
    picture = marked(blank, [(60.0, 50.0), (250.0, 200.0)])
    assert (picture[50, 60] == 128).all()
    assert picture[40:60, 50:70].max() == 255
    assert picture[150:, 200:].max() == 255
    assert np.array_equal(picture[100:140], blank[100:140])
    assert not np.array_equal(picture, marked(blank, [(60.0, 50.0), (250.0, 200.0)], first=2))


def test_a_sheet_has_white_margins_and_uncut_labels() -> None:
    tile = np.zeros((SIDE, SIDE, 3), np.uint8)
    label = "a method with quite some words in its name"
    lines = [sheet.Line(label, (tile, tile)), sheet.Line("b", (tile, tile))]
    page = np.asarray(sheet.draw_sheet(["head"] * 2, [lines], 112))
    edge = 3 * sheet.UNIT
    for margin in (page[:edge], page[-edge:], page[:, : edge - 1], page[:, -edge:]):
        assert (margin == 255).all()
    dark = (page == 0).all(axis=2).sum(axis=0) >= 2 * 112
    first = int(np.argmax(dark))  # where tiles begin
    assert (page[:, first - sheet.UNIT : first] == 255).all()
    assert page[:, edge : first - sheet.UNIT].min() < 100
    legend = np.asarray(sheet.draw_sheet(["a"] * 2, [lines], 112, sheet.Legend("0", "most")))
    assert len(legend) > len(page)
    assert (legend[-edge:] == 255).all()
    font = ImageFont.load_default(sheet.TEXT_SIZE)
    assert font.getlength(label) > first > max(font.getlength(word) for word in label.split())


def test_tiles_shrink_until_the_file_is_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    blocks = [[sheet.Line("noise", (noise,) * 3)]]
    sheet.write_sheet(tmp_path / "large.jpg", ["a", "b", "c"], blocks)
    size = (tmp_path / "large.jpg").stat().st_size
    monkeypatch.setattr(sheet, "MOST_BYTES", size - 1)
    sheet.write_sheet(tmp_path / "small.jpg", ["a", "b", "c"], blocks)
    assert (tmp_path / "small.jpg").stat().st_size < size
    with Image.open(tmp_path / "large.jpg") as large, Image.open(tmp_path / "small.jpg") as small:
        assert large.width - small.width == 3 * (sheet.SIDES[0] - sheet.SIDES[1])
