"""Model folders: checksums, strict model.json, providers, the graphs against torch."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from export.checkpoints import load_run
from huefield import networks as networks_module
from huefield.model_info import info_json, parse_model_info, read_model_info
from huefield.networks import (
    CPU_PROVIDER,
    CUDA_PROVIDER,
    MissingGpuError,
    ModelError,
    Networks,
    default_models_root,
    list_models,
    load_model,
    verify_model,
)


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture
def gray() -> np.ndarray:
    """A smooth scaled picture on a 48 x 88 grid."""
    rows, columns = np.mgrid[0:48, 0:88]
    return (np.sin(rows / 9) * np.cos(columns / 13)).astype(np.float32)


def change(model: Path, **values: object) -> None:
    """Sets top-level keys of a model.json; a value of None takes the key away."""
    path = model / "model.json"
    data = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))


def test_networks_agree_with_torch(
    tiny_networks: Networks, tiny_run: Path, gray: np.ndarray
) -> None:
    run = load_run(tiny_run)
    z = np.random.default_rng(0).standard_normal((5, 64)).astype(np.float32)
    picture = torch.from_numpy(gray)[None, None]
    unary = run.decoder(picture.expand(5, -1, -1, -1), torch.from_numpy(z))
    np.testing.assert_allclose(tiny_networks.decode(gray, z), unary, atol=1e-5)
    np.testing.assert_allclose(tiny_networks.embed(gray), run.hoc(picture)[0], atol=1e-5)
    for ours, theirs in zip(tiny_networks.mixture(gray), run.mdn(picture), strict=True):
        np.testing.assert_allclose(ours, theirs[0], atol=1e-5)


def test_networks_repeat_bit_for_bit(tiny_networks: Networks, gray: np.ndarray) -> None:
    z = np.random.default_rng(1).standard_normal((6, 64)).astype(np.float32)
    first = tiny_networks.decode(gray, z)
    assert np.array_equal(first, tiny_networks.decode(gray, z))
    assert np.array_equal(tiny_networks.embed(gray), tiny_networks.embed(gray))


def test_info_survives_json(tiny_model: Path) -> None:
    info = read_model_info(tiny_model)
    assert parse_model_info(json.loads(info_json(info))) == info


@pytest.mark.parametrize("file", ["decoder.onnx", "hoc.onnx", "mdn.onnx"])
def test_altered_graph_is_refused(model: Path, file: str) -> None:
    expected = read_model_info(model).sha256[file]
    data = bytearray((model / file).read_bytes())
    data[len(data) // 2] ^= 1
    (model / file).write_bytes(data)
    with pytest.raises(ModelError, match=rf"{file}: SHA-256 differs: expected {expected}, got \w+"):
        load_model(model, "cpu")
    with pytest.raises(ModelError, match=file):
        verify_model(model)


def test_missing_graph_is_refused(model: Path) -> None:
    (model / "hoc.onnx").unlink()
    with pytest.raises(ModelError, match=r"hoc\.onnx: cannot be read"):
        load_model(model, "cpu")


def test_graph_that_is_no_graph_is_refused(model: Path) -> None:
    import hashlib

    (model / "mdn.onnx").write_bytes(b"nonsense")
    checksums = dict(read_model_info(model).sha256)
    checksums["mdn.onnx"] = hashlib.sha256(b"nonsense").hexdigest()
    change(model, sha256=checksums)
    with pytest.raises(ModelError, match=r"mdn\.onnx: ONNX Runtime refuses"):
        load_model(model, "cpu")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"grid_size": 64}, "unknown key 'grid_size'"),
        ({"sigma": None}, "missing key 'sigma'"),
        ({"sigma": "0.5"}, "key 'sigma': expected float, got str '0.5'"),
        ({"latent_size": 64.5}, "key 'latent_size': expected int, got float 64.5"),
        ({"latent_size": True}, "key 'latent_size': expected int"),
        ({"num_components": 0}, "key 'num_components': expected at least 1, got 0"),
        (
            {"kernel": {"kind": "cosine", "diagonal": True}},
            "key 'kernel.kind': expected 'distance'",
        ),
        ({"kernel": {"kind": "inner"}}, "missing key 'kernel.diagonal'"),
        ({"gcrf": 5}, "key 'gcrf': expected an object, got int 5"),
        ({"sha256": {"hoc.onnx": "00"}}, "key 'sha256': no entry for decoder.onnx, mdn.onnx"),
        ({"sha256": {"hoc.onnx": 0}}, "key 'sha256.hoc.onnx': expected str"),
        ({"format": 2}, "key 'format': expected 1, got 2"),
        ({"lab": {"l_center": 0, "l_scale": 100, "ab_scale": 128}}, "key 'lab': expected LabScal"),
    ],
)
def test_bad_model_json_names_the_key(model: Path, values: dict[str, object], message: str) -> None:
    change(model, **values)
    with pytest.raises(ModelError) as caught:
        load_model(model, "cpu")
    assert message in str(caught.value)
    assert str(model / "model.json") in str(caught.value)


def test_no_model_json_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no model folder"):
        load_model(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        load_model(tmp_path)
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(ModelError, match="expected an object, got list"):
        load_model(tmp_path)


def test_models_are_listed_by_name(model: Path) -> None:
    shutil.copytree(model, model.parent / "another")
    change(model.parent / "another", name="another")
    (model.parent / "notes").mkdir()
    assert [info.name for info in list_models(model.parent)] == ["another", "tiny"]


def test_models_root_is_the_checkout_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUEFIELD_MODELS", raising=False)
    assert default_models_root() == Path(__file__).resolve().parents[2] / "models"
    monkeypatch.setenv("HUEFIELD_MODELS", "elsewhere")
    assert default_models_root() == Path("elsewhere")


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that shows no GPU."""
    monkeypatch.setattr(networks_module, "_has_nvidia_device", lambda: False)
    networks_module._say_once.cache_clear()


@pytest.mark.usefixtures("without_gpu")
def test_missing_gpu_is_said_once(
    tiny_model: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUEFIELD_REQUIRE_GPU", raising=False)
    with caplog.at_level(logging.WARNING):
        assert load_model(tiny_model).provider == CPU_PROVIDER
        assert load_model(tiny_model).provider == CPU_PROVIDER
    assert [record.message for record in caplog.records] == [
        "networks run on the CPU: this machine has no CUDA GPU"
    ]


@pytest.mark.usefixtures("without_gpu")
def test_cpu_asked_for_says_nothing(tiny_model: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_model(tiny_model, "cpu").provider == CPU_PROVIDER
    assert not caplog.records


@pytest.mark.usefixtures("without_gpu")
@pytest.mark.parametrize("how", ["cuda", "auto", "cpu"])
def test_required_gpu_is_insisted_on(
    tiny_model: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUEFIELD_REQUIRE_GPU", "0" if how == "cuda" else "1")
    with pytest.raises(MissingGpuError, match="a GPU is required, but"):
        load_model(tiny_model, how)


def test_silent_fallback_of_the_runtime_is_noticed(
    tiny_model: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What ONNX Runtime does where a GPU is there and its own CUDA libraries are not.
    monkeypatch.delenv("HUEFIELD_REQUIRE_GPU", raising=False)
    monkeypatch.setattr(networks_module, "_no_cuda_reason", lambda: "")
    networks_module._say_once.cache_clear()
    open_session = networks_module.open_session

    def open_on_cpu(path: Path, graph: bytes, **_: object) -> object:
        return open_session(path, graph, cuda=False, threads=1)

    monkeypatch.setattr(networks_module, "open_session", open_on_cpu)
    assert load_model(tiny_model).provider == CPU_PROVIDER
    assert "could not start its CUDA provider" in caplog.text
    monkeypatch.setenv("HUEFIELD_REQUIRE_GPU", "1")
    with pytest.raises(MissingGpuError, match="could not start"):
        load_model(tiny_model)


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(
    tiny_model: Path, tiny_networks: Networks, gray: np.ndarray
) -> None:
    reason = networks_module._no_cuda_reason()
    if reason:
        pytest.skip(f"needs a CUDA GPU: {reason}")
    cuda = load_model(tiny_model, "cuda")
    assert cuda.provider == CUDA_PROVIDER
    z = np.random.default_rng(2).standard_normal((6, 64)).astype(np.float32)
    np.testing.assert_allclose(cuda.decode(gray, z), tiny_networks.decode(gray, z), atol=1e-4)
    np.testing.assert_allclose(cuda.embed(gray), tiny_networks.embed(gray), atol=1e-3)
    assert np.array_equal(cuda.decode(gray, z), cuda.decode(gray, z))
