"""Table 2: how right, varied and consistent the samples of each diverse method are.

A part of `train.reproduce`. The earlier methods and ours are trained on the same photos for the
same time of one processor core, exported, and measured through their ONNX graphs by one suite; our
shipped model stands beside them. What is done is kept and not done again: trainings by their
checkpoints, rows by a hash of what they come from.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huefield.baselines import load_baseline
from huefield.networks import load_model
from train.evaluation import samples
from train.evaluation.model import OFF, ON, BaselineFunctions, ModelFunctions
from train.evaluation.photos import SquarePhoto, mean_colors, read_squares
from train.reproduction.effort import Task, kept
from train.reproduction.paired import compared
from train.reproduction.paper import error_note
from train.reproduction.sets import SETS, PhotoSet
from train.reproduction.trained import train_method, train_ours

Floats = NDArray[np.float32]

SAME_TIME = "ours, same time"
SHIPPED = "ours, as shipped"
SHIPPED_OFF = "ours without G-CRF"
PLAIN = "ours, plain draws"
OURS = {ON: SHIPPED, OFF: SHIPPED_OFF}
TIMED_PHOTOS, TIMED_SAMPLES = 3, 8
SHOWN = (
    "image_mae",
    "image_mse",
    "pixel_mse",
    "variance",
    "variance_beyond_tint",
    "ssim_rgb",
    "ssim_ab",
)
SHOWN_MORE = ("colorfulness_distance", "beyond_tint_share", "below_tints")  # the last of 8 alone
PAIRED = {
    "image_mae": "error of best",
    "variance": "variance",
    "variance_beyond_tint": "variance beyond a tint",
    "ssim_ab": "SSIM (ab)",
}
PAIRED_COUNT = 8
NEAR_COLLAPSE = 0.1  # of the shipped model's variance: below, samples are called one and the same


def rows(task: Task) -> int:
    """How many times `make` tells that a row is done."""
    return len(task.sets) * (len(task.methods) + 3)


def make(task: Task) -> dict[str, Any]:
    """Figures of each method on each set: {"sets": {set: photos and rows}}."""
    return {"sets": {name: _set_rows(SETS[name], task) for name in task.sets}}


def _set_rows(photo_set: PhotoSet, task: Task) -> dict[str, Any]:
    """The set's part of the table: what it was measured on, and a row for each method and ours."""
    places, effort, seed = task.places, task.effort, task.seed
    source = photo_set.test_source(places.data)
    squares = read_squares(source, samples.SIDE, count=effort.num_photos, seed=seed)
    train_source = photo_set.train_source(places.data)
    tints = samples.tints_of(mean_colors(train_source, seed=seed), train_source.name, seed)
    about = {
        "photos": [square.name for square in squares],
        "seed": seed,
        "tints": np.round(tints, 3).tolist(),
        "each": list(PAIRED),
    }

    def measured(
        name: str,
        identity: Mapping[str, object],
        sample: samples.SampleFn,
        counts: Sequence[int] = effort.counts,
    ) -> Any:
        return kept(
            places.runs / photo_set.name / f"table2-{name}.json",
            {**about, **identity, "counts": list(counts)},
            partial(_measure, squares, sample, tints, counts, seed),
        )

    found: dict[str, Any] = {}
    for method in task.methods:
        folder, spent = train_method(photo_set, method, task.config, effort, places)
        baseline = load_baseline(folder)
        title = baseline.info.title
        sample = BaselineFunctions(baseline).sample
        made = measured(method, {"graphs": dict(baseline.info.sha256)}, sample)
        found[title] = {**made["rows"][title], **spent, "megabytes": _megabytes(folder)}
        task.done(f"{photo_set.name}: {title}")
    folder, spent = train_ours(photo_set, task)
    functions = ModelFunctions(load_model(folder, "cpu"), (ON,))
    made = measured("ours-same-time", functions.identity, functions.sample)
    found[SAME_TIME] = {**made["rows"][ON], **spent, "megabytes": _megabytes(folder)}
    task.done(f"{photo_set.name}: {SAME_TIME}")
    folder = places.models / photo_set.name
    functions = ModelFunctions(load_model(folder, "cpu"), (ON, OFF))
    counts = (*effort.counts, *effort.shipped_counts)
    made = measured("ours", functions.identity, functions.sample, counts)
    for setting, title in OURS.items():
        found[title] = {**made["rows"][setting], "megabytes": _megabytes(folder)}
    task.done(f"{photo_set.name}: {SHIPPED}")
    functions = replace(functions, settings=(ON,), pool_size=0)
    plain = measured("ours-plain", functions.identity, functions.sample)
    found[PLAIN] = {**plain["rows"][ON], "megabytes": _megabytes(folder)}
    task.done(f"{photo_set.name}: {PLAIN}")
    paired = _paired({title: row.pop("each") for title, row in found.items()}, seed)
    return {
        "num_photos": len(squares),
        "test": source.name,
        "reference": made["reference"],
        "shipped": functions.networks.info.description,
        "rows": found,
        "paired": paired,
    }


def _paired(each: Mapping[str, Mapping[str, Sequence[float]]], seed: int) -> dict[str, Any]:
    """Ours less each earlier method on the same photos: {ours: {method: {figure: difference}}}."""
    own = (SAME_TIME, SHIPPED, PLAIN)
    earlier = {title: values for title, values in each.items() if title not in (*own, SHIPPED_OFF)}
    found: dict[str, Any] = {}
    for title in own:
        for other, values in earlier.items():
            rows = compared({other: values, title: each[title]}, other, seed=seed)
            found.setdefault(title, {})[other] = rows[title]["figures"]
    return found


def markdown(results: Mapping[str, Any]) -> str:
    """The table as text: a part for each set, eight samples first, intervals beside figures."""
    lines = [
        "# Table 2: diversity and fidelity of samples",
        "",
        f"Preset `{results['preset']}`: each method trained {results['minutes']:g} minutes of one "
        f"core on each set, `{SAME_TIME}` too: from nothing, on the same photos, without a "
        f"backbone that knows others and without file names that say what photos show. `{SHIPPED}` "
        "had the photos and the time that its description names, below. Minutes in the table are "
        f"of wall clock, validation included. Ours picks its samples from 64 draws, `{PLAIN}` are "
        f"the paper's way. N = 8 where nothing else is said, seed {results['seed']}. In brackets: "
        "95 % bootstrap intervals over photos.",
    ]
    for name, part in results["sets"].items():
        lines += ["", f"## {name} ({part['num_photos']} photos of {part['test']})", ""]
        lines += [*_table(part["rows"], "8"), "", f"{SHIPPED}: {part['shipped']}.", ""]
        lines += _paired_table(part["paired"])
        lines += [line for note in _collapsed(part["rows"]) for line in ("", note)]
        for count in sorted({*part["rows"][SHIPPED]["figures"]} - {"8"}, key=int):
            lines += ["", f"N = {count}:", "", *_table(part["rows"], count)]
    lines += ["", "## Beside the paper", ""]
    name, part = next(iter(results["sets"].items()))
    lines.append(error_note(name, part["rows"][SHIPPED]["figures"]["8"]))
    return "\n".join(lines) + "\n"


def _table(found: Mapping[str, Any], count: str) -> list[str]:
    """The lines of one set's table of a number of samples; what does not hang on it, with eight."""
    first = count == "8"
    shown = [*SHOWN, *SHOWN_MORE] if first else [*SHOWN, *SHOWN_MORE[:-1]]
    heads = [samples.FIGURES[key] for key in shown]
    heads += ["training, minutes", "steps", "seconds a sample", "MB"] if first else []
    lines = ["| | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for title, row in found.items():
        if count not in row["figures"]:
            continue
        figures, ends = row["figures"][count], row["intervals"][count]
        cells = [f"{figures[key]:.4g} [{ends[key][0]:.4g}, {ends[key][1]:.4g}]" for key in shown]
        if first:
            minutes = row.get("train_minutes")
            cells += ["", ""] if minutes is None else [f"{minutes:.1f}", f"{row['steps']:.0f}"]
            cells += [f"{row['seconds_per_sample']:.3f}", f"{row['megabytes']:.1f}"]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def _paired_table(paired: Mapping[str, Any]) -> list[str]:
    """Lines of the differences on the same photos."""
    heads = [f"{figure} less that of the method" for figure in PAIRED.values()]
    lines = ["| ours | the method | " + " | ".join(heads) + " |"]
    lines.append("| --- | --- |" + " ---: |" * len(heads))
    for own, others in paired.items():
        for other, figures in others.items():
            cells = []
            for key in PAIRED:
                low, high = figures[key]["difference_interval"]
                cells.append(f"{figures[key]['difference']:+.2g} ({low:+.2g} to {high:+.2g})")
            lines.append(f"| {own} | {other} | " + " | ".join(cells) + " |")
    return lines


def _collapsed(found: Mapping[str, Any]) -> list[str]:
    """A sentence for each method whose samples hardly differ."""
    ours = found[SHIPPED]["figures"]["8"]["variance"]
    notes = []
    for title, row in found.items():
        variance = row["figures"]["8"]["variance"]
        if variance < NEAR_COLLAPSE * ours:
            notes.append(
                f"{title} is near collapse: its variance of {variance:.2g} is "
                f"{variance / ours:.1%} of ours, so its eight samples are nearly one, and its "
                "error of best is that of a single guess."
            )
    return notes


def _measure(
    squares: Sequence[SquarePhoto],
    sample: samples.SampleFn,
    tints: Floats,
    counts: Sequence[int],
    seed: int,
) -> dict[str, Any]:
    """Figures and intervals of each setting, by number of samples, and seconds a sample."""
    table = samples.samples_table(squares, sample, tints, counts=counts, seed=seed)
    took = []
    for number, square in enumerate(squares[:TIMED_PHOTOS]):
        began = time.perf_counter()
        sample(square.lightness, TIMED_SAMPLES, number)
        took.append((time.perf_counter() - began) / TIMED_SAMPLES)
    found: dict[str, Any] = {}
    for (setting, count), figures in table.rows.items():
        row = found.setdefault(setting, {"figures": {}, "intervals": {}})
        row["figures"][str(count)] = dict(figures)
        row["intervals"][str(count)] = {
            key: list(ends) for key, ends in table.intervals[setting, count].items()
        }
        row["seconds_per_sample"] = float(np.median(took))
        if count == PAIRED_COUNT:
            row["each"] = {key: table.each[setting, count][key] for key in PAIRED}
    return {"rows": found, "reference": dict(table.reference)}


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.glob("*.onnx")) / 1e6
