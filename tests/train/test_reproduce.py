"""`python -m train.reproduce`: all parts from nothing, a second call that has nothing to do."""

from __future__ import annotations

import errno
import functools
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from train import reproduce
from train.baselines import endo
from train.config import load_config
from train.data import DataError, is_held
from train.evaluation import contenders
from train.reproduction import parts, table2, trained
from train.reproduction.effort import PRESETS, Effort, Task
from train.reproduction.index import read_hours
from train.reproduction.paper import error_note
from train.reproduction.sets import SETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SMOKE = PRESETS / "baselines-smoke.toml"
EFFORT = Effort(
    minutes=0.02,
    limit=0,
    num_photos=8,
    counts=(8,),
    shipped_counts=(12,),
    num_points_photos=4,
    point_counts=(1, 10),
)
EARLIER = ["Levin 2004", "Endo 2016", "Barron & Poole 2016", "Zhang 2017"]


@pytest.fixture
def command(
    crops: Path,
    tiny_model: Path,
    small_points: Callable[[pytest.MonkeyPatch], None],
    tiny_preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., list[str]]:
    """Arguments for a set of faces that are crops of the shipped photos, and a model of it."""
    (tmp_path / "data").mkdir()
    write_zip(
        tmp_path / "data" / "lfw.zip",
        {
            f"{'test' if number % 20 == 0 else 'train'}/{path.name}": path.read_bytes()
            for number, path in enumerate(sorted(crops.iterdir()))
        },
    )
    shutil.copytree(tiny_model, tmp_path / "models" / "faces")
    monkeypatch.setitem(reproduce.EFFORTS, "quick", EFFORT)
    for method in trained.SECONDS_PER_PHOTO:
        monkeypatch.setitem(trained.SECONDS_PER_PHOTO, method, 0.004)
    monkeypatch.setitem(
        trained.OUR_SECONDS_PER_PHOTO, "faces", dict.fromkeys(trained.SHARES["ours"], 0.004)
    )
    monkeypatch.setattr(contenders, "SIDE", 96)
    monkeypatch.setattr(endo, "colorize", functools.partial(endo.colorize, num_steps=3))
    small_points(monkeypatch)
    monkeypatch.setattr("train.loop.draw_curves", lambda path, rows: None)  # half of the time
    presets = tmp_path / "presets"
    presets.mkdir()
    write_preset(presets / "faces.toml", tiny_preset())
    zhang = {"widths": [16, 16, 16, 32], "batch_size": 8}
    write_preset(presets / "zhang.toml", {"bfloat16": "off", "zhang": zhang})

    def make(*more: str) -> list[str]:
        places = {
            "--preset": "quick",
            "--data-root": tmp_path / "data",
            "--models": tmp_path / "models",
            "--runs": tmp_path / "runs",
            "--out": tmp_path / "results",
            "--config": SMOKE,
            "--presets": presets,
        }
        pairs = [str(text) for pair in places.items() for text in pair]
        return [*pairs, "--sets", "faces", *more]

    return make


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_tables_come_from_one_command_and_go_on(
    command: Callable[..., list[str]], tmp_path: Path
) -> None:
    out = tmp_path / "results"
    chosen = command("--parts", "table2", "table3", "--methods", "vae_mdn")
    assert reproduce.main(chosen) == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert first.keys() == {
        "README.md",
        "table2.json",
        "table2.md",
        "table3.json",
        "table3.md",
        "table3-faces.png",
    }
    check_table2(json.loads(first["table2.json"]), first["table2.md"].decode())
    check_table3(json.loads(first["table3.json"]), first["table3.md"].decode())
    index = first["README.md"].decode()
    assert "| [table2](table2.md) | quick | 0.02 | 0 |" in index
    assert "| [table3](table3.md) | quick | 0.02 | 0 |" in index
    assert "GPU hours: not measured" in index
    hours = read_hours(tmp_path / "runs")
    assert all(0 < hours[part] < 0.1 for part in ("table2", "table3"))

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")}
    assert reproduce.main(chosen) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*.*")} == before
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def check_table2(results: Mapping[str, Any], text: str) -> None:
    part = results["sets"]["faces"]
    assert results["minutes"] == EFFORT.minutes
    assert 3 <= part["num_photos"] <= 8  # some crops have no colour
    assert list(part["rows"]) == [
        "VAE-MDN",
        "ours, same time",
        "ours, as shipped",
        "ours without G-CRF",
        "ours, plain draws",
    ]
    less = part["paired"]["ours, as shipped"]["VAE-MDN"]["image_mae"]
    rows = {title: row["figures"]["8"]["image_mae"] for title, row in part["rows"].items()}
    assert less["difference"] == pytest.approx(rows["ours, as shipped"] - rows["VAE-MDN"], rel=1e-3)
    assert less["difference_interval"][0] < less["difference"] < less["difference_interval"][1]
    for row in part["rows"].values():
        figures, ends = row["figures"]["8"], row["intervals"]["8"]
        assert {*table2.SHOWN, *table2.SHOWN_MORE} <= figures.keys() == ends.keys()
        assert ends["image_mae"][0] < figures["image_mae"] < ends["image_mae"][1]
        assert row["seconds_per_sample"] > 0
        assert 0 < row["megabytes"] < 10
    # 0.02 minutes at 0.004 s a photo are 300 photos, of which each stage gets its share.
    assert part["rows"]["VAE-MDN"]["steps"] == round(210 / 8) + round(90 / 8)
    assert part["rows"]["ours, same time"]["steps"] == round(180 / 8) + 60 / 4 + round(60 / 8)
    assert part["rows"]["ours, same time"]["train_minutes"] > 0
    assert "steps" not in part["rows"]["ours, as shipped"]
    assert f"## faces ({part['num_photos']} photos of lfw-test)" in text
    assert f"| VAE-MDN | {part['rows']['VAE-MDN']['figures']['8']['image_mae']:.4g} [" in text
    assert "ours, as shipped: Untrained, for tests." in text
    shipped = part["rows"]["ours, as shipped"]["figures"]
    assert shipped["12"]["image_mae"] < shipped["8"]["image_mae"]  # the first 8 are among the 12
    assert part["rows"]["VAE-MDN"]["figures"].keys() == {"8"}
    further = text[text.index("N = 12:") :].split("\n\n")[1].splitlines()
    assert [line.split(" | ")[0] for line in further[2:]] == [
        "| ours, as shipped",
        "| ours without G-CRF",
    ]
    assert f"{shipped['12']['image_mae']:.4g} [" in further[2]
    assert "11e-5" in text


def check_table3(results: Mapping[str, Any], text: str) -> None:
    part = results["sets"]["faces"]
    ours = [contenders.OURS[name] for name in ("paper", "plain")]
    assert list(part["methods"]) == [*contenders.BOUNDS.values(), *EARLIER, *ours]
    assert list(part["margins"]) == ours
    assert set(EARLIER) < set(part["margins"][ours[1]])
    assert part["counts"] == list(EFFORT.point_counts)
    assert part["zhang"]["steps"] == round(300 / 8)
    for row in part["methods"].values():
        for value, (low, high) in zip(row["psnr"], row["interval"], strict=True):
            assert 5 < low <= value <= high < 60
        assert row["seconds"][0] >= 0
    margin = part["margins"][ours[0]]["Zhang 2017"]["margin"][1]
    assert f"| Zhang 2017 | {part['margins'][ours[0]]['Zhang 2017']['margin'][0]:+.2f} (" in text
    difference = part["methods"][ours[0]]["psnr"][1] - part["methods"]["Zhang 2017"]["psnr"][1]
    assert margin == pytest.approx(difference, abs=2e-3)
    assert "![PSNR over revealed points on faces](table3-faces.png)" in text
    assert "| Zhang 2017 | +1.5 | +1.7 | +1.5 |" in text


def test_a_model_with_hints_has_two_more_rows(
    hinted_model: Path, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    seen: list[Task] = []
    fake = FakePart(seen.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduce, "PARTS", {"table3": fake})
        assert reproduce.main(command("--parts", "table3")) == 0
    assert parts.PARTS["table3"].rows(seen[0]) == 9
    shutil.rmtree(tmp_path / "models" / "faces")
    shutil.copytree(hinted_model, tmp_path / "models" / "faces")
    assert parts.PARTS["table3"].rows(seen[0]) == 11


class FakePart:
    """A part that only looks at what it is asked for."""

    def __init__(self, look: Callable[[Task], None]) -> None:
        self._look = look

    def rows(self, task: Task) -> int:
        return 1

    def make(self, task: Task) -> dict[str, Any]:
        self._look(task)
        task.done("one row")
        return {"figure": 1.5}

    def markdown(self, results: Mapping[str, Any]) -> str:
        return f"figure {results['figure']}, {results['minutes']:g} minutes\n"


def test_parts_are_written_one_by_one_and_minutes_are_told(
    command: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Task] = []

    def refuse(task: Task) -> None:
        raise DataError("nothing to draw")

    fakes = {"table2": FakePart(seen.append), "table3": FakePart(refuse)}
    monkeypatch.setattr(reproduce, "PARTS", fakes)
    chosen = ["--minutes", "2.5", "--seed", "7", "--parts", "table3", "table2"]
    assert reproduce.main(command(*chosen)) == 1
    assert seen[0].effort.minutes == 2.5
    out = tmp_path / "results"
    assert {path.name for path in out.iterdir()} == {"README.md", "table2.json", "table2.md"}
    assert json.loads((out / "table2.json").read_text()) == {
        "part": "table2",
        "preset": "quick",
        "minutes": 2.5,
        "limit": 0,
        "seed": 7,
        "figure": 1.5,
    }
    assert (out / "table2.md").read_text() == "figure 1.5, 2.5 minutes\n"
    assert "| quick | 2.5 | 7 |" in (out / "README.md").read_text()
    assert "table3" not in (out / "README.md").read_text()


def test_other_minutes_have_runs_of_their_own() -> None:
    usual = ["--preset", "full", "--data-root", "x"]
    assert reproduce.parse_arguments(usual).runs == Path("runs/reproduce-full")
    other = reproduce.parse_arguments([*usual, "--minutes", "12"])
    assert other.runs == Path("runs/reproduce-full-12")
    with pytest.raises(SystemExit):
        reproduce.parse_arguments([*usual, "--minutes", "0"])


def grey(data: bytes) -> bytes:
    """A photo without its colours."""
    with Image.open(io.BytesIO(data)) as picture:
        out = io.BytesIO()
        picture.convert("L").save(out, "png")
    return out.getvalue()


def leave_no_photos(root: Path) -> None:
    write_zip(root / "data" / "lfw.zip", {"train/notes.txt": b"none", "test/notes.txt": b"none"})


def leave_one_photo(root: Path) -> None:
    name, data = next(iter(read_zip(root / "data" / "lfw.zip").items()))
    write_zip(root / "data" / "lfw.zip", {f"{part}/{name}": data for part in ("train", "test")})


def leave_grey_photos(root: Path) -> None:
    members = list(read_zip(root / "data" / "lfw.zip").items())[:30]
    write_zip(root / "data" / "lfw.zip", {name: grey(data) for name, data in members})


def leave_grey_test_photos(root: Path) -> None:
    members = read_zip(root / "data" / "lfw.zip")
    changed = {n: grey(d) if n.startswith("test/") else d for n, d in members.items()}
    write_zip(root / "data" / "lfw.zip", changed)


def break_the_zip(root: Path) -> None:
    (root / "data" / "lfw.zip").write_bytes(b"no zip")


def remove_the_zip(root: Path) -> None:
    (root / "data" / "lfw.zip").unlink()


def remove_a_preset(root: Path) -> None:
    (root / "presets" / "zhang.toml").unlink()


def remove_the_model(root: Path) -> None:
    shutil.rmtree(root / "models" / "faces")


def remove_the_weights(root: Path) -> None:
    (root / "models" / "faces" / "mdn.onnx").unlink()


def break_the_description(root: Path) -> None:
    (root / "models" / "faces" / "model.json").write_text('{"format": 1, "name": ')


def alter_the_weights(root: Path) -> None:
    path = root / "models" / "faces" / "decoder.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def put_a_file_in_place_of_the_results(root: Path) -> None:
    (root / "results").write_text("a file")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (leave_no_photos, r"expected photos fitting \['train/\*'\] in .*lfw.zip.*, found none"),
        (leave_one_photo, "faces: expected at least 10 photos to train on, got 1 in lfw.zip"),
        (leave_grey_photos, "at least 10 photos with colour to train on, got 0 among 28 of lfw"),
        (leave_grey_test_photos, "lfw-test: all 8 photos are grey; a measurement needs true col"),
        (break_the_zip, "expected a folder or a zip of photos, got .*lfw.zip"),
        (remove_the_zip, "expected the photo set .*lfw.zip; name its folder by --data-root"),
        (remove_a_preset, "expected a TOML preset at .*zhang.toml, got: No such file"),
        (remove_the_model, "model.json: no such file, so .*faces is no model folder"),
        (remove_the_weights, "mdn.onnx"),
        (break_the_description, "model.json: cannot be read as JSON"),
        (alter_the_weights, "decoder.onnx: .*SHA-256"),
        (put_a_file_in_place_of_the_results, "expected a folder to write to, got .*results: File"),
    ],
)
def test_what_cannot_be_used_is_said_before_hours_are_spent(
    command: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    said: str,
) -> None:
    spoil(tmp_path)
    before = set(tmp_path.rglob("*"))
    assert reproduce.main(command()) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("train.reproduce: ")
    assert re.search(said, lines[0])
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("place", ["results", "runs"])
def test_a_full_disk_leaves_nothing_half_written(
    command: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
) -> None:
    monkeypatch.setattr(reproduce, "PARTS", {"table2": FakePart(lambda task: None)})
    whole = Path.write_text

    def full(path: Path, text: str, *args: Any, **options: Any) -> int:
        if path.parent == tmp_path / place:
            whole(path, text[: len(text) // 2], *args, **options)
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(path, text, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    assert reproduce.main(command("--parts", "table2")) == 1
    (line,) = (line for line in capsys.readouterr().err.splitlines() if "train.reproduce" in line)
    assert line.endswith("No space left on device; make room, the same command goes on")
    assert not list((tmp_path / place).iterdir())
    monkeypatch.setattr(Path, "write_text", whole)
    assert reproduce.main(command("--parts", "table2")) == 0


def test_every_method_gets_the_same_time() -> None:
    num_photos = 9_984
    baselines = load_config(PRESETS / "baselines.toml")
    budgets = [
        (baselines, trained.SHARES.get(method, {method: 1.0}), trained.SECONDS_PER_PHOTO)
        for method in trained.STAGES
    ]
    zhang = load_config(PRESETS / "zhang.toml")
    budgets.append((zhang, {"zhang": 1.0}, trained.SECONDS_PER_PHOTO))
    for name, seconds in trained.OUR_SECONDS_PER_PHOTO.items():
        preset = load_config(PRESETS / f"{name}.toml")
        budgets.append((preset, trained.SHARES["ours"], seconds))
    for preset, shares, seconds in budgets:
        config = trained.budgeted(preset, shares, seconds, 60.0, num_photos)
        epochs = {stage: getattr(config, stage).epochs for stage in shares}
        spent = sum(e * num_photos * seconds[stage] for stage, e in epochs.items())
        assert spent == pytest.approx(3600, rel=1e-3), shares


def test_ours_in_the_same_time_knows_no_other_photos(
    command: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(trained, "_train", lambda stages, config, *rest: seen.append(config))
    monkeypatch.setattr(trained, "_export", lambda *rest: None)
    tasks: list[Task] = []
    monkeypatch.setattr(reproduce, "PARTS", {"table2": FakePart(tasks.append)})
    assert reproduce.main([*command("--parts", "table2"), "--presets", str(PRESETS)]) == 0
    for photo_set in SETS.values():
        trained.train_ours(photo_set, tasks[0])
        assert seen[-1].networks.backbone == ""
        assert seen[-1].data == load_config(SMOKE).data
        assert not seen[-1].data.names
    trained.train_zhang(SETS["faces"], tasks[0])
    assert seen[-1].data == load_config(SMOKE).data


def test_a_method_near_collapse_is_called_so() -> None:
    def row(variance: float) -> dict[str, Any]:
        figures = dict.fromkeys((*table2.SHOWN, *table2.SHOWN_MORE), 0.05) | {"variance": variance}
        return {
            "figures": {"8": figures},
            "intervals": {"8": {key: [0.04, 0.06] for key in figures}},
            "seconds_per_sample": 0.1,
            "megabytes": 3.0,
        }

    rows = {"c-GAN": row(2e-5), "PIC": row(6e-3), "ours, as shipped": row(5e-3)}
    part = {"num_photos": 3, "test": "lfw-test", "rows": rows, "shipped": "Faces, 1 hour"}
    part["paired"] = {}
    results = {"preset": "full", "minutes": 60.0, "seed": 0, "sets": {"faces": part}}
    text = table2.markdown(results)
    assert "c-GAN is near collapse: its variance of 2e-05 is 0.4% of ours" in text
    assert text.count("near collapse") == 1
    assert "ours, as shipped: Faces, 1 hour." in text
    # 11e-5 of the paper as a mean square is an error of 1.3 Lab units a channel.
    note = error_note("faces", {"pixel_mse": 5.5e-4})
    assert "0.014 Lab units" in note
    assert f"{np.sqrt(11e-5) * 128:.1f} Lab units a channel" in note
    assert "5.0 times as much" in note


def test_sets_keep_what_is_measured_from_training(crops: Path, tmp_path: Path) -> None:
    assert set(SETS) == {"faces", "buildings", "photos"}
    for photo_set in SETS.values():
        assert photo_set.test in photo_set.zips
        assert all(pattern.startswith("train/") for pattern in photo_set.train_patterns)
        test = photo_set.test_source(Path("x"))
        assert (test.prefix == "test") == (photo_set.held_share == 0)
    assert SETS["faces"].points_source(Path("x")) == SETS["faces"].test_source(Path("x"))
    assert SETS["photos"].points_source(Path("x")).name == "photos-imagenet"
    buildings = SETS["buildings"]
    assert buildings.train_patterns == load_config(PRESETS / "buildings.toml").data.include
    for preset in ("buildings", "photos", "baselines"):  # photos: the buildings began as it
        assert load_config(PRESETS / f"{preset}.toml").data.validation_share >= 0.01
    names = [f"train/abbey_{number:04}.jpg" for number in range(2000)]
    write_zip(tmp_path / "places.zip", dict.fromkeys([*names, "test/val_1.jpg"], b""))
    held = [name for _, name in buildings.test_source(tmp_path).members()]
    assert held == [name for name in names if is_held(name, 0.01)]
    assert 8 <= len(held) <= 40
    assert len(buildings.train_source(tmp_path).members()) == 2000
