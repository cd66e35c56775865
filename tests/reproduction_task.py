"""A task of `train.reproduce` on crops of the shipped photos, with a small model of faces."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import train.config
from train.config import load_config
from train.reproduction.effort import Effort, Places, Task

CONFIG = Path(train.config.__file__).parent / "configs" / "baselines-smoke.toml"


def make_task(
    root: Path,
    crops: Path,
    model: Path,
    effort: Effort,
    rows: list[str],
    *,
    methods: tuple[str, ...] = (),
    seed: int = 0,
) -> Task:
    """The task, its data, models, runs and results below `root`; finished rows go to `rows`."""
    (root / "data").mkdir(exist_ok=True)
    with zipfile.ZipFile(root / "data" / "lfw.zip", "w") as archive:
        for number, path in enumerate(sorted(crops.iterdir())):
            archive.write(path, f"{'test' if number % 10 == 0 else 'train'}/{path.name}")
    shutil.copytree(model, root / "models" / "faces", dirs_exist_ok=True)
    places = Places(root / "data", root / "models", root / "runs", root / "results")
    config = load_config(CONFIG)
    return Task("quick", effort, places, ("faces",), methods, config, seed, rows.append)
