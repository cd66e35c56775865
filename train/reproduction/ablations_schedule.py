"""The paper's reveal schedule on or off: two short trainings of the embedding from one start.

Called by `ablations`. Both train the `hoc` stage in the paper's form, on the unary of a share of
the pixels and on no points, for the same number of steps: one with the share falling from 100 to
10 %, one with 10 % throughout. Start is the VAE of a set's shipped model, where it is shipped.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from train import hoc
from train.arguments import Stage, train_stages
from train.batches import Batches
from train.config import Config, HocConfig, config_from_dict
from train.data import open_cache
from train.evaluation.spreading import EmbedFn
from train.networks import Hoc
from train.reproduction.effort import Places, Task
from train.reproduction.sets import PhotoSet

Floats = NDArray[np.float32]

STAGES = (Stage("hoc", hoc.train),)
REVEAL = {
    "schedule, 100 to 10 %": HocConfig().reveal,
    "no schedule, 10 %": HocConfig().reveal[-1:],
}
SHARE = 0.5  # of the effort's minutes, for each of the two
CROP = 32
SECONDS_PER_PHOTO = 0.1  # of one core, to train on one photo of a step


def start_of(places: Places, name: str) -> Path:
    """Where the VAE of a set's shipped model is, if it is shipped."""
    return places.models / "training" / name / "vae.pt"


def schedule_config(task: Task, photo_set: PhotoSet, reveal: tuple[float, ...]) -> Config:
    """The configuration of one of the two trainings, its steps by the effort's minutes.

    Args:
        task: its effort, places and seed.
        photo_set: what is trained on.
        reveal: shares of revealed pixels.
    """
    checkpoint = torch.load(
        start_of(task.places, photo_set.name), map_location="cpu", weights_only=True
    )
    start = config_from_dict(checkpoint["config"])
    data = dataclasses.replace(
        task.config.data, include=photo_set.train_patterns, limit=task.effort.limit, names=False
    )
    cache = open_cache(photo_set.sources(task.places.data), data, task.places.runs / "cache")
    phase = dataclasses.replace(
        start.hoc, reveal=reveal, points_share=0.0, crop=CROP, train_top=False
    )
    seen = task.effort.minutes * 60.0 * SHARE / SECONDS_PER_PHOTO  # photos, in all
    steps = max(1, round(seen / phase.batch_size))
    num_photos = len(Batches(cache, data, task.seed))
    phase = dataclasses.replace(phase, epochs=steps / max(1, num_photos // phase.batch_size))
    return dataclasses.replace(
        start,
        seed=task.seed,
        threads=task.config.threads,
        bfloat16=task.config.bfloat16,
        data=data,
        hoc=phase,
    )


def train_embedding(task: Task, photo_set: PhotoSet, row: str) -> tuple[EmbedFn, int]:
    """The embedding that a row of `REVEAL` comes to, and the steps that it was trained.

    A training that is done is not done again, one that was cut off goes on.
    """
    config = schedule_config(task, photo_set, REVEAL[row])
    kind = "on" if len(REVEAL[row]) > 1 else "off"
    run = task.places.runs / photo_set.name / "ablations" / f"schedule-{kind}"
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "vae.pt").exists():
        shutil.copyfile(start_of(task.places, photo_set.name), run / "vae.pt")
    train_stages(
        STAGES,
        config,
        photo_set.sources(task.places.data),
        run,
        cache_root=task.places.runs / "cache",
        resume=True,
    )
    last = torch.load(run / "hoc.last.pt", map_location="cpu", weights_only=True)
    best = torch.load(run / "hoc.pt", map_location="cpu", weights_only=True)
    network = Hoc(config.networks)
    network.load_state_dict(best["hoc"])
    network.eval()

    def embed(gray: Floats) -> Floats:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy(gray)[None, None])[0].numpy())

    return embed, int(last["step"])
