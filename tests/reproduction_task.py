"""A task of `train.reproduce` on crops of the shipped photos, with a small model of faces."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import train.config
from export.baselines import main as export_baseline
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
    every: int = 1,
    untrained: Path | None = None,
) -> Task:
    """The task, its data, models, runs and results below `root`; finished rows go to `rows`.

    Args:
        root: folder of all that the task has.
        crops: folder of photos, a tenth of them to test on.
        model: our model's folder.
        effort: what is spent.
        rows: is given the rows that are finished.
        methods: the methods that are asked for.
        seed: of the task.
        every: one photo in so many is taken.
        untrained: run with untrained methods, of which the first is exported.
    """
    (root / "data").mkdir(exist_ok=True)
    (root / "results").mkdir(exist_ok=True)
    with zipfile.ZipFile(root / "data" / "lfw.zip", "w") as archive:
        for number, path in enumerate(sorted(crops.iterdir())[::every]):
            archive.write(path, f"{'test' if number % 10 == 0 else 'train'}/{path.name}")
    shutil.copytree(model, root / "models" / "faces", dirs_exist_ok=True)
    places = Places(root / "data", root / "models", root / "runs", root / "results")
    if untrained is not None:
        folder = places.runs / "faces" / "models" / methods[0]
        assert export_baseline([str(untrained), str(folder), "--method", methods[0]]) == 0
    config = load_config(CONFIG)
    return Task("quick", effort, places, ("faces",), methods, config, seed, rows.append)
