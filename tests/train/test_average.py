"""The mean of several checkpoints' weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from export.checkpoints import read_checkpoint
from train.average import main
from train.config import Config, config_to_dict, load_config
from train.networks import Mdn
from train.reproduction.effort import PRESETS
from train.run import write_checkpoint


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(PRESETS / "smoke.toml")


def checkpoint(path: Path, config: Config, seed: int, **changed: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    weights = {**Mdn(config.networks).state_dict(), "batches": torch.tensor(seed)}
    content = {"stage": "joint", "config": config_to_dict(config), "mdn": weights, **changed}
    write_checkpoint(path, content)
    return weights


def test_weights_are_averaged_and_counters_and_memory_are_not(
    tmp_path: Path, config: Config
) -> None:
    a = checkpoint(tmp_path / "a.pt", config, 1, metrics={"score": 1.0}, step=9)
    memory = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}
    b = checkpoint(tmp_path / "b.last.pt", config, 2, optimiser=memory, best={"score": 2.0})
    out = tmp_path / "new" / "joint.pt"
    assert main([str(tmp_path / "a.pt"), str(tmp_path / "b.last.pt"), "--out", str(out)]) == 0
    mean = read_checkpoint(out)
    assert mean.keys() == {"stage", "config", "metrics", "mdn"}
    assert mean["metrics"] == {}
    assert mean["config"] == config_to_dict(config)
    for name, value in mean["mdn"].items():
        expected = b[name] if name == "batches" else (a[name] + b[name]) / 2
        torch.testing.assert_close(value, expected)
    assert not torch.equal(mean["mdn"]["batches"], a["batches"])
    network = Mdn(config.networks)
    network.load_state_dict({k: v for k, v in mean["mdn"].items() if k != "batches"})


def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    a, other, small, text = (tmp_path / name for name in ("a.pt", "other.pt", "small.pt", "t.pt"))
    checkpoint(a, config, 1)
    checkpoint(other, config, 1, stage="mdn")
    checkpoint(small, config, 1, mdn={"weight": torch.zeros(2)})
    text.write_text("no weights")
    out = tmp_path / "out.pt"
    for given, words in (
        ([a], "expected at least 2 checkpoints, got 1"),
        ([a, other], "is of joint and"),
        ([a, small], "have other sizes"),
        ([a, text], "is no checkpoint"),
        ([a, tmp_path / "missing.pt"], "No such file"),
    ):
        assert main([*map(str, given), "--out", str(out)]) == 1
        assert words in capsys.readouterr().err
    assert not out.exists()
