"""`python -m export.unpack`: a model folder back as checkpoints, equal to what it was made of."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from export.__main__ import main as export_run
from export.checkpoints import load_run
from export.unpack import UNREAD, main
from huefield.model_info import read_model_info


@pytest.mark.parametrize("hinted", [False, True])
def test_what_comes_back_is_what_was_exported(
    tiny_model: Path, hinted_model: Path, tiny_run: Path, tmp_path: Path, hinted: bool
) -> None:
    run, model = tmp_path / "run", hinted_model if hinted else tiny_model
    assert main([str(model), str(run)]) == 0
    assert (run / "hints.pt").exists() == hinted
    before, after = load_run(tiny_run), load_run(run)
    for name in ("decoder", "hoc", "mdn"):
        weights, wanted = (getattr(r, name).state_dict() for r in (after, before))
        for key in wanted:
            known = not any(unread in f"{name}.{key}" for unread in UNREAD)
            assert torch.equal(weights[key], wanted[key]) or not known, key
    assert after.config == before.config
    assert after.metrics["hoc"] == before.metrics["hoc"]

    assert export_run([str(run), str(tmp_path / model.name), "--grid-area", "1024"]) == 0
    again, first = read_model_info(tmp_path / model.name), read_model_info(model)
    assert again.sha256 == first.sha256


def test_nothing_is_written_over_or_by_halves(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "mdn.pt").write_bytes(b"mine")
    assert main([str(tiny_model), str(run)]) == 1
    assert "mdn.pt: is there already" in capsys.readouterr().err
    assert [path.name for path in run.iterdir()] == ["mdn.pt"]
    assert main([str(tmp_path), str(run)]) == 1
    assert "model.json" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_behind(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, places = torch.save, []

    def full_at_the_third(content: Any, out: Any) -> None:
        places.append(Path(out.name).name)
        if len(places) == 3:
            out.write(b"half of it")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(content, out)

    monkeypatch.setattr(torch, "save", full_at_the_third)
    assert main([str(tiny_model), str(tmp_path / "run")]) == 1
    assert len(places) == 3
    assert list((tmp_path / "run").iterdir()) == []


def test_a_graph_of_other_sizes_is_refused(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "tiny"
    shutil.copytree(tiny_model, model)
    values = json.loads((model / "model.json").read_text(encoding="utf-8"))
    values["training"]["mdn"]["networks"]["hoc_width"] = 32
    (model / "model.json").write_text(json.dumps(values), encoding="utf-8")
    assert main([str(model), str(tmp_path / "run")]) == 1
    assert "hoc.onnx: expected" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
