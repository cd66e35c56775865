"""Table 2: how right, varied and consistent the samples of each diverse method are.

Called by `train.reproduce`. Each method is trained on the same photos for the same time of one
processor core, exported, and measured through its ONNX graphs by the same suite as ours. What is
done is kept and not done again: trainings by their checkpoints, rows by a hash of what they come
from.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from export.baselines import export_baseline
from huefield.baselines import load_baseline
from huefield.networks import load_model
from train.arguments import Stage, train_stages
from train.baselines import bicycle_gan, cgan, mln_gan, pic, vae_mdn
from train.batches import Batches
from train.config import Config
from train.data import open_cache
from train.evaluation import samples
from train.evaluation.model import OFF, ON, BaselineFunctions, ModelFunctions
from train.evaluation.photos import SquarePhoto, mean_colors, read_squares
from train.phases import ScheduleConfig
from train.reproduction.effort import Effort, Places, kept
from train.reproduction.sets import PhotoSet

Floats = NDArray[np.float32]

STAGES: Mapping[str, tuple[Stage, ...]] = {
    "cgan": cgan.STAGES,
    "mln_gan": mln_gan.STAGES,
    "bicycle_gan": bicycle_gan.STAGES,
    "vae_mdn": vae_mdn.STAGES,
    "pic": pic.STAGES,
}
# Seconds of one core (AMX, bfloat16, 64 x 64) that forward and backward passes take for each photo
# of a step, by the sizes of `baselines.toml`: budgets become numbers of steps by them, so that
# every machine trains the same.
SECONDS_PER_PHOTO = {
    "cgan": 0.0146,
    "mln_gan": 0.0566,
    "bicycle_gan": 0.0301,
    "vae_mdn": 0.0086,
    "vae_mdn_prior": 0.0030,
    "pic": 0.0240,
}
PRIOR_SHARE = 0.3  # of VAE-MDN's time, for its mixture
OURS = {ON: "ours", OFF: "ours, unary alone"}
TIMED_PHOTOS, TIMED_SAMPLES = 3, 8
SHOWN = ("image_mae", "image_mse", "pixel_mse", "variance", "ssim_rgb", "ssim_ab")
SHOWN_MORE = ("colorfulness_distance", "beyond_tint_share", "below_tints")


def budgeted(config: Config, method: str, effort: Effort, num_photos: int) -> Config:
    """The configuration whose stages of a method take the effort's minutes of one core."""
    shares = {stage.name: 1.0 for stage in STAGES[method]}
    if method == "vae_mdn":
        shares = {"vae_mdn": 1.0 - PRIOR_SHARE, "vae_mdn_prior": PRIOR_SHARE}
    changed: dict[str, Any] = {}
    for name, share in shares.items():
        phase: ScheduleConfig = getattr(config, name)
        seen = effort.minutes * 60.0 * share / SECONDS_PER_PHOTO[name]  # photos, in all
        steps, per_epoch = round(seen / phase.batch_size), max(1, num_photos // phase.batch_size)
        changed[name] = dataclasses.replace(phase, epochs=max(1, steps) / per_epoch)
    return dataclasses.replace(config, **changed)


def train_method(
    photo_set: PhotoSet, method: str, preset: Config, effort: Effort, places: Places
) -> tuple[Path, dict[str, float]]:
    """The folder of a method, trained on a set and exported, and what that took.

    Returns:
        The model folder, and "train_minutes" of wall clock with "steps".
    """
    data = dataclasses.replace(preset.data, include=photo_set.train_patterns, limit=effort.limit)
    config = dataclasses.replace(preset, data=data)
    sources = photo_set.sources(places.data)
    cache = places.runs / "cache"
    # Budgets are in steps, epochs in photos that are there and have colour.
    batches = Batches(open_cache(sources, data, cache), data, config.seed)
    config = budgeted(config, method, effort, len(batches))
    run = places.runs / photo_set.name
    train_stages(STAGES[method], config, sources, run, cache_root=cache, resume=True)
    spent = {"train_minutes": 0.0, "steps": 0.0}
    for stage in STAGES[method]:
        last = torch.load(run / f"{stage.name}.last.pt", map_location="cpu", weights_only=True)
        spent["train_minutes"] += last["seconds"] / 60.0
        spent["steps"] += last["step"]
    folder = run / "models" / method
    if not _is_current(folder, run, method):
        export_baseline(run, folder, sources[0], method, f"Trained on {photo_set.name}")
    return folder, spent


def table_rows(
    photo_set: PhotoSet,
    methods: Sequence[str],
    preset: Config,
    effort: Effort,
    places: Places,
    seed: int,
    done: Callable[[str], None],
) -> dict[str, Any]:
    """The set's part of the table: what it was measured on, and a row for each method and ours.

    Args:
        photo_set: the set.
        methods: which of `STAGES`.
        preset: sizes of the methods.
        effort: what is spent.
        places: where things are.
        seed: of the test photos and the samples.
        done: is told each row that is finished.
    """
    source = photo_set.test_source(places.data)
    squares = read_squares(source, samples.SIDE, count=effort.num_photos, seed=seed)
    train_source = source.part("train")
    tints = samples.tints_of(mean_colors(train_source, seed=seed), train_source.name, seed)
    about = {
        "photos": [square.name for square in squares],
        "seed": seed,
        "counts": list(effort.counts),
        "tints": np.round(tints, 3).tolist(),
    }
    rows: dict[str, Any] = {}
    for method in methods:
        folder, spent = train_method(photo_set, method, preset, effort, places)
        baseline = load_baseline(folder)
        info = baseline.info
        file = places.runs / photo_set.name / f"table2-{method}.json"
        sample = BaselineFunctions(baseline).sample
        made = kept(
            file,
            {**about, "graphs": dict(info.sha256)},
            partial(_measure, squares, sample, tints, effort, seed),
        )
        rows[info.title] = {**made["rows"][info.title], **spent, "megabytes": _megabytes(folder)}
        done(f"{photo_set.name}: {info.title}")
    folder = places.models / photo_set.name
    functions = ModelFunctions(load_model(folder, "cpu"), (ON, OFF))
    made = kept(
        places.runs / photo_set.name / "table2-ours.json",
        {**about, **functions.identity},
        partial(_measure, squares, functions.sample, tints, effort, seed),
    )
    for setting, title in OURS.items():
        rows[title] = {**made["rows"][setting], "megabytes": _megabytes(folder)}
    done(f"{photo_set.name}: ours")
    return {
        "num_photos": len(squares),
        "test": source.name,
        "reference": made["reference"],
        "rows": rows,
    }


def markdown(results: Mapping[str, Any]) -> str:
    """The table as text: a part for each set, eight samples, intervals below the figures."""
    lines = [
        "# Table 2: diversity and fidelity of samples",
        "",
        f"Preset `{results['preset']}`: each method trained {results['minutes']:g} minutes of one "
        f"core on each set; ours as shipped. N = 8, seed {results['seed']}. In brackets: 95 % "
        "bootstrap intervals over photos.",
    ]
    for name, part in results["sets"].items():
        shown = [*SHOWN, *SHOWN_MORE]
        heads = [samples.FIGURES[key] for key in shown]
        heads += ["training, minutes", "seconds a sample", "MB"]
        lines += ["", f"## {name} ({part['num_photos']} photos of {part['test']})", ""]
        lines += ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
        for title, row in part["rows"].items():
            figures, ends = row["figures"]["8"], row["intervals"]["8"]
            cells = [
                f"{figures[key]:.4g} [{ends[key][0]:.4g}, {ends[key][1]:.4g}]" for key in shown
            ]
            minutes = row.get("train_minutes")
            cells.append("" if minutes is None else f"{minutes:.1f}")
            cells += [f"{row['seconds_per_sample']:.3f}", f"{row['megabytes']:.1f}"]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _measure(
    squares: Sequence[SquarePhoto],
    sample: samples.SampleFn,
    tints: Floats,
    effort: Effort,
    seed: int,
) -> dict[str, Any]:
    """Figures and intervals of each setting, by number of samples, and seconds a sample."""
    table = samples.samples_table(squares, sample, tints, counts=effort.counts, seed=seed)
    took = []
    for number, square in enumerate(squares[:TIMED_PHOTOS]):
        began = time.perf_counter()
        sample(square.lightness, TIMED_SAMPLES, number)
        took.append((time.perf_counter() - began) / TIMED_SAMPLES)
    rows: dict[str, Any] = {}
    for (setting, count), figures in table.rows.items():
        row = rows.setdefault(setting, {"figures": {}, "intervals": {}})
        row["figures"][str(count)] = dict(figures)
        row["intervals"][str(count)] = {
            key: list(ends) for key, ends in table.intervals[setting, count].items()
        }
        row["seconds_per_sample"] = float(np.median(took))
    return {"rows": rows, "reference": dict(table.reference)}


def _is_current(folder: Path, run: Path, method: str) -> bool:
    """Whether a model folder is newer than the checkpoints that it is made of."""
    made = folder / "model.json"
    newest = max((run / f"{stage.name}.pt").stat().st_mtime for stage in STAGES[method])
    return made.exists() and made.stat().st_mtime > newest


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.glob("*.onnx")) / 1e6
