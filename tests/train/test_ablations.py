"""Ablations: each setting does what its name says, rows are paired, nothing is made twice."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from huefield.gcrf import Kernel, Weights, open_solver
from huefield.gcrf.similarity import similarity
from tests.reproduction_task import make_task
from train.evaluation.model import OFF, ON, ModelFunctions
from train.evaluation.photos import SquarePhoto
from train.evaluation.points import measure
from train.evaluation.revealed import points_seed
from train.evaluation.spreading import GcrfSpread
from train.reproduction import (
    ablations,
    ablations_edits,
    ablations_points,
    ablations_samples,
    ablations_schedule,
)
from train.reproduction.effort import Effort, Task
from train.reproduction.paired import compared, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from huefield.networks import Networks

EFFORT = Effort(minutes=0.02, limit=24, num_photos=2, counts=(8,), num_ablation_photos=2)
GRID = 32


@pytest.fixture(scope="module")
def squares(color_photos: Mapping[str, Path]) -> Callable[[int], list[SquarePhoto]]:
    """The shipped colour photos as squares of a size."""

    def make(side: int) -> list[SquarePhoto]:
        found = []
        for name, path in sorted(color_photos.items()):
            with Image.open(path) as picture:
                found.append(SquarePhoto.of(name, np.asarray(picture.convert("RGB")), side))
        return found

    return make


def test_rows_are_compared_on_the_same_photos() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(5.0, 2.0, 40)
    rows = {
        "base": {"error": list(base), "colour": list(base)},
        "better": {"error": list(base - 0.1), "colour": list(2 * base)},
        "few": {"error": list(base[:10] + 1)},
    }
    truths = {"colour": list(4 * base)}
    found = compared(rows, "base", seed=3, truths=truths)
    error = found["better"]["figures"]["error"]
    assert error["difference"] == pytest.approx(-0.1)
    # Paired: the spread over photos, 0.3 in the mean, does not blur a constant difference.
    assert error["difference_interval"] == pytest.approx([-0.1, -0.1])
    assert error["interval"][1] - error["interval"][0] > 0.8
    colour = found["better"]["figures"]["colour"]
    assert colour["mean"] == pytest.approx(0.5)
    assert colour["interval"] == pytest.approx([0.5, 0.5])
    assert colour["difference"] == pytest.approx(0.25)
    assert "difference" not in found["base"]["figures"]["error"]
    assert found["few"]["num_photos"] == 10
    assert found["few"]["figures"]["error"]["difference"] == pytest.approx(1.0)
    lines = table(found, {"error": "E", "colour": "C"})
    assert lines[3].startswith(f"| better | {np.mean(base) - 0.1:.4g} (-0.1, -0.1 to -0.1) |")
    assert lines[4].endswith("|  | 10 |")


def test_shipped_samples_and_those_without_the_gcrf_are_those_of_table_2(
    tiny_networks: Networks, squares: Callable[[int], list[SquarePhoto]]
) -> None:
    photos = squares(GRID)
    samples = ablations_samples.SetSamples(tiny_networks, photos, seed=5)
    settings = ablations_samples.settings(tiny_networks.info)
    shipped, off = list(settings.values())[:2]
    expected = ModelFunctions(tiny_networks).sample(photos[1].lightness, 8, 6)
    np.testing.assert_array_equal(samples.fields(1, off), expected[OFF])
    np.testing.assert_allclose(samples.fields(1, shipped), expected[ON], atol=1e-4)
    plain = settings["plain draws"]
    expected = ModelFunctions(tiny_networks, pool_size=0).sample(photos[1].lightness, 8, 6)
    np.testing.assert_allclose(samples.fields(1, plain), expected[ON], atol=1e-4)
    assert np.abs(expected[OFF] - samples.fields(1, off)).max() > 1


def test_every_setting_of_samples_changes_them(
    tiny_networks: Networks, squares: Callable[[int], list[SquarePhoto]]
) -> None:
    samples = ablations_samples.SetSamples(tiny_networks, squares(GRID)[:1], seed=0)
    settings = ablations_samples.settings(tiny_networks.info)
    fields = [samples.fields(0, setting) for setting in settings.values()]
    for k, (title, field) in enumerate(zip(settings, fields, strict=True)):
        for other in fields[:k]:
            assert np.abs(field - other).max() > 1e-3, title


def test_beta_goes_from_one_tint_to_the_unary(tiny_networks: Networks) -> None:
    rng = np.random.default_rng(0)
    unary = rng.normal(0, 20, (2, 256, 2)).astype(np.float32)
    embedding = rng.normal(0, 0.3, (4, 256)).astype(np.float32)
    kernel = Kernel()
    smoothed = ablations_samples.smoothed
    np.testing.assert_array_equal(smoothed(unary, embedding, kernel, math.inf), unary)
    assert np.abs(smoothed(unary, embedding, kernel, 1e4) - unary).max() < 0.02
    tint = smoothed(unary, embedding, kernel, 0.0)
    assert np.ptp(tint, axis=1).max() == 0
    # The minimum of the energy for a β of almost nothing, in float64 by another way.
    M = np.eye(256) - similarity(embedding, kernel).astype(np.float64)
    nearly = np.linalg.solve(M.T @ M + 1e-7 * np.eye(256), 1e-7 * unary[0].astype(np.float64))
    np.testing.assert_allclose(tint[0], nearly, atol=1e-3)
    # What conjugate gradients find, and what factoring finds where they give up.
    solver = open_solver(embedding, kernel, Weights(beta=0.3))
    by_factoring = solver.solve(np.full(256, 0.3, np.float32), unary)
    np.testing.assert_allclose(smoothed(unary, embedding, kernel, 0.3), by_factoring, atol=5e-3)


@pytest.mark.parametrize("kind", ["distance", "inner"])
def test_principal_components_keep_what_s_is_made_of(kind: str) -> None:
    rng = np.random.default_rng(1)
    scales = np.array([3, 1, 0.5, 0.2, 0.02])[:, None, None]
    embedding = (rng.normal(1, 1, (5, 6, 8)) * scales).astype(np.float32)
    kernel = Kernel("inner" if kind == "inner" else "distance")

    def s_of(field: np.ndarray) -> np.ndarray:
        return similarity(field.reshape(len(field), -1), kernel)

    whole = ablations_points.principal(embedding, kind, 5)
    np.testing.assert_allclose(s_of(whole), s_of(embedding), atol=1e-5)
    errors = []
    for size in (1, 2, 4):
        cut = ablations_points.principal(embedding, kind, size)
        assert cut.shape == (size, 6, 8)
        errors.append(np.abs(s_of(cut) - s_of(embedding)).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_points_settings_change_the_method_and_the_first_is_the_tables(
    tiny_networks: Networks, squares: Callable[[int], list[SquarePhoto]]
) -> None:
    info = tiny_networks.info
    photo = squares(ablations_points.SIDE)[0]
    assert len(ablations_points.settings(info, 20)) == len(ablations_points.settings(info, 19)) + 1
    settings = ablations_points.settings(info, 19)
    found = {
        title: ablations_points.measure_points(
            [photo], ablations_points.spread_of(tiny_networks.embed, info, setting), 7
        )
        for title, setting in settings.items()
    }
    points_alone = GcrfSpread(
        tiny_networks.embed,
        (GRID, GRID),
        None,
        None,
        Kernel(info.kernel.kind, info.kernel.diagonal),
        Weights(beta_edit=5.0, beta_prior=1e-4, pairs=0.1),
    )
    expected, _ = measure(photo, points_seed(7, 0), points_alone, (10, 50, 100))
    shipped = next(iter(found.values()))
    assert [shipped[f"psnr_{count}"][0] for count in (10, 50, 100)] == pytest.approx(expected)
    for title, values in list(found.items())[1:]:
        assert abs(values["psnr_10"][0] - shipped["psnr_10"][0]) > 1e-4, title
    full = dataclasses.replace(next(iter(settings.values())), size=info.embedding_size)
    whole = ablations_points.measure_points(
        [photo], ablations_points.spread_of(tiny_networks.embed, info, full), 7
    )
    assert whole["psnr_50"] == pytest.approx(shipped["psnr_50"], abs=0.01)


def test_edits_are_true_colours_and_choosing_for_them_helps(
    tiny_networks: Networks, squares: Callable[[int], list[SquarePhoto]]
) -> None:
    photos = squares(96)[:2]
    edits = ablations_edits.true_edits(photos[0], 4)
    for stroke in edits.strokes:
        ((x, y),) = stroke.points
        near = photos[0].ab[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4]
        np.testing.assert_allclose(stroke.ab, near.mean(axis=(0, 1)), atol=1e-4)
    assert len({stroke.points for stroke in edits.strokes}) == 5
    found = {
        row: ablations_edits.measure_row(tiny_networks, photos, row, 0)
        for row in ablations_edits.ROWS
    }
    mean = {row: np.mean(values["mean_mae"]) for row, values in found.items()}
    corrected, conditioned, before = (mean[row] for row in ablations_edits.ROWS)
    assert corrected < before
    assert conditioned < before
    assert conditioned != corrected
    for values in found.values():
        assert (np.array(values["image_mae"]) < values["mean_mae"]).all()


@pytest.fixture
def task(crops: Path, tiny_model: Path, tiny_run: Path, tmp_path: Path) -> Task:
    """Faces that are crops of the shipped photos, a model of them and the VAE that it came from."""
    task = make_task(tmp_path, crops, tiny_model, EFFORT, [], every=4)
    training = tmp_path / "models" / "training" / "faces"
    training.mkdir(parents=True)
    shutil.copy(tiny_run / "vae.pt", training / "vae.pt")
    return task


def test_all_parts_are_made_once(
    task: Task,
    small_points: Callable[[pytest.MonkeyPatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_points(monkeypatch)
    monkeypatch.setattr(ablations_schedule, "CROP", 16)
    monkeypatch.setattr(ablations, "SIDE", 32)
    monkeypatch.setattr(ablations_points, "SIDE", 64)
    monkeypatch.setattr(ablations_samples, "BETAS", (0.3, 5.0))
    monkeypatch.setattr(ablations_points, "SIZES", (4,))
    monkeypatch.setattr(ablations_points, "BETAS", (5.0,))
    told: list[str] = []
    task = dataclasses.replace(task, done=told.append)
    results = ablations.make(task)
    assert len(told) == ablations.rows(task)
    part = results["sets"]["faces"]
    # 0.01 minutes each at 0.1 s a photo are 6 photos: one step.
    assert list(part["schedule"]) == [
        "schedule, 100 to 10 %, 1 steps",
        "no schedule, 10 %, 1 steps",
    ]
    for key in ablations.TITLES:
        reference, *others = part[key].values()
        for figure in ablations.FIGURES[key]:
            assert "difference" not in reference["figures"][figure]
            for other in others:
                assert other["figures"][figure]["difference"] == pytest.approx(
                    other["figures"][figure]["mean"] - reference["figures"][figure]["mean"],
                    abs=1e-3,
                )
    text = ablations.markdown(json.loads(json.dumps(results)))
    for title in ablations.TITLES.values():
        assert f"### {title}" in text
    assert "Left out" not in text

    runs = task.places.runs
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*.*")}
    assert ablations.make(task) == results
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.*")} == before

    (task.places.models / "training" / "faces" / "vae.pt").unlink()
    without = ablations.make(task)
    assert len(told) == 3 * ablations.rows(task) + 4
    assert without["sets"]["faces"]["schedule"] is None
    assert "no `vae.pt` of faces" in ablations.markdown(without)
