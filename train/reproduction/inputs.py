"""What a reproduction needs, checked before hours are spent. Called by `train.reproduce`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from huefield.networks import load_model
from train.baselines.interactive import ZHANG
from train.config import load_config
from train.data import list_photos
from train.evaluation import contenders, samples
from train.evaluation.photos import choose, read_photos, read_squares
from train.reproduction.effort import Task
from train.reproduction.sets import SETS, PhotoSet

NUM_TRAINED = 10  # photos with colour at least: eight for fixed tints, and some on either side
NUM_LOOKED_AT = 500  # photos in which these are looked for


class InputError(ValueError):
    """Something that a reproduction needs is missing or cannot be used; the message says what."""


def check_inputs(task: Task) -> None:
    """Refuses presets, photo sets, models and folders that cannot be used; leaves nothing behind.

    Raises:
        ConfigError: a preset is missing or wrong.
        InputError: a zip is missing, a set has too few photos with colour, a folder cannot be
            written.
        DataError: there is no photo, or no zip.
        EvaluationError: no test photo can be read, or all are grey.
        ModelError: a model of ours is missing, incomplete or altered.
    """
    for name in (*task.sets, ZHANG):
        load_config(task.presets / f"{name}.toml")
    for name in task.sets:
        _check_photos(SETS[name], task)
        load_model(task.places.models / name, "cpu")
    for folder in (task.places.out, task.places.runs):
        _check_folder(folder)


def _check_photos(photo_set: PhotoSet, task: Task) -> None:
    """Looks for photos with colour on all sides of a set."""
    data, effort = task.places.data, task.effort
    sources = photo_set.sources(data)
    test, points = photo_set.test_source(data), photo_set.points_source(data)
    for source in (*sources, test.path, points.path):
        if not source.exists():
            raise InputError(f"expected the photo set {source}; name its folder by --data-root")
    members = list_photos(sources, photo_set.train_patterns)
    if len(members) < NUM_TRAINED:
        raise InputError(
            f"{photo_set.name}: expected at least {NUM_TRAINED} photos to train on, got "
            f"{len(members)} in {_names(sources)}"
        )
    looked_at = choose(members, NUM_LOOKED_AT, task.seed)
    coloured = (photo for _, photo in read_photos(looked_at) if photo.has_color)
    found = len(list(islice(coloured, NUM_TRAINED)))
    if found < NUM_TRAINED:
        raise InputError(
            f"{photo_set.name}: expected at least {NUM_TRAINED} photos with colour to train on, "
            f"got {found} among {len(looked_at)} of {_names(sources)}"
        )
    read_squares(test, samples.SIDE, count=effort.num_photos, seed=task.seed)
    read_squares(points, contenders.SIDE, count=effort.num_points_photos, seed=task.seed)


def _check_folder(folder: Path) -> None:
    """Makes a folder and writes something that is gone at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"0")
    except OSError as error:
        raise InputError(f"expected a folder to write to, got {folder}: {error.strerror}") from None


def _names(sources: Sequence[Path]) -> str:
    return ", ".join(source.name for source in sources)
