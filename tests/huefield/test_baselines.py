"""Earlier methods at run time: seeds, grids, the sampler pixel by pixel, broken folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from huefield import pic
from huefield.baseline_info import GRAPHS, is_baseline, read_baseline_info
from huefield.baselines import baseline_folders, load_baseline
from huefield.model_info import ModelError, read_model_info
from huefield.networks import default_models_root, list_models, model_folders
from huefield.photo import Photo, read_photo

METHODS = tuple(GRAPHS)
SHIPPED = baseline_folders(default_models_root())


@pytest.fixture(scope="module")
def photo(color_photos: Mapping[str, Path]) -> Photo:
    return read_photo(min(color_photos.values()).read_bytes())


@pytest.mark.parametrize("method", METHODS)
def test_a_seed_decides_the_samples(baseline_models: Path, photo: Photo, method: str) -> None:
    baseline = load_baseline(baseline_models / method, threads=1)
    once = baseline.samples(photo, 3, 5)
    assert once.shape[0] == 3
    assert once.shape[3] == 2
    assert once.dtype == np.float32
    assert np.array_equal(
        once, load_baseline(baseline_models / method, threads=1).samples(photo, 3, 5)
    )
    # Sample k depends on seed and k alone; how many run together may change the last digits.
    assert np.allclose(baseline.samples(photo, 2, 5), once[:2], atol=1e-3)
    other = baseline.samples(photo, 3, 6)
    assert np.abs(other - once).mean() > 0.01
    assert np.abs(once[1] - once[0]).mean() > 0.01
    assert np.abs(once).max() <= 128.0


@pytest.mark.parametrize("method", METHODS)
def test_the_photo_counts_and_any_grid_of_eights_will_do(
    baseline_models: Path, method: str
) -> None:
    baseline = load_baseline(baseline_models / method, threads=1)
    ramp = np.linspace(0.0, 100.0, 24 * 40, dtype=np.float32).reshape(24, 40)
    fields = baseline.samples_on_grid(ramp, 18, 0)
    assert fields.shape == (18, 24, 40, 2)
    assert np.abs(baseline.samples_on_grid(ramp[::-1].copy(), 18, 0) - fields).mean() > 0.01
    with pytest.raises(ModelError, match="multiples of 8, got 24 x 36"):
        baseline.samples_on_grid(ramp[:, :36], 1, 0)
    with pytest.raises(ModelError, match="at least one sample, got 0"):
        baseline.samples_on_grid(ramp, 0, 0)


def test_no_torch_is_needed(baseline_models: Path) -> None:
    code = (
        "import sys; from huefield.baselines import load_baseline; import numpy as np;"
        f"load_baseline({str(baseline_models / 'pic')!r}).samples_on_grid("
        "np.full((16, 16), 50, 'f4'), 2, 0); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_our_models_and_baselines_share_a_folder(
    baseline_models: Path, tiny_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    shutil.copytree(baseline_models / "cgan", tmp_path / "cgan")
    assert [folder.name for folder in model_folders(tmp_path)] == ["tiny"]
    assert [info.name for info in list_models(tmp_path)] == ["tiny"]
    assert [folder.name for folder in baseline_folders(tmp_path)] == ["cgan"]
    assert not is_baseline(tmp_path)
    with pytest.raises(ModelError, match="this is the baseline 'cgan'"):
        read_model_info(tmp_path / "cgan")
    with pytest.raises(ModelError, match="unknown key"):
        read_baseline_info(tmp_path / "tiny")


def test_each_method_ships_once_and_small() -> None:
    assert {read_baseline_info(folder).method for folder in SHIPPED} == set(METHODS)
    for folder in SHIPPED:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 10e6


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_what_ships_has_learned_some_colours(folder: Path, photo: Photo) -> None:
    fields = load_baseline(folder, threads=1).samples(photo, 4, 0)
    chroma = np.hypot(fields[..., 0], fields[..., 1])
    assert 3 < chroma.mean() < 40
    assert np.abs(fields[1:] - fields[0]).mean() > 0.2


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("method", "levin", "key 'method': expected 'cgan' or"),
        ("speed", 1, "unknown key 'speed'"),
        ("format", 2, "key 'format': expected 1, got 2"),
        ("sha256", {}, "key 'sha256': no entry for generator.onnx"),
        ("noise", {}, "key 'noise': a generator needs"),
        ("noise", {"z": {"kind": "pink", "channels": 1, "stride": 1}}, "key 'noise.z.kind'"),
        ("multiple", 0, "key 'multiple': expected at least 1, got 0"),
        ("lab", {"l_center": 0.0, "l_scale": 1.0, "ab_scale": 1.0}, "key 'lab'"),
    ],
)
def test_broken_descriptions_are_refused_by_name(
    baseline_models: Path, tmp_path: Path, key: str, value: object, words: str
) -> None:
    folder = tmp_path / "cgan"
    shutil.copytree(baseline_models / "cgan", folder)
    values = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(values | {key: value}))
    with pytest.raises(ModelError, match=words):
        load_baseline(folder)


def test_missing_and_altered_graphs_are_named(baseline_models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pic"
    shutil.copytree(baseline_models / "pic", folder)
    (folder / "row.onnx").write_bytes((folder / "row.onnx").read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"row\.onnx: SHA-256 differs"):
        load_baseline(folder)
    (folder / "row.onnx").unlink()
    with pytest.raises(ModelError, match=r"row\.onnx: cannot be read"):
        load_baseline(folder)
    with pytest.raises(ModelError, match="no such file"):
        load_baseline(tmp_path / "nothing")


def test_probabilities_of_all_levels_sum_to_one() -> None:
    rng = np.random.default_rng(3)
    parameters = rng.normal(0.0, 1.0, (1, 6 * 3, 1, 1)).astype(np.float32)
    parameters[:, 9:15] -= 3.0  # narrow scales, some tails beyond the range
    levels = np.arange(-128, 128, dtype=np.float32) / 128
    a, b = (grid.ravel() for grid in np.meshgrid(levels, levels))
    colours = np.stack([a, b], axis=1)[..., None, None]
    everywhere = np.broadcast_to(parameters, (len(a), *parameters.shape[1:]))
    assert np.exp(pic.log_likelihood(colours, everywhere)).sum() == pytest.approx(1.0, abs=1e-6)


def test_draws_follow_the_mixture() -> None:
    """The share of each level among many draws is its probability."""
    parameters = np.zeros((1, 6 * 2), np.float32)
    parameters[0] = [0.3, -0.4, -0.02, 0.03, 0.0, 0.05, -5.0, -4.6, -5.2, -4.8, 0.9, -0.5]
    number = 40_000
    steps = pic.StepFunctions(
        lambda above, cache, line: np.zeros((number, 2, 1, 1), np.float32),
        lambda left, vertical, place, cache: (np.repeat(parameters, number, 0), cache),
        layers=1,
        width=1,
    )
    uniform = np.random.default_rng(0).uniform(1e-12, 1 - 1e-12, (number, 1, 1, 3))
    drawn, mixtures = pic.draw_colours(steps, np.zeros((1, 1, 1), np.float32), uniform)
    assert mixtures.shape == (number, 12, 1, 1)
    found, counts = np.unique(drawn[:, :, 0, 0], axis=0, return_counts=True)
    common = counts > 150
    wanted = np.exp(
        pic.log_likelihood(
            found[common][..., None, None].astype(np.float32),
            np.broadcast_to(parameters[..., None, None], (common.sum(), 12, 1, 1)),
        )
    )[:, 0, 0]
    assert common.sum() > 20
    assert np.abs(counts[common] / number / wanted - 1).max() < 0.35
    assert (counts[common].sum() / number) == pytest.approx(wanted.sum(), abs=0.01)
