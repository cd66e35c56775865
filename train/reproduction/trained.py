"""Methods trained on the same photos of a set for the same time, exported, with what that took.

Called by `table2` and `table3`. A training that is finished is not done again, one that was
interrupted goes on, and an export that is newer than its checkpoints stays.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from export.baselines import export_baseline
from export.model_folder import Settings, export_model
from export.zhang import export_zhang
from huefield.model_info import MODEL_FILE, read_model_info
from train import hoc, mdn, vae
from train.arguments import Stage, train_stages
from train.baselines import bicycle_gan, cgan, mln_gan, pic, vae_mdn, zhang
from train.baselines.zhang_onnx import INFO_FILE
from train.batches import Batches
from train.config import Config, load_config
from train.data import open_cache
from train.phases import ScheduleConfig
from train.reproduction.effort import Effort, Places, Task
from train.reproduction.sets import PhotoSet

STAGES: Mapping[str, tuple[Stage, ...]] = {
    "cgan": cgan.STAGES,
    "mln_gan": mln_gan.STAGES,
    "bicycle_gan": bicycle_gan.STAGES,
    "vae_mdn": vae_mdn.STAGES,
    "pic": pic.STAGES,
}
OURS = (Stage("vae", vae.train), Stage("hoc", hoc.train), Stage("mdn", mdn.train))
ZHANG = (Stage("zhang", zhang.train),)
# Seconds of one core that a step takes for each of its photos, batch, forward and backward passes
# of all sides, by the sizes of `train/configs`: the least of six to ten steps on an AMD EPYC with
# AVX-512 BF16 that was busy otherwise, where `bfloat16 = "auto"` means bfloat16. Steps on grids of
# half the sides count with their share. Budgets become numbers of steps by them, so that every
# machine trains the same.
SECONDS_PER_PHOTO = {
    "cgan": 0.0120,
    "mln_gan": 0.0484,
    "bicycle_gan": 0.0303,
    "vae_mdn": 0.0079,
    "vae_mdn_prior": 0.0018,
    "pic": 0.0234,
    "zhang": 0.0098,
}
OUR_SECONDS_PER_PHOTO = {
    "faces": {"vae": 0.0067, "hoc": 0.0826, "mdn": 0.0037},
    "buildings": {"vae": 0.0081, "hoc": 0.0826, "mdn": 0.0028},
    "photos": {"vae": 0.0116, "hoc": 0.0826, "mdn": 0.0051},
}
# Of the time of a method, where it has several stages.
SHARES = {
    "vae_mdn": {"vae_mdn": 0.7, "vae_mdn_prior": 0.3},
    "ours": {"vae": 0.6, "hoc": 0.2, "mdn": 0.2},
}

Spent = dict[str, float]
"""What a training took: "train_minutes" of wall clock, validation included, and "steps"."""


def budgeted(
    config: Config,
    shares: Mapping[str, float],
    seconds: Mapping[str, float],
    minutes: float,
    num_photos: int,
) -> Config:
    """The configuration whose stages together take some minutes of one core.

    Args:
        config: with a section for each stage.
        shares: of the time, by stage; their sum is 1.
        seconds: of one core for each photo of a step, by stage.
        minutes: of one core, for all stages.
        num_photos: training photos, an epoch.
    """
    changed: dict[str, Any] = {}
    for name, share in shares.items():
        phase: ScheduleConfig = getattr(config, name)
        seen = minutes * 60.0 * share / seconds[name]  # photos, in all
        steps, per_epoch = round(seen / phase.batch_size), max(1, num_photos // phase.batch_size)
        changed[name] = dataclasses.replace(phase, epochs=max(1, steps) / per_epoch)
    return dataclasses.replace(config, **changed)


def train_method(
    photo_set: PhotoSet, method: str, preset: Config, effort: Effort, places: Places
) -> tuple[Path, Spent]:
    """The model folder of an earlier diverse method, and what it took.

    Args:
        photo_set: what it is trained on.
        method: of `STAGES`.
        preset: sizes of the methods, and which photos.
        effort: minutes and photos.
        places: where things are.
    """
    run = places.runs / photo_set.name
    shares = SHARES.get(method, {method: 1.0})
    spent = _train(
        STAGES[method], preset, shares, SECONDS_PER_PHOTO, photo_set, effort, places, run
    )
    folder = run / "models" / method

    def export() -> None:
        photos = photo_set.sources(places.data)[0]
        export_baseline(run, folder, photos, method, f"Trained on {photo_set.name}")

    _export(folder / MODEL_FILE, run, STAGES[method], export)
    return folder, spent


def zhang_folder(places: Places, name: str) -> Path:
    """Where Zhang's network of a set is exported to."""
    return places.runs / name / "zhang"


def train_zhang(photo_set: PhotoSet, task: Task) -> tuple[Path, Spent]:
    """The folder of Zhang's network, as `export.zhang` writes it, and what it took."""
    config = _same_photos(load_config(task.presets / "zhang.toml"), task)
    run = task.places.runs / photo_set.name
    shares = {"zhang": 1.0}
    effort, places = task.effort, task.places
    spent = _train(ZHANG, config, shares, SECONDS_PER_PHOTO, photo_set, effort, places, run)
    folder = zhang_folder(places, photo_set.name)
    photos = photo_set.sources(task.places.data)[0]
    _export(folder / INFO_FILE, run, ZHANG, lambda: export_zhang(run, folder, photos))
    return folder, spent


def train_ours(photo_set: PhotoSet, task: Task) -> tuple[Path, Spent]:
    """The model folder of our method as the earlier ones are trained, and what it took.

    That is from nothing, without a backbone that knows other photos and without the names of
    things in file names; a latent that collapses is no error here, it shows in the figures. The
    G-CRF has the weights of the shipped model.
    """
    config = _same_photos(load_config(task.presets / f"{photo_set.name}.toml"), task)
    config = dataclasses.replace(
        config,
        networks=dataclasses.replace(config.networks, backbone=""),
        vae=dataclasses.replace(config.vae, min_active=0),
    )
    run = task.places.runs / photo_set.name / "ours"
    seconds = OUR_SECONDS_PER_PHOTO[photo_set.name]
    effort, places = task.effort, task.places
    spent = _train(OURS, config, SHARES["ours"], seconds, photo_set, effort, places, run)
    folder = task.places.runs / photo_set.name / "models" / "ours"

    def export() -> None:
        shipped = read_model_info(task.places.models / photo_set.name)
        settings = Settings(
            f"Trained on {photo_set.name}", shipped.grid_area, shipped.gcrf, chroma_gain=1.0
        )
        photos = photo_set.sources(task.places.data)[0]
        export_model(run, folder, photos, settings, force=True)

    _export(folder / MODEL_FILE, run, OURS, export)
    return folder, spent


def _same_photos(config: Config, task: Task) -> Config:
    """A configuration with the photos, crops and seed of the methods that it is compared with."""
    return dataclasses.replace(config, data=task.config.data, seed=task.config.seed)


def _train(
    stages: Sequence[Stage],
    config: Config,
    shares: Mapping[str, float],
    seconds: Mapping[str, float],
    photo_set: PhotoSet,
    effort: Effort,
    places: Places,
    run: Path,
) -> Spent:
    """Trains stages in a run for the effort's minutes of one core."""
    data = dataclasses.replace(config.data, include=photo_set.train_patterns, limit=effort.limit)
    config = dataclasses.replace(config, data=data)
    sources, cache = photo_set.sources(places.data), places.runs / "cache"
    # Budgets are in steps, epochs in photos that are there and have colour.
    batches = Batches(open_cache(sources, data, cache), data, config.seed)
    config = budgeted(config, shares, seconds, effort.minutes, len(batches))
    train_stages(stages, config, sources, run, cache_root=cache, resume=True)
    spent = {"train_minutes": 0.0, "steps": 0.0}
    for stage in stages:
        last = torch.load(run / f"{stage.name}.last.pt", map_location="cpu", weights_only=True)
        spent["train_minutes"] += last["seconds"] / 60.0
        spent["steps"] += last["step"]
    return spent


def _export(made: Path, run: Path, stages: Sequence[Stage], export: Callable[[], object]) -> None:
    """Calls `export` unless the file that it makes is newer than the checkpoints."""
    newest = max((run / f"{stage.name}.pt").stat().st_mtime for stage in stages)
    if not (made.exists() and made.stat().st_mtime > newest):
        export()
