"""How much `train.reproduce` spends, where things are, and figures that are kept between calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.config import Config

PRESETS = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True)
class Effort:
    """How much is spent.

    Attributes:
        minutes: of one core, to train each method on each set.
        limit: most training photos of a set, 0 for all.
        num_photos: most test photos of a set, for samples.
        counts: numbers of samples measured.
        shipped_counts: further ones, of our shipped models alone.
        num_points_photos: most test photos of a set, for revealed points.
        point_counts: numbers of revealed points.
        num_ablation_photos: most test photos of a set, for each setting of an ablation.
        num_shown: photos of each set in the figures.
        num_pairs: photos of each set in the folder for a study.
    """

    minutes: float
    limit: int
    num_photos: int
    counts: tuple[int, ...]
    shipped_counts: tuple[int, ...] = ()
    num_points_photos: int = 12
    point_counts: tuple[int, ...] = (1, 10, 50, 100, 500)
    num_ablation_photos: int = 12
    num_shown: int = 4
    num_pairs: int = 8


QUICK = Effort(
    minutes=0.25,
    limit=3000,
    num_photos=24,
    counts=(8,),
    num_points_photos=8,
    num_ablation_photos=4,
)
MEDIUM = Effort(
    minutes=2.0,
    limit=0,
    num_photos=60,
    counts=(8,),
    shipped_counts=(100,),
    num_points_photos=30,
    num_ablation_photos=6,
)
FULL = Effort(
    minutes=60.0,
    limit=0,
    num_photos=300,
    counts=(8, 100),
    num_points_photos=200,
    num_ablation_photos=60,
    num_shown=6,
    num_pairs=40,
)


@dataclass(frozen=True)
class Places:
    """Where things are: photo sets, our models, runs with what they are exported to, results."""

    data: Path
    models: Path
    runs: Path
    out: Path


@dataclass(frozen=True)
class Task:
    """What a part of the results is asked for.

    Attributes:
        preset: name of the effort.
        effort: what is spent.
        places: where things are.
        sets: names of `sets.SETS`.
        methods: names of `trained.STAGES`.
        config: sizes of the methods, and which photos all are trained on.
        seed: of photos, samples and points.
        done: is told each row that is finished.
        presets: folder with our own method's sizes, a file named after each set, and `zhang.toml`.
    """

    preset: str
    effort: Effort
    places: Places
    sets: tuple[str, ...]
    methods: tuple[str, ...]
    config: Config
    seed: int
    done: Callable[[str], None]
    presets: Path = PRESETS


def kept(path: Path, content: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> Any:
    """What was made before of the same things, or what `make` makes now.

    Args:
        path: file that keeps it.
        content: what the result depends on, as JSON.
        make: makes the result, a dictionary for JSON.
    """
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found.get("key") == key:
            return found
    made = make() | {"key": key}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(made, indent=1, allow_nan=False))
    return made


def write_text(path: Path, text: str) -> None:
    """Writes a file as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
