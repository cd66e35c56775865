"""Structural consistency, measured: how even things are coloured, and how varied between samples.

Called by `train.reproduce`. Things are segments of L alone (`segments`). Inside a segment the
colours of a sample should spread as the truth's do, not more; between samples the segments' mean
colours should differ. Each diverse method of Table 2 that has been trained and exported, ours with
the G-CRF on and off, all on the same photos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from huefield.baselines import load_baseline
from huefield.networks import load_model
from train.evaluation.model import OFF, ON, BaselineFunctions, ModelFunctions
from train.evaluation.photos import SquarePhoto, read_squares
from train.evaluation.report import contact_sheet
from train.evaluation.samples import SIDE, SampleFn
from train.reproduction.effort import Task, kept
from train.reproduction.paired import compared, table
from train.reproduction.segments import BLUR, SCALE, large_segments, outlined, segment
from train.reproduction.sets import SETS
from train.reproduction.table2 import OURS

Floats = NDArray[np.float32]
Masks = Sequence[NDArray[np.bool_]]
Values = dict[str, list[float]]

COUNT = 8
LEAST_CELLS = 40
TRUTH = "true photos"
SHOWN_SIDE = 256
SHOWN_COLUMNS = 6
FIGURES = {
    "within": "spread of ab inside a segment",
    "between": "deviation of a segment's mean ab between samples",
    "apart": "the same, each sample's mean over the photo taken off",
}


def rows(task: Task) -> int:
    """How many rows `make` tells of: the methods, there or absent, and ours."""
    return len(task.sets) * (len(task.methods) + 1)


def spreads(fields: Floats, masks: Masks) -> dict[str, float]:
    """`FIGURES` of one photo's samples, means over segments and samples, ab units.

    "within" is the root mean square distance of a segment's colours to their mean in one sample;
    "between" the root of the summed unbiased variances of a segment's mean a and b over samples;
    "apart" takes each sample's mean over the whole photo off first, so that samples that are tints
    of the whole photo have none.

    Args:
        fields: (n, h, w, 2) ab; with one field there is "within" alone.
        masks: (h, w) of each segment, at least one.
    """
    within, between, apart = [], [], []
    whole = fields.mean(axis=(1, 2), dtype=np.float64)  # (n, 2)
    for mask in masks:
        colors = fields[:, mask].astype(np.float64)  # (n, m, 2)
        means = colors.mean(axis=1)  # (n, 2)
        squared = ((colors - means[:, None]) ** 2).sum(axis=2).mean(axis=1)
        within.append(np.sqrt(squared).mean())
        if len(fields) > 1:
            between.append(np.sqrt(means.var(axis=0, ddof=1).sum()))
            apart.append(np.sqrt((means - whole).var(axis=0, ddof=1).sum()))
    found = {"within": float(np.mean(within))}
    if len(fields) > 1:
        found |= {"between": float(np.mean(between)), "apart": float(np.mean(apart))}
    return found


def make(task: Task) -> dict[str, Any]:
    """All rows of all sets, with `consistency.png` beside the results.

    The picture of segments, `consistency-segments.png`, shows photos of the sets, which may not be
    published with the code; it is written among the runs.
    """
    sets: dict[str, Any] = {}
    pictures: list[NDArray[np.uint8]] = []
    for name in task.sets:
        source = SETS[name].test_source(task.places.data)
        count = task.effort.num_ablation_photos
        squares = read_squares(source, SIDE, count=count, seed=task.seed)
        labels = [segment(square.lightness) for square in squares]
        sets[name] = {"test": source.name, **_set_rows(task, name, squares, labels)}
        large = read_squares(source, SHOWN_SIDE, count=count, seed=task.seed)
        for square, label in list(zip(large, labels, strict=True))[: task.effort.num_shown]:
            pictures += [square.rgb, outlined(square.rgb, label, LEAST_CELLS)]
    write_bars(task.places.out / "consistency.png", sets)
    lines = [
        pictures[first : first + SHOWN_COLUMNS] for first in range(0, len(pictures), SHOWN_COLUMNS)
    ]
    captions = ["photo", "segments of L"] * (len(lines[0]) // 2)
    sheet = contact_sheet(lines, captions, SHOWN_SIDE)
    Image.fromarray(sheet).save(task.places.runs / "consistency-segments.png")
    return {
        "part": "consistency",
        "preset": task.preset,
        "seed": task.seed,
        "count": COUNT,
        "least_cells": LEAST_CELLS,
        "sets": sets,
    }


def _set_rows(
    task: Task, name: str, squares: Sequence[SquarePhoto], labels: Sequence[NDArray[np.intp]]
) -> dict[str, Any]:
    """Rows of one set, ours the reference of the differences."""
    masks = [large_segments(label, LEAST_CELLS) for label in labels]
    usable = [k for k, found in enumerate(masks) if found]
    squares, masks = [squares[k] for k in usable], [masks[k] for k in usable]
    seeds = [task.seed + k for k in usable]
    about = {
        "photos": [square.name for square in squares],
        "seeds": seeds,
        "segments": [SCALE, BLUR, LEAST_CELLS],
    }
    folder = task.places.runs / name
    values: dict[str, Values] = {TRUTH: {"within": []}}
    for square, found in zip(squares, masks, strict=True):
        values[TRUTH]["within"].append(spreads(square.ab[None], found)["within"])
    absent = []
    for method in task.methods:
        if not (folder / "models" / method / "model.json").exists():
            absent.append(method)
            task.done(f"{name}: {method} is absent")
            continue
        baseline = load_baseline(folder / "models" / method)
        made = kept(
            folder / "consistency" / f"{method}.json",
            {**about, "graphs": dict(baseline.info.sha256)},
            partial(_measure, squares, masks, seeds, BaselineFunctions(baseline).sample),
        )
        values |= made["rows"]
        task.done(f"{name}: {baseline.info.title}")
    functions = ModelFunctions(load_model(task.places.models / name, "cpu"), (ON, OFF))
    made = kept(
        folder / "consistency" / "ours.json",
        {**about, **functions.identity},
        partial(_measure, squares, masks, seeds, functions.sample),
    )
    values |= {OURS[setting]: row for setting, row in made["rows"].items()}
    task.done(f"{name}: ours")
    return {
        "num_photos": len(squares),
        "num_segments": sum(map(len, masks)),
        "share_measured": float(np.mean([np.any(found, axis=0).mean() for found in masks])),
        "absent": absent,
        "rows": compared(values, OURS[ON], seed=task.seed),
    }


def _measure(
    squares: Sequence[SquarePhoto], masks: Sequence[Masks], seeds: Sequence[int], sample: SampleFn
) -> dict[str, Any]:
    """`FIGURES` of each photo, for each setting of the samples."""
    rows: dict[str, Values] = {}
    for square, found, seed in zip(squares, masks, seeds, strict=True):
        for setting, fields in sample(square.lightness, COUNT, seed).items():
            row = rows.setdefault(setting, {figure: [] for figure in FIGURES})
            for figure, value in spreads(fields, found).items():
                row[figure].append(value)
    return {"rows": rows}


def write_bars(path: Path, sets: Mapping[str, Any]) -> None:
    """Writes a bar with its interval for each method, a row of panels for each set, as PNG."""
    figure = Figure(figsize=(12, 0.8 + 2.6 * len(sets)), layout="tight")
    panels = figure.subplots(len(sets), len(FIGURES), squeeze=False)
    for axes, (name, part) in zip(panels, sets.items(), strict=True):
        for axis, (key, text) in zip(axes, FIGURES.items(), strict=True):
            shown = {row: c["figures"][key] for row, c in part["rows"].items() if row != TRUTH}
            means = np.array([found["mean"] for found in shown.values()])
            ends = np.array([found["interval"] for found in shown.values()])
            errors = np.maximum(np.stack([means - ends[:, 0], ends[:, 1] - means]), 0.0)
            colors = ["tab:orange" if row in OURS.values() else "tab:gray" for row in shown]
            axis.barh(list(shown), means, xerr=errors, color=colors, capsize=2)
            axis.invert_yaxis()
            if key == "within":
                truth = part["rows"][TRUTH]["figures"][key]["mean"]
                axis.axvline(truth, color="black", ls="--", label=TRUTH)
                axis.legend(fontsize="x-small", loc="lower right")
                axis.set_ylabel(name)
            else:
                axis.set_yticklabels([])
            axis.set_title(text, fontsize="small")
    figure.supxlabel("ab units", fontsize="small")
    figure.savefig(path, dpi=100)


def markdown(results: Mapping[str, Any]) -> str:
    """The tables as text."""
    lines = [
        "# Colour inside things and between samples",
        "",
        f"Preset `{results['preset']}`, N = {results['count']}, seed {results['seed']}, ab units. "
        "Things are segments of L alone (Felzenszwalb and Huttenlocher 2004 on the 64 × 64 grid, "
        f"{results['least_cells']} cells at least). Ours has 95 % bootstrap intervals over photos "
        "in brackets; every other row its paired difference from ours on the same photos, with the "
        "interval of that. Inside a thing the true photos' spread is what is wanted.",
        "",
        "![Spread inside segments and between samples](consistency.png)",
    ]
    for name, part in results["sets"].items():
        lines += [
            "",
            f"## {name} ({part['num_photos']} photos of {part['test']})",
            "",
            f"{part['num_segments']} segments, {part['share_measured']:.0%} of the cells.",
            "",
            *table(part["rows"], FIGURES),
        ]
        if part["absent"]:
            lines += ["", f"Not trained yet, so absent: {', '.join(part['absent'])}."]
    return "\n".join(lines) + "\n"
