"""Ablations: what each choice in the method is worth, on the exported models as shipped.

Called by `train.reproduce`. Every row departs from the shipped setting in one thing and is compared
with it on the same photos, codes and points: samples before edits (`ablations_samples`), revealed
points (`ablations_points`), samples under edits (`ablations_edits`) and, where a set's VAE is
shipped, the reveal schedule in training (`ablations_schedule`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from huefield.model_info import read_model_info
from huefield.networks import Networks, load_model
from train.evaluation.model import ModelFunctions
from train.evaluation.photos import SquarePhoto, read_squares
from train.evaluation.samples import SIDE
from train.reproduction import (
    ablations_edits,
    ablations_points,
    ablations_samples,
    ablations_schedule,
)
from train.reproduction.effort import Task, kept
from train.reproduction.paired import compared, table
from train.reproduction.sets import SETS

Values = dict[str, list[float]]

TITLES = {
    "samples": "Samples, N = 8",
    "points": "Revealed points",
    "edits": "Five true colours as edits, N = 8",
    "schedule": "Reveal schedule in training",
}
FIGURES: Mapping[str, Mapping[str, str]] = {
    "samples": ablations_samples.FIGURES,
    "points": ablations_points.FIGURES,
    "edits": ablations_edits.FIGURES,
    "schedule": ablations_points.FIGURES,
}
OTHER_KERNEL = "The other kernel is tried on the same embedding, learned for the shipped one."
NOTES = {
    "samples": "The same codes in all rows but the last. β → 0 is the limit of ever smaller β, "
    f"the unary's mean colour everywhere. {OTHER_KERNEL}",
    "points": "D below the shipped: the embedding cut to its first principal components over the "
    f"photo's pixels, not trained so small. {OTHER_KERNEL} The grid of four times the cells takes "
    f"minutes a photo: one photo in {ablations_points.FINE_SHARE}, left out where there are fewer. "
    "Seconds are of all three numbers of points together.",
    "edits": "Measured on the working grid.",
    "schedule": "Trained in the paper's form, unary of a share of the pixels revealed, from the "
    "shipped VAE.",
}


def rows(task: Task) -> int:
    """How many rows `make` tells of."""
    count = 0
    for name in task.sets:
        info = read_model_info(task.places.models / name)
        count += len(ablations_samples.settings(info)) + len(ablations_edits.ROWS)
        count += len(ablations_points.settings(info, task.effort.num_ablation_photos))
        if ablations_schedule.start_of(task.places, name).exists():
            count += len(ablations_schedule.REVEAL)
    return count


def make(task: Task) -> dict[str, Any]:
    """All rows of all sets; what was measured before is taken from the runs."""
    return {
        "part": "ablations",
        "preset": task.preset,
        "seed": task.seed,
        "sets": {name: _SetAblations(task, name).make() for name in task.sets},
    }


class _SetAblations:
    """The ablations of one set."""

    def __init__(self, task: Task, name: str) -> None:
        self._task = task
        self._set = SETS[name]
        self._networks: Networks = load_model(task.places.models / name, "cpu")
        self._source = self._set.test_source(task.places.data)
        self._photos = self._read(ablations_points.SIDE)

    def make(self) -> dict[str, Any]:
        """Each part's comparison, None where it cannot be made."""
        found: dict[str, Any] = {"num_photos": len(self._photos), "test": self._source.name}
        found["samples"] = self._samples()
        found["points"] = self._points()
        found["edits"] = self._edits()
        found["schedule"] = None
        if ablations_schedule.start_of(self._task.places, self._set.name).exists():
            found["schedule"] = self._schedule()
        return found

    def _read(self, side: int) -> list[SquarePhoto]:
        count = self._task.effort.num_ablation_photos
        return read_squares(self._source, side, count=count, seed=self._task.seed)

    def _row(
        self, part: str, number: int, title: str, about: object, measure: Callable[[], Values]
    ) -> Values:
        """A row's values, kept by what they depend on."""
        content = {
            "photos": [photo.name for photo in self._photos],
            "seed": self._task.seed,
            "model": ModelFunctions(self._networks).identity,
            "row": about,
        }
        file = f"{part}-{number:02}.json"
        path = self._task.places.runs / self._set.name / "ablations" / file
        row = kept(path, content, lambda: {"title": title, "values": measure()})
        self._task.done(f"{self._set.name}: {title}")
        values: Values = row["values"]
        return values

    def _samples(self) -> dict[str, Any]:
        settings = ablations_samples.settings(self._networks.info)
        samples = ablations_samples.SetSamples(self._networks, self._read(SIDE), self._task.seed)
        values = {
            title: self._row(
                "samples", number, title, asdict(setting), partial(samples.measure, setting)
            )
            for number, (title, setting) in enumerate(settings.items())
        }
        return compared(values, next(iter(values)), seed=self._task.seed, truths=samples.truths())

    def _points(self) -> dict[str, Any]:
        info = self._networks.info
        settings = ablations_points.settings(info, self._task.effort.num_ablation_photos)
        values = {}
        for number, (title, setting) in enumerate(settings.items()):
            spread = ablations_points.spread_of(self._networks.embed, info, setting)
            photos = self._photos[: -(-len(self._photos) // setting.share)]
            measure = partial(ablations_points.measure_points, photos, spread, self._task.seed)
            values[title] = self._row("points", number, title, asdict(setting), measure)
        return compared(values, next(iter(values)), seed=self._task.seed)

    def _edits(self) -> dict[str, Any]:
        values = {
            row: self._row(
                "edits",
                number,
                row,
                [row, asdict(self._networks.info.gcrf)],
                partial(
                    ablations_edits.measure_row,
                    self._networks,
                    self._photos,
                    row,
                    self._task.seed,
                ),
            )
            for number, row in enumerate(ablations_edits.ROWS)
        }
        return compared(values, ablations_edits.CORRECTED, seed=self._task.seed)

    def _schedule(self) -> dict[str, Any]:
        values = {}
        info = self._networks.info
        setting = next(iter(ablations_points.settings(info, 0).values()))
        for number, row in enumerate(ablations_schedule.REVEAL):
            embed, steps = ablations_schedule.train_embedding(self._task, self._set, row)
            measure = partial(
                ablations_points.measure_points,
                self._photos,
                ablations_points.spread_of(embed, info, setting),
                self._task.seed,
            )
            title = f"{row}, {steps} steps"
            about = {"steps": steps, **asdict(setting)}
            values[title] = self._row("schedule", number, title, about, measure)
        return compared(values, next(iter(values)), seed=self._task.seed)


def markdown(results: Mapping[str, Any]) -> str:
    """The tables as text, four for each set."""
    lines = [
        "# Ablations",
        "",
        f"Preset `{results['preset']}`, seed {results['seed']}, the exported models as shipped. "
        "The first row of a table has its means with 95 % bootstrap intervals over photos; every "
        "other row differs from it in one thing and has, in brackets, its paired difference on the "
        "same photos with the interval of that.",
    ]
    for name, part in results["sets"].items():
        lines += ["", f"## {name} ({part['num_photos']} photos of {part['test']})"]
        for key, title in TITLES.items():
            lines += ["", f"### {title}", ""]
            if part[key] is None:
                lines.append(f"Left out: no `vae.pt` of {name} is shipped to start from.")
            else:
                lines += [NOTES[key], "", *table(part[key], FIGURES[key])]
    return "\n".join(lines) + "\n"
