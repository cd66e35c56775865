"""What the training tests share: crops of the shipped photos, small presets, a trained run."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

import train.all
from train.arguments import run_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SMOKE = Path(train.all.__file__).parent / "configs" / "smoke.toml"
SIDE = 96


@pytest.fixture(scope="session")
def crops(color_photos: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 204 crops of the shipped colour photos, `<photo>_<number>.jpg`, 96 px."""
    folder = tmp_path_factory.mktemp("crops")
    rng = random.Random(0)
    for name, path in sorted(color_photos.items()):
        with Image.open(path) as picture:
            rgb = picture.convert("RGB")
        for number in range(204 // len(color_photos)):
            side = rng.randrange(120, min(rgb.size) // 2)
            left, top = rng.randrange(rgb.width - side), rng.randrange(rgb.height - side)
            crop = rgb.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
            crop.save(folder / f"{name}_{number:03}.jpg", quality=92)
    return folder


@pytest.fixture(scope="session")
def zhang_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of Zhang's with drawn weights, exported."""
    import torch

    from export.zhang import main
    from train.baselines.settings import ZhangConfig
    from train.baselines.zhang import LocalHints
    from train.config import Config, config_to_dict

    root = tmp_path_factory.mktemp("zhang")
    config = Config(zhang=ZhangConfig(widths=(16, 16, 16, 32)))
    torch.manual_seed(3)
    network = LocalHints(config.zhang)
    torch.nn.init.normal_(network.head.weight, std=0.05)
    content = {"stage": "zhang", "config": config_to_dict(config), "metrics": {}, "step": 1}
    torch.save(content | {"zhang": network.state_dict()}, root / "zhang.pt")
    assert main([str(root), str(root / "onnx")]) == 0
    return root / "onnx"


@pytest.fixture(scope="session")
def tiny_preset() -> Callable[..., dict[str, Any]]:
    """Makes the smoke preset on 60 photos and small grids; `vae={"epochs": 1.0}` changes a key."""

    def make(**changes: Any) -> dict[str, Any]:
        values = tomllib.loads(SMOKE.read_text(encoding="utf-8"))
        values["data"] |= {"limit": 60, "validation_share": 0.01, "grids": [[32, 32], [24, 40]]}
        values["networks"] |= {"widths": [16, 16, 32, 32], "mdn_width": 16}
        values["vae"] |= {"epochs": 3.0, "batch_size": 8}
        values["hoc"] |= {"epochs": 0.3, "batch_size": 4, "crop": 16}
        values["mdn"] |= {"epochs": 4.0, "batch_size": 8}
        values["joint"] |= {"epochs": 4.0, "batch_size": 8}
        values["hints"] |= {"epochs": 2.0, "batch_size": 8}
        for key, change in changes.items():
            values[key] = values.get(key, {}) | change if isinstance(change, dict) else change
        return values

    return make


@pytest.fixture(scope="session")
def write_preset() -> Callable[[Path, Mapping[str, Any]], Path]:
    """Writes tables of numbers, strings and lists as TOML."""

    def literal(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list | tuple):
            return "[" + ", ".join(literal(item) for item in value) + "]"
        return f'"{value}"' if isinstance(value, str) else str(value)

    def write(path: Path, values: Mapping[str, Any]) -> Path:
        lines = [f"{k} = {literal(v)}" for k, v in values.items() if not isinstance(v, dict)]
        for table, entries in values.items():
            if isinstance(entries, dict):
                lines += [f"[{table}]", *(f"{k} = {literal(v)}" for k, v in entries.items())]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def small_points() -> Callable[[pytest.MonkeyPatch], None]:
    """Lets the hoc stage validate on 32 x 32, at 1 / 64 of the cost; `test_smoke` does on 64."""

    def shrink(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("train.hoc.POINTS_SIDE", 32)
        patch.setattr("train.hoc.GRID", (32, 32))

    return shrink


@pytest.fixture(scope="session")
def smoke_run(
    crops: Path,
    small_points: Callable[[pytest.MonkeyPatch], None],
    tiny_preset: Callable[..., dict[str, Any]],
    write_preset: Callable[[Path, Mapping[str, Any]], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A run of all stages by `tiny_preset`; beside it lie `tiny.toml` and `cache`."""
    root = tmp_path_factory.mktemp("trained")
    preset = write_preset(root / "tiny.toml", tiny_preset())
    arguments = ["--config", str(preset), "--data", str(crops), "--out", str(root / "run")]
    with pytest.MonkeyPatch.context() as patch:
        small_points(patch)
        assert run_stage(train.all.STAGES, arguments) == 0
    return root / "run"
