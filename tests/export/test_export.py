"""`python -m export`: contract of the folder, parity that can fail, overwriting, nothing half."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from export import graphs
from export.__main__ import main
from export.checkpoints import CheckpointError, load_run
from export.graphs import DECODER, HOC, export_graph
from export.hints import main as add_hints
from export.model_folder import model_score
from export.parity import (
    BATCHES,
    GRIDS,
    TOLERANCE,
    ParityError,
    largest_difference,
    read_gray_grids,
)
from export.traceable import TraceableDecoder, TraceableHoc
from huefield.model_info import GRAPH_FILES, HINTS_FILE, read_model_info
from huefield.networks import load_model
from train.config import Config, config_to_dict
from train.hints_network import Hints
from train.networks import Decoder, NetworkConfig


def test_folder_keeps_the_contract(tiny_model: Path, tiny_run: Path) -> None:
    info = read_model_info(tiny_model)
    assert sorted(path.name for path in tiny_model.iterdir()) == [
        "decoder.onnx",
        "hoc.onnx",
        "mdn.onnx",
        "model.json",
    ]
    assert (info.name, info.latent_size, info.num_components) == ("tiny", 64, 4)
    assert (info.embedding_size, info.multiple, info.grid_area) == (12, 8, 1024)
    assert info.training["vae"] == json.loads(
        json.dumps(torch.load(tiny_run / "vae.pt", weights_only=True)["config"])
    )
    assert set(info.parity["error"]) == set(GRAPH_FILES)
    assert 0 < max(info.parity["error"].values()) <= TOLERANCE
    assert info.parity["grids"] == [list(grid) for grid in GRIDS]
    assert info.score == pytest.approx(20.0 + 160 / 300)


@pytest.mark.parametrize(
    ("file", "inputs", "outputs"),
    [
        ("decoder.onnx", ["gray", "z"], ["unary"]),
        ("hoc.onnx", ["gray"], ["embedding"]),
        ("mdn.onnx", ["gray"], ["pi", "mu"]),
    ],
)
def test_graphs_are_valid_named_and_dynamic(
    tiny_model: Path, file: str, inputs: list[str], outputs: list[str]
) -> None:
    model = onnx.load(tiny_model / file)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.name for entry in model.graph.input] == inputs
    assert [entry.name for entry in model.graph.output] == outputs
    assert model.opset_import[0].version == read_model_info(tiny_model).opset
    gray = model.graph.input[0].type.tensor_type.shape.dim
    assert [bool(dim.dim_param) for dim in gray] == [True, False, True, True]


def test_a_run_with_a_hints_network_exports_it_too(hinted_model: Path) -> None:
    info = read_model_info(hinted_model)
    assert info.graph_files == (*GRAPH_FILES, HINTS_FILE)
    assert 0 < info.parity["error"][HINTS_FILE] <= TOLERANCE
    model = onnx.load(hinted_model / HINTS_FILE)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.name for entry in model.graph.input] == ["gray", "hints"]
    assert [entry.name for entry in model.graph.output] == ["colours"]


def test_a_model_is_given_the_hints_network_of_another_run(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = NetworkConfig(hints_widths=(16, 16, 16, 16, 16))
    hints = Hints(networks)
    config = config_to_dict(Config(networks=networks))
    content = {"stage": "hints", "config": config, "metrics": {"val_psnr_10": 20.0}, "step": 1}
    torch.save(content | {"hints": hints.state_dict()}, tmp_path / "hints.pt")
    target = tmp_path / "given"
    shutil.copytree(tiny_model, target)
    assert add_hints([str(tmp_path), str(target)]) == 0
    info, before = read_model_info(target), read_model_info(tiny_model)
    assert info.graph_files == (*GRAPH_FILES, HINTS_FILE)
    assert {file: info.sha256[file] for file in GRAPH_FILES} == dict(before.sha256)
    assert info.metrics["hints"] == {"val_psnr_10": 20.0}
    assert load_model(target, "cpu").has_hints  # checksums are those of the files

    (tmp_path / "hints.pt").write_bytes(b"broken")
    files = {path: path.read_bytes() for path in target.iterdir()}
    assert add_hints([str(tmp_path), str(target)]) == 1
    assert "is no checkpoint" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in target.iterdir()} == files
    assert add_hints([str(tmp_path), str(tmp_path / "nothing")]) == 1
    assert "no model folder" in capsys.readouterr().err


def test_one_gray_picture_serves_many_codes(
    tiny_model: Path, tiny_run: Path, example_photos: Mapping[str, Path]
) -> None:
    grids = read_gray_grids(next(iter(example_photos.values())).parent, 3)
    gray = grids[64, 64]
    z = np.random.default_rng(5).standard_normal((3, 64)).astype(np.float32)
    session = onnxruntime.InferenceSession(
        str(tiny_model / "decoder.onnx"), providers=["CPUExecutionProvider"]
    )
    decoder = load_run(tiny_run).decoder
    with torch.no_grad():
        wanted = decoder(torch.from_numpy(np.repeat(gray[:1], 3, 0)), torch.from_numpy(z)).numpy()
    (shared,) = session.run(None, {"gray": gray[:1], "z": z})
    assert np.abs(shared - wanted).max() < 1e-5
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01  # the codes do something
    (pairwise,) = session.run(None, {"gray": gray, "z": z})
    assert np.abs(pairwise[1] - shared[1]).max() > 0.01  # and so does the picture


def test_parity_notices_another_network(tiny_run: Path, tmp_path: Path) -> None:
    trained = load_run(tiny_run)
    grids = read_gray_grids(Path(__file__).parents[2] / "static" / "examples", max(BATCHES))
    codes = np.zeros((8, 64), np.float32)
    module = TraceableDecoder(trained.decoder)
    path = export_graph(module, DECODER, tmp_path, 64)
    assert largest_difference(module, DECODER, path, grids, codes) < 1e-5
    other = Decoder(trained.config.networks)
    other.load_state_dict(trained.decoder.state_dict())
    other.eval().requires_grad_(False)
    other.top2.bias += 2e-4
    with pytest.raises(ParityError, match=r"decoder.onnx at batch 1 on the 64 x 64 grid: unary"):
        largest_difference(TraceableDecoder(other), DECODER, path, grids, codes)


def test_parity_notices_a_frozen_size(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(graphs._DYNAMIC, "gray", {0: "photos"})
    hoc = TraceableHoc(load_run(tiny_run).hoc)
    path = export_graph(hoc, HOC, tmp_path, 64)
    grids = read_gray_grids(Path(__file__).parents[2] / "static" / "examples", max(BATCHES))
    with pytest.raises(InvalidArgument, match=r"invalid dimensions"):
        largest_difference(hoc, HOC, path, grids, np.zeros((8, 64), np.float32))


def test_a_better_model_is_kept_unless_forced(
    tiny_run: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "tiny"
    shutil.copytree(tiny_model, target)
    values = json.loads((target / "model.json").read_text())
    values["score"] = 99.0
    (target / "model.json").write_text(json.dumps(values))
    assert main([str(tiny_run), str(target)]) == 1
    assert "scores 99.000, this run 20.533" in capsys.readouterr().err
    assert read_model_info(target).score == 99.0
    assert main([str(tiny_run), str(target), "--force"]) == 0
    assert read_model_info(target).score == pytest.approx(20.533, abs=1e-3)
    values["score"] = 20.0
    (target / "model.json").write_text(json.dumps(values))
    assert main([str(tiny_run), str(target)]) == 0, "a worse model gives way"


def test_a_folder_of_something_else_is_left_alone(tiny_run: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.mkdir()
    (target / "letter.txt").write_text("dear")
    assert main([str(tiny_run), str(target), "--force"]) == 1
    assert [path.name for path in target.iterdir()] == ["letter.txt"]


def test_failure_leaves_nothing_behind(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(*_: object) -> float:
        raise ParityError("mdn.onnx at batch 1: off")

    monkeypatch.setattr("export.model_folder.largest_difference", differ)
    assert main([str(tiny_run), str(tmp_path / "models" / "x")]) == 1
    assert list((tmp_path / "models").iterdir()) == []


def test_settings_reach_the_model(tiny_run: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    options = ["--beta", "3", "--beta-prior", "0.01", "--beta-edit", "80", "--gamma", "7"]
    options += ["--sigma", "0.3"]
    more = ["--chroma-gain", "1.2", "--grid-area", "1024", "--description", "Mine"]
    assert main([str(tiny_run), str(target), *options, *more]) == 0
    info = read_model_info(target)
    assert (info.gcrf.beta, info.gcrf.beta_prior, info.gcrf.beta_edit) == (3, 0.01, 80)
    assert (info.gcrf.gamma, info.chroma_gain, info.grid_area) == (7, 1.2, 1024)
    assert info.sigma == 0.3
    assert (info.name, info.description) == ("mine", "Mine")


@pytest.mark.parametrize("broken", ["missing", "garbage", "empty", "foreign", "other sizes"])
def test_broken_runs_are_refused_by_name(tiny_run: Path, tmp_path: Path, broken: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    path = run / "hoc.pt"
    checkpoint = torch.load(path, weights_only=True)
    if broken == "missing":
        path.unlink()
    elif broken == "garbage":
        path.write_bytes(b"no checkpoint")
    elif broken == "empty":
        path.write_bytes(b"")
    elif broken == "foreign":
        torch.save({"weights": checkpoint["hoc"]}, path)
    else:
        checkpoint["config"]["networks"]["embedding_size"] = 99
        torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match=r"hoc\.pt"):
        load_run(run)


def test_score_is_the_mean_psnr() -> None:
    figures = {"val_psnr_10": 24.0, "val_psnr_50": 27.0, "val_psnr_100": 30.0}
    assert model_score({"hoc": figures}) == pytest.approx(27.0)
    assert model_score({"vae": {"val_mae": 1.0}}) is None
