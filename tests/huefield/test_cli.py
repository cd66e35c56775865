"""The command line: files written, exit codes, one line a bad file, the server."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from huefield.cli import main
from huefield.lab import rgb_to_lightness


@pytest.fixture(autouse=True)
def models(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUEFIELD_MODELS", str(tiny_model.parent))
    return tiny_model.parent


@pytest.fixture
def photo(example_photos: Mapping[str, Path], tmp_path: Path) -> Path:
    """A small gray photo that is not square: 240 x 187."""
    picture = Image.open(example_photos["mechanic"])
    picture.thumbnail((240, 240))
    path = tmp_path / "old photo.png"
    picture.save(path)
    return path


def run(*arguments: object) -> Result:
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def colorize(*arguments: object) -> Result:
    return run("colorize", "--model", "tiny", "--provider", "cpu", *arguments)


def test_colorize_writes_what_the_contract_says(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    result = colorize(photo, "--out", out, "--samples", 3)
    assert result.exit_code == 0, result.output
    names = [f"old photo-{k}.png" for k in (1, 2, 3)]
    assert sorted(path.name for path in out.iterdir()) == [*names, "old photo.json"]
    report = json.loads((out / "old photo.json").read_text())
    assert (report["model"], report["seed"], report["size"]) == ("tiny", 0, [240, 187])
    assert [sample["file"] for sample in report["samples"]] == names
    for sample in report["samples"]:
        assert isinstance(sample["component"], int)
        assert isinstance(sample["log_prob"], float)
        assert sample["fit"] is None
    assert {"read", "embed", "decode", "smooth", "total"} <= set(report["seconds"])
    lightness = rgb_to_lightness(np.asarray(Image.open(photo).convert("RGB")))
    pictures = [np.asarray(Image.open(out / name)) for name in names]
    for picture in pictures:
        assert picture.shape == (187, 240, 3)
        assert np.abs(rgb_to_lightness(picture) - lightness).mean() < 1.0
    assert np.abs(pictures[1].astype(int) - pictures[2]).mean() > 0.5


@pytest.mark.parametrize(
    ("file_format", "wanted"), [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")]
)
def test_formats(photo: Path, tmp_path: Path, file_format: str, wanted: str) -> None:
    result = colorize(photo, "--out", tmp_path, "--samples", 1, "--format", file_format)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / f"old photo-1.{file_format}") as picture:
        assert picture.format == wanted


def test_seed_decides_and_repeats(photo: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert colorize(photo, "--out", tmp_path / name, "--seed", seed).exit_code == 0
    pictures = [(tmp_path / name / "old photo-4.png").read_bytes() for name in "abc"]
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


def write_edits(path: Path, **values: object) -> Path:
    stroke = {"points": [[120, 60], [150, 70]], "radius": 12, "color": "#c03028"}
    path.write_text(json.dumps({"version": 1, "size": [240, 187], "strokes": [stroke]} | values))
    return path


@pytest.mark.parametrize("how", ["--condition", "--correct"])
def test_edits_are_followed(photo: Path, tmp_path: Path, how: str) -> None:
    edits = write_edits(tmp_path / "edits.json")
    result = colorize(photo, "--out", tmp_path / "with", "--edits", edits, how)
    assert result.exit_code == 0, result.output
    assert colorize(photo, "--out", tmp_path / "without").exit_code == 0
    report = json.loads((tmp_path / "with" / "old photo.json").read_text())
    assert all(0 <= sample["fit"] <= 1 for sample in report["samples"])
    for k in range(1, 7):
        painted, plain = (
            np.asarray(Image.open(tmp_path / folder / f"old photo-{k}.png")).astype(int)
            for folder in ("with", "without")
        )
        redness = painted[62, 130, 0] - painted[62, 130, 1]
        assert redness > 25
        assert redness > plain[62, 130, 0] - plain[62, 130, 1] + 10


def test_edits_of_another_shape_are_refused(photo: Path, tmp_path: Path) -> None:
    edits = write_edits(tmp_path / "edits.json", size=[400, 187])
    result = colorize(photo, "--out", tmp_path / "out", "--edits", edits)
    assert result.exit_code == 1
    assert "the edits are for a photo of 400 x 187, this one has 240 x 187" in result.stderr


def test_bad_edits_are_wrong_usage_with_the_place(photo: Path, tmp_path: Path) -> None:
    edits = write_edits(tmp_path / "edits.json", strokes=[{"points": [], "radius": 2}])
    result = colorize(photo, "--out", tmp_path / "out", "--edits", edits)
    assert result.exit_code == 2
    assert "strokes[0]" in result.stderr
    edits.write_text("{")
    assert colorize(photo, "--out", tmp_path / "out", "--edits", edits).exit_code == 2


def test_bad_files_get_one_line_and_the_rest_goes_on(photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    shutil.copy(photo, folder / "b-good.png")
    shutil.copy(photo, folder / "z-good.png")
    (folder / "a-empty.jpg").write_bytes(b"")
    (folder / "c-text.png").write_text("I am no picture")
    (folder / "d-cut.png").write_bytes(photo.read_bytes()[:2000])
    (folder / "notes.txt").write_text("not looked at")
    (folder / ".hidden.jpg").write_bytes(b"")
    missing = tmp_path / "nowhere.jpg"
    out = tmp_path / "out"
    result = colorize(folder, missing, "--out", out, "--samples", 1)
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 4
    for line, name in zip(
        lines, ("a-empty.jpg", "c-text.png", "d-cut.png", "nowhere.jpg"), strict=True
    ):
        assert line.startswith("huefield: ")
        assert name in line
    assert sorted(path.name for path in out.iterdir()) == [
        "b-good-1.png",
        "b-good.json",
        "z-good-1.png",
        "z-good.json",
    ]


def test_same_stem_does_not_overwrite(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "old photo.jpg"
    Image.open(photo).save(other)
    result = colorize(photo, other, "--out", tmp_path / "out", "--samples", 1)
    assert result.exit_code == 1
    assert "would replace those of" in result.stderr
    assert json.loads((tmp_path / "out" / "old photo.json").read_text())["photo"] == photo.name


def test_empty_folder_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    result = colorize(tmp_path / "album", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "no photos in this folder" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.png"],
        ["x.png", "--out", "o", "--format", "bmp"],
        ["x.png", "--out", "o", "--samples", "0"],
        ["x.png", "--out", "o", "--colour", "red"],
        ["x.png", "--out", "o", "--model", "elsewhere"],
        ["x.png", "--out", "o", "--edits", "no-such-file.json"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    assert run("colorize", *arguments).exit_code == 2


def test_unknown_model_says_which_there_are(photo: Path, tmp_path: Path) -> None:
    result = run("colorize", photo, "--out", tmp_path, "--model", "horses")
    assert result.exit_code == 2
    assert "no model 'horses'" in result.stderr
    assert "there are: tiny" in result.stderr


def test_broken_model_is_one_line(
    photo: Path, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(models / "tiny", tmp_path / "models" / "tiny")
    (tmp_path / "models" / "tiny" / "hoc.onnx").write_bytes(b"")
    monkeypatch.setenv("HUEFIELD_MODELS", str(tmp_path / "models"))
    result = colorize(photo, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "SHA-256 differs" in result.stderr
    listed = run("models")
    assert listed.exit_code == 1
    assert "SHA-256 differs" in listed.stderr


def test_unwritable_results_are_said(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "old photo-1.png").mkdir(parents=True)
    result = colorize(photo, "--out", out, "--samples", 1)
    assert result.exit_code == 1
    assert "results cannot be written" in result.stderr
    assert sorted(path.name for path in out.iterdir()) == ["old photo-1.png"]


def test_models_lists_them(models: Path) -> None:
    result = run("models")
    assert result.exit_code == 0
    assert re.search(r"^tiny +\d+\.\d MB +Untrained, for tests +score 20.53$", result.stdout, re.M)


def test_no_models_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEFIELD_MODELS", str(tmp_path))
    result = run("models")
    assert result.exit_code == 1
    assert "no models under" in result.stderr


def test_help_names_the_commands() -> None:
    text = run("--help").stdout
    assert all(command in text for command in ("colorize", "models", "serve"))


@pytest.fixture
def server(models: Path, tmp_path: Path) -> tuple[str, subprocess.Popen[str]]:
    """`huefield serve` in a process of its own: its address, and the process."""
    environment = os.environ | {
        "HUEFIELD_INSTANCE": str(tmp_path / "instance"),
        "HUEFIELD_PROVIDER": "cpu",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-c", "from huefield.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        found = re.search(r"http://[\d.:]+/", line)
        if found:
            address = found[0]
            break
    yield address, process
    if process.poll() is None:
        process.kill()
    process.wait(10)
    process.stderr.close()


def test_serve_answers_and_stops(
    server: tuple[str, subprocess.Popen[str]], example_photos: Mapping[str, Path]
) -> None:
    address, process = server
    health: dict[str, object] = {}
    deadline = time.monotonic() + 60
    while not health and time.monotonic() < deadline:
        with urllib.request.urlopen(address + "healthz", timeout=60) as answer:
            health = json.load(answer)
    assert "tiny" in json.dumps(health)
    assert "CPUExecutionProvider" in json.dumps(health)
    boundary = "xxHUEFIELDxx"
    body = io.BytesIO()
    body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; '.encode())
    body.write(b'filename="m.jpg"\r\nContent-Type: image/jpeg\r\n\r\n')
    body.write(example_photos["mechanic"].read_bytes())
    body.write(f"\r\n--{boundary}--\r\n".encode())
    request = urllib.request.Request(
        address + "api/v1/photos",
        body.getvalue(),
        {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 201
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_serve_refuses_bad_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEFIELD_PHOTO_LIFETIME", "soon")
    result = run("serve")
    assert result.exit_code == 1
    assert "HUEFIELD_PHOTO_LIFETIME" in result.stderr
