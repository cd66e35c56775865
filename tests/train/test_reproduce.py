"""`python -m train.reproduce`: Table 2 from nothing, a second call that has nothing to do."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import train.config
from train import reproduce
from train.config import load_config
from train.reproduction import table2
from train.reproduction.effort import FULL, Effort
from train.reproduction.sets import SETS

if TYPE_CHECKING:
    from collections.abc import Callable

SMOKE = Path(train.config.__file__).parent / "configs" / "baselines-smoke.toml"
EFFORT = Effort(minutes=0.02, limit=0, num_photos=8, counts=(8,))


@pytest.fixture
def command(
    crops: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Arguments for a set of faces that are crops of the shipped photos, and a model of it."""
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "lfw.zip", "w") as archive:
        for number, path in enumerate(sorted(crops.iterdir())):
            archive.write(path, f"{'test' if number % 20 == 0 else 'train'}/{path.name}")
    shutil.copytree(tiny_model, tmp_path / "models" / "faces")
    monkeypatch.setitem(reproduce.EFFORTS, "quick", EFFORT)
    for method in table2.SECONDS_PER_PHOTO:
        monkeypatch.setitem(table2.SECONDS_PER_PHOTO, method, 0.004)

    def make(*more: str) -> list[str]:
        places = {
            "--preset": "quick",
            "--data-root": tmp_path / "data",
            "--models": tmp_path / "models",
            "--runs": tmp_path / "runs",
            "--out": tmp_path / "results",
            "--config": SMOKE,
        }
        pairs = [str(text) for pair in places.items() for text in pair]
        return [*pairs, "--sets", "faces", *more]

    return make


def test_the_table_comes_from_one_command_and_goes_on(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    methods = ("bicycle_gan", "vae_mdn")
    assert reproduce.main(command("--methods", *methods)) == 0
    first = (tmp_path / "results" / "table2.json").read_text()
    results = json.loads(first)
    part = results["sets"]["faces"]
    assert 3 <= part["num_photos"] <= 8  # some crops have no colour
    assert list(part["rows"]) == ["BicycleGAN", "VAE-MDN", "ours", "ours, unary alone"]
    for row in part["rows"].values():
        figures, ends = row["figures"]["8"], row["intervals"]["8"]
        assert {*table2.SHOWN, *table2.SHOWN_MORE} <= figures.keys() == ends.keys()
        assert ends["image_mae"][0] < figures["image_mae"] < ends["image_mae"][1]
        assert row["seconds_per_sample"] > 0
        assert 0 < row["megabytes"] < 10
    # 0.02 minutes at 0.004 s a photo are 300 photos in batches of 8.
    assert part["rows"]["BicycleGAN"]["steps"] == round(300 / 8)
    assert part["rows"]["BicycleGAN"]["train_minutes"] > 0
    text = (tmp_path / "results" / "table2.md").read_text()
    assert f"## faces ({part['num_photos']} photos of lfw-test)" in text
    assert f"| BicycleGAN | {part['rows']['BicycleGAN']['figures']['8']['image_mae']:.4g} [" in text

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")}
    assert reproduce.main(command("--methods", *methods)) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (tmp_path / "results" / "table2.json").read_text() == first


def test_what_is_missing_is_said_before_hours_are_spent(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce.main([*command(), "buildings"]) == 1
    assert "expected the photo set" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "models" / "faces")
    assert reproduce.main(command()) == 1
    assert "no model folder" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_every_method_gets_the_same_time() -> None:
    preset = load_config(SMOKE.with_name("baselines.toml"))
    for method, stages in table2.STAGES.items():
        config = table2.budgeted(preset, method, FULL, 9_984)
        epochs = {stage.name: getattr(config, stage.name).epochs for stage in stages}
        seconds = sum(e * 9_984 * table2.SECONDS_PER_PHOTO[name] for name, e in epochs.items())
        assert seconds == pytest.approx(3600, rel=1e-3), method


def test_sets_name_train_and_test_apart() -> None:
    assert set(SETS) == {"faces", "buildings", "photos"}
    for photo_set in SETS.values():
        assert photo_set.test in photo_set.zips
        assert all(pattern.startswith("train/") for pattern in photo_set.train_patterns)
        assert photo_set.test_source(Path("x")).prefix == "test"
    buildings = load_config(SMOKE.with_name("buildings.toml"))
    assert SETS["buildings"].train_patterns == buildings.data.include
