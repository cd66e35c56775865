"""The guide of docs/studies.md followed to the letter, and what else the commands do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from huefield.cli import main
from tests.study_photos import sources
from tests.webapp.study.conftest import Participant
from webapp import create_app

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, and a folder to work in."""
    monkeypatch.setenv("HUEFIELD_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("HUEFIELD_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=given, catch_exceptions=False)


def commands(step: str) -> list[list[str]]:
    """The `huefield study` commands of a numbered step of the guide."""
    part = GUIDE.split(f"**{step}")[1].split("\n**")[0]
    lines = re.search(r"```\n(.*?)```", part, re.S)
    assert lines is not None
    return [line.split()[1:] for line in lines[1].splitlines() if line.startswith("huefield study")]


def make_folders(photos: int = 14) -> None:
    for name, factor in (("truth", 1), ("ours", 2), ("theirs", 3)):
        Path("my-study", name).mkdir(parents=True)
        for k, photo in enumerate(sources(photos)):
            Image.eval(photo, lambda v, f=factor: v // f).save(Path("my-study", name, f"{k}.png"))
    text = re.search(r"```toml\n(.*?)```", GUIDE, re.S)
    assert text is not None
    Path("my-study", "study.toml").write_text(text[1])


def test_the_guide_from_two_folders_to_a_table(place: Path) -> None:
    make_folders()
    said = ""
    for words in commands("3."):
        result = run(*words)
        assert result.exit_code == 0, result.output
        said += result.output
    assert "14 photos, draft" in said
    assert "/study/first-study" in said
    app = create_app({"TESTING": True})
    for choice in ("left", "right", "left"):
        Participant(app, "first-study").begin().finish(choice)
    app.extensions["huefield_database"].close()
    for words in commands("5."):
        result = run(*words)
        assert result.exit_code == 0, result.output
    names = {path.name for path in (place / "report").iterdir()}
    assert names == {"report.html", "report.md", "report.json", "report.tex"}
    assert "| ours vs theirs |" in (place / "report" / "report.md").read_text()
    # Straight from the database it is the same, byte for byte.
    assert run("study", "report", "first-study", "--out", "again").exit_code == 0
    for name in names:
        assert (place / "again" / name).read_bytes() == (place / "report" / name).read_bytes()
    assert len(run("study", "codes", "first-study").output.split()) == 3


def test_life_of_a_study(place: Path) -> None:
    make_folders()
    assert run("study", "create", "my-study/study.toml").exit_code == 0
    assert "never opened" in run("study", "close", "first-study").stderr
    assert re.search(r"first-study +1 +draft", run("study", "list").output)
    assert run("study", "open", "first-study").exit_code == 0
    frozen = run("study", "create", "my-study/study.toml")
    assert frozen.exit_code == 1
    assert "set version = 2" in frozen.stderr
    refused = run("study", "delete", "first-study", given="n\n")
    assert refused.exit_code == 1
    assert re.search(r"first-study +1 +open", run("study", "list").output)
    assert run("study", "delete", "first-study", "--yes").exit_code == 0
    assert run("study", "list").output == ""
    assert list((place / "instance" / "studies").iterdir()) == []


def test_faults_are_one_line() -> None:
    make_folders(9)
    result = run("study", "create", "my-study/study.toml")
    assert result.exit_code == 1
    assert "sees 14 different photos" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "no study 'none'" in run("study", "open", "none").stderr
    assert "no study" in run("study", "report", "my-study", "--out", "o").stderr
    assert run("study", "create", "missing.toml").exit_code == 2
    assert "takes no invitations" in _invite_without().stderr


def _invite_without() -> Result:
    for name in ("truth", "ours", "theirs"):
        for k, photo in enumerate(sources(14)):
            photo.save(Path("my-study", name, f"{k}.png"))
    run("study", "create", "my-study/study.toml")
    return run("study", "open", "first-study", "--invite", "3")


def test_the_password_is_set_from_the_standard_input() -> None:
    assert "at least 10" in run("study", "password", given="short\n").stderr
    assert run("study", "password", given="long enough for this\n").exit_code == 0
    app = create_app({"TESTING": True})
    data = {"password": "long enough for this"}
    assert app.test_client().post("/admin/login", data=data).status_code == 303
    app.extensions["huefield_database"].close()


def test_every_member_of_the_definition_is_in_the_guide() -> None:
    from dataclasses import fields

    from huefield.study import definition

    for kind in (
        *(definition.Definition, definition.Trials, definition.Filters, definition.Recruitment),
        *(definition.Device, definition.Texts, definition.Shown, definition.Dataset),
        definition.ModelSource,
    ):
        for field in fields(kind):
            assert re.search(rf"\b{field.name}\b", GUIDE), field.name
