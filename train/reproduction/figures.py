"""The paper's Figures 1 and 5 to 8, made anew; a part of `train.reproduce`.

Figures 1 and 5, what each method makes of a photo, are one sheet a set; `explained` has Figures 6
to 8, which look into our model.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, Figures 1 and 5 to 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from train.evaluation.photos import SquarePhoto
from train.reproduction import explained
from train.reproduction.effort import Task
from train.reproduction.sets import SETS
from train.reproduction.sheet import Line, write_sheet
from train.reproduction.shown import Sampler, drawn, gray_of, open_samplers, sampled, shown_photos

NUM_SAMPLES = 5
TITLES = {
    "figure1": "Figures 1 and 5: samples of each method",
    "figure6": "Figure 6: edits and how they spread",
    "figure7": "Figure 7: before and after the G-CRF",
    "figure8": "Figure 8: what three pixels look at",
}
AWAY = (
    "Pictures of research sets stay out of the repository, see their licences: they are there once "
    "the command has drawn them."
)
CAPTIONS = {
    "figure1": "Each block is a photo, each line a method, ours last; samples are shown as they "
    "come. Look for samples that differ in more than a tint, and for things that have one colour "
    "throughout.",
    "figure6": "Two strokes (1, 2) give the photo's own colours where sample 1 is furthest from "
    "them. Look at how far beyond the strokes colours change, and whether they keep to the thing "
    "that was painted. Row of S: what the painted pixel looks at. Reach: its column of the edits' "
    "inverse precision, what a stroke there changes. Each map is scaled to its own largest value, "
    "its square root shown.",
    "figure7": "Three samples of each photo. Look for uneven colours and halos that the unary has "
    "and the result has not; the heat maps, the distance of both in ab, say where to look.",
    "figure8": "Three pixels, each typical of one of three clusters of the embedding, and for each "
    "its row of S: what it takes its colour from. Look whether rows keep to their surface. The "
    "last column shows the embedding's three principal components as red, green and blue: what is "
    "alike there is alike for the G-CRF. Each map is scaled to its own largest value, its square "
    "root shown.",
}


def make(task: Task) -> dict[str, Any]:
    """Draws every figure of every set.

    Returns:
        By set and figure its "files", "photos", the "source" that these are of, and what else the
        figure says: the "methods" shown and those "absent", for example.

    Raises:
        DataError: a photo set is missing.
        EvaluationError: a set has no photo with colour.
        ModelError: a model folder is missing or broken.
    """
    sets: dict[str, Any] = {}
    for name in task.sets:
        sets[name] = {}
        for figure, draw in _FIGURES.items():
            sets[name][figure] = draw(task, name)
            task.done(f"{name}: {figure}")
    return {"seed": task.seed, "sets": sets}


def rows(task: Task) -> int:
    """How many figures there are."""
    return len(task.sets) * len(_FIGURES)


def markdown(results: Mapping[str, Any]) -> str:
    """The figures with a caption each, a part for each figure."""
    lines = ["# Figures 1 and 5 to 8", "", f"Photos and samples by seed {results['seed']}. {AWAY}"]
    for figure, title in TITLES.items():
        lines += ["", f"## {title}", "", CAPTIONS[figure]]
        for name, part in results["sets"].items():
            about = part[figure]
            said = f"**{name}**: {len(about['photos'])} photos of {about['source']}."
            if about["absent"]:
                said += f" Not there: {', '.join(about['absent'])}."
            lines += ["", said, "", *(f"![{title}, {name}]({file})" for file in about["files"])]
    return "\n".join(lines) + "\n"


def _samples(task: Task, name: str) -> dict[str, Any]:
    """Figures 1 and 5 of a set."""
    source = SETS[name].test_source(task.places.data)
    squares = shown_photos(source, task.effort.num_shown, task.seed)
    samplers, absent = open_samplers(task, name)
    about = {
        "source": source.name,
        "photos": [square.name for square in squares],
        "methods": [title for sampler in samplers for title in sampler.titles.values()],
        "absent": absent,
    }
    content = about | {
        "samples": NUM_SAMPLES,
        "seed": task.seed,
        "identities": [dict(sampler.identity) for sampler in samplers],
    }
    file = f"figure1-{name}.jpg"
    draw = partial(_draw_samples, task, file, squares, samplers)
    return about | drawn(task, f"figure1-{name}", content, draw)


def _draw_samples(
    task: Task, file: str, squares: Sequence[SquarePhoto], samplers: Sequence[Sampler]
) -> dict[str, Any]:
    blocks = []
    for square in squares:
        gray = gray_of(square)
        blocks.append(
            [
                Line(title, (gray, *pictures, square.rgb))
                for title, pictures in sampled(samplers, square, NUM_SAMPLES, task.seed).items()
            ]
        )
    heads = ["grey", *(f"sample {k + 1}" for k in range(NUM_SAMPLES)), "truth"]
    write_sheet(task.places.out / file, heads, blocks)
    return {"files": [file]}


_FIGURES: Mapping[str, Callable[[Task, str], dict[str, Any]]] = {
    "figure1": _samples,
    "figure6": explained.edits_figure,
    "figure7": explained.unary_figure,
    "figure8": explained.hoc_figure,
}
