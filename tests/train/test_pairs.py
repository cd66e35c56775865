"""The folder for a study: the same photos for each method, and a definition that is accepted."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from huefield.cli import main
from huefield.lab import rgb_to_lab
from huefield.study.reading import parse_definition
from huefield.study.schedule import cells_of, plan_trials
from tests.reproduction_task import make_task
from train.evaluation.photos import EvaluationError
from train.reproduction import pairs
from train.reproduction.effort import Effort, Task
from train.reproduction.sets import SETS
from train.reproduction.shown import SIDE, shown_photos

if TYPE_CHECKING:
    from collections.abc import Mapping

EFFORT = Effort(minutes=0.02, limit=0, num_photos=8, counts=(8,), num_pairs=6)
FOLDERS = {"truth", "ours", "ours-without-gcrf", "bicycle-gan"}


@pytest.fixture(scope="module")
def task(
    crops: Path,
    tiny_model: Path,
    untrained_baselines: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Task:
    """Faces with BicycleGAN beside ours, and PIC that was never trained."""
    root, methods = tmp_path_factory.mktemp("pairs"), ("bicycle_gan", "pic")
    return make_task(
        root, crops, tiny_model, EFFORT, [], methods=methods, untrained=untrained_baselines
    )


@pytest.fixture(scope="module")
def results(task: Task) -> dict[str, Any]:
    return pairs.make(task)


def study_of(task: Task) -> Path:
    return task.places.out / "study"


def test_every_method_has_the_same_photos(task: Task, results: Mapping[str, Any]) -> None:
    part = results["sets"]["faces"]
    assert len(part["photos"]) == EFFORT.num_pairs
    assert part["absent"] == ["PIC"]
    folders = {path.name: path for path in (study_of(task) / "faces").iterdir()}
    assert folders.keys() == FOLDERS == {*part["folders"].values(), "truth"}
    wanted = {Path(name).stem + ".jpg" for name in part["photos"]}
    squares = shown_photos(SETS["faces"].test_source(task.places.data), EFFORT.num_pairs, task.seed)
    for folder in folders.values():
        assert {path.name for path in folder.iterdir()} == wanted
    for square in squares:
        pictures = {}
        for name, folder in folders.items():
            with Image.open(folder / (Path(square.name).stem + ".jpg")) as image:
                assert image.format == "JPEG"
                pictures[name] = np.asarray(image)
            assert pictures[name].shape == (SIDE, SIDE, 3)
            lightness = rgb_to_lab(pictures[name])[..., 0]
            assert np.abs(lightness - square.lightness).mean() < 1.5
        assert np.abs(pictures["truth"].astype(int) - square.rgb).mean() < 2.5
        names = sorted(pictures)
        for k, name in enumerate(names):
            for other in names[k + 1 :]:
                assert not np.array_equal(pictures[name], pictures[other]), (name, other)


def test_the_study_is_made_as_it_is(
    task: Task, results: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUEFIELD_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("HUEFIELD_MODELS", str(tmp_path / "no-models"))
    file = str(task.places.out / results["definition"])
    made = CliRunner().invoke(main, ["study", "create", file], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    assert f"'{pairs.NAME}' version 1: {EFFORT.num_pairs} photos, draft" in made.output
    assert list(tmp_path.rglob("*.sqlite3"))


def test_each_method_competes_with_ours_alone(task: Task, results: Mapping[str, Any]) -> None:
    text = (task.places.out / results["definition"]).read_text(encoding="utf-8")
    definition = parse_definition(text)
    assert set(definition.pairs_of("faces")) == {
        ("ours", "BicycleGAN"),
        ("ours", "ours without G-CRF"),
    }
    for folder in definition.datasets["faces"].methods.values():
        assert (study_of(task) / str(folder)).is_dir()
    photos = {"faces": tuple(results["sets"]["faces"]["photos"])}
    plan = plan_trials(definition, photos, {}, 0)
    assert {trial.kind for trial in plan} == {"trial", "check", "repeat"}
    assert len(cells_of(definition, photos)) == 2 * EFFORT.num_pairs


def test_the_folder_says_whose_photos_it_has(task: Task, results: Mapping[str, Any]) -> None:
    text = (study_of(task) / "README.md").read_text(encoding="utf-8")
    assert "- `faces`: 6 test photos of `lfw.zip`, Labeled Faces in the Wild" in text
    assert str(task.places.data) not in text
    assert (study_of(task) / ".gitignore").read_text() == "*\n"
    assert {photo_set.test for photo_set in SETS.values()} <= pairs.ORIGINS.keys()
    table = pairs.markdown(results)
    assert "| faces | 6 of lfw-test | BicycleGAN, ours without G-CRF, ours | PIC |" in table
    assert pairs.rows(task) == 1


def test_a_second_call_writes_what_is_gone_and_nothing_else(
    task: Task, results: Mapping[str, Any]
) -> None:
    files = [path for path in study_of(task).rglob("*") if path.is_file()]
    assert len(files) == 3 + len(FOLDERS) * EFFORT.num_pairs
    before = {path: path.stat().st_mtime_ns for path in files}
    assert pairs.make(task) == results
    assert {path: path.stat().st_mtime_ns for path in files} == before
    gone = sorted(study_of(task).rglob("ours/*.jpg"))[0]
    content = gone.read_bytes()
    gone.unlink()
    pairs.make(task)
    assert gone.read_bytes() == content


@pytest.mark.parametrize("num_photos", [2, 3, 5, 8, 16, 24, 40, 120])
def test_trials_fit_the_photos(num_photos: int) -> None:
    part = {"photos": ["p"] * num_photos, "folders": {"a": "a", "ours": "ours"}}
    definition = parse_definition(pairs.definition_text({"faces": part}, 3))
    trials = definition.trials
    assert trials.count + trials.practice + trials.checks <= num_photos
    assert trials.count >= 1
    assert trials.checks == min(6, num_photos // 5)
    assert definition.seed == 3


def test_one_photo_is_no_study() -> None:
    with pytest.raises(EvaluationError, match="at least 2 photos, got 1"):
        pairs.trials_of(1)


def test_names_are_quoted() -> None:
    part = {"photos": ["p"] * 8, "folders": {'c-GAN "x"': "a", "ours": "ours"}}
    table = tomllib.loads(pairs.definition_text({"faces": part}, 0))
    assert table["pairs"] == [["ours", 'c-GAN "x"']]
    assert re.fullmatch(r"[a-z-]+", table["name"])
