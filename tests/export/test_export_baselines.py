"""`python -m export.baselines`: contract of the folders, parity that can fail, nothing half."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import pytest
import torch

import train.config
from export.baseline_graphs import traced_graphs
from export.baselines import export_baseline, main, trained_methods
from export.checkpoints import CheckpointError, read_checkpoint
from export.parity import BATCHES, GRIDS, TOLERANCE, ParityError
from huefield.baseline_info import GRAPHS, read_baseline_info
from tests.baseline_networks import baseline_networks
from train.config import Config, load_config

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = tuple(GRAPHS)


def fresh_checkpoints(method: str, config: Config) -> dict[str, dict[str, Any]]:
    """Checkpoints of new networks by a configuration."""
    return {
        stage: {name: module.state_dict() for name, module in modules.items()}
        for stage, modules in baseline_networks(config).items()
        if stage.startswith(method)
    }


@pytest.mark.parametrize("method", METHODS)
def test_folder_keeps_the_contract(baseline_models: Path, method: str) -> None:
    folder = baseline_models / method
    info = read_baseline_info(folder)
    assert {path.name for path in folder.iterdir()} == {*GRAPHS[method], "model.json"}
    assert (info.name, info.method, info.multiple) == (method, method, 8)
    assert info.parity["error"].keys() == set(GRAPHS[method])
    assert 0 < max(info.parity["error"].values()) <= TOLERANCE
    assert info.parity["batches"] == list(BATCHES)
    assert {1, 3} <= set(BATCHES)
    assert info.parity["grids"] == [list(grid) for grid in GRIDS]
    assert info.training[method]["seed"] == 3
    assert "widths" in info.training[method][method]
    for file in GRAPHS[method]:
        onnx.checker.check_model(onnx.load(folder / file), full_check=True)


@pytest.mark.parametrize("method", METHODS)
def test_the_preset_stays_below_ten_megabytes(method: str) -> None:
    config = load_config(Path(train.config.__file__).parent / "configs" / "baselines.toml")
    graphs = traced_graphs(method, config, fresh_checkpoints(method, config)).graphs
    numbers = sum(p.numel() for graph in graphs for p in graph.module.parameters())
    assert 4 * numbers < 9.5e6


def test_parity_notices_another_network(
    untrained_baselines: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(method: str, config: object, checkpoints: Mapping[str, object]) -> object:
        made = traced_graphs(method, config, checkpoints)  # type: ignore[arg-type]
        graph = made.graphs[0]
        forward = graph.module.forward
        calls = []

        def drifting(*tensors: torch.Tensor) -> torch.Tensor:
            calls.append(1)
            return forward(*tensors) + (2e-4 if len(calls) > 1 else 0.0)

        graph.module.forward = drifting  # type: ignore[method-assign]
        return made

    monkeypatch.setattr("export.baselines.traced_graphs", changed)
    photos = Path(__file__).parents[2] / "static" / "examples"
    with pytest.raises(ParityError, match=r"generator.onnx at batch 1 on the 64 x 64 grid"):
        export_baseline(untrained_baselines, tmp_path / "x" / "cgan", photos, "cgan")
    assert list((tmp_path / "x").iterdir()) == []


def test_a_run_of_several_methods_asks_which(
    untrained_baselines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained_methods(untrained_baselines) == list(METHODS)
    assert main([str(untrained_baselines), str(tmp_path / "x")]) == 1
    assert "--method" in capsys.readouterr().err
    assert main([str(tmp_path), str(tmp_path / "x")]) == 1
    assert "found none" in capsys.readouterr().err


def test_missing_weights_are_named(
    untrained_baselines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(untrained_baselines, run)
    (run / "vae_mdn_prior.pt").unlink()
    assert main([str(run), str(tmp_path / "x"), "--method", "vae_mdn"]) == 1
    assert "vae_mdn_prior.pt; train vae_mdn first" in capsys.readouterr().err
    (run / "pic.pt").write_bytes(b"no checkpoint")
    assert main([str(run), str(tmp_path / "x"), "--method", "pic"]) == 1
    assert "is no checkpoint" in capsys.readouterr().err
    checkpoint = read_checkpoint(run / "cgan.pt")
    checkpoint["config"]["cgan"]["widths"] = (16, 16, 16, 16)
    torch.save(checkpoint, run / "cgan.pt")
    with pytest.raises(CheckpointError, match="cgan does not fit its configuration"):
        export_baseline(run, tmp_path / "x", run, "cgan")


def test_a_folder_of_something_else_is_left_alone(
    untrained_baselines: Path, tiny_model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "photos"
    shutil.copytree(tiny_model, target)
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    assert main([str(untrained_baselines), str(target), "--method", "cgan"]) == 1
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
