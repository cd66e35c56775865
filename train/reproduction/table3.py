"""Table 3: how well a few true colours spread, ours beside the earlier methods, on each set.

A part of `train.reproduce`. Zhang's network is trained on the set's photos for the effort's time;
the other earlier methods learn nothing before. `train.evaluation.points` measures, `contenders`
has the rows. Each figure is kept as it is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huefield.model_info import HINTS_FILE, ModelInfo, read_model_info
from huefield.networks import load_model
from train.baselines.interactive import NAMES as EARLIER
from train.baselines.interactive import TITLES, ZHANG
from train.evaluation import contenders
from train.evaluation.model import ModelFunctions
from train.evaluation.photos import read_squares
from train.evaluation.points import PointsMethod, points_markdown, points_table
from train.reproduction.effort import Task
from train.reproduction.paper import margins_note
from train.reproduction.sets import SETS, PhotoSet
from train.reproduction.trained import train_zhang

OURS = ("paper", "plain")
HINTED = tuple(contenders.HINTED)


def rows(task: Task) -> int:
    """How many times `make` tells that a row is done."""
    models = task.places.models
    return sum(len(_names(read_model_info(models / name))) for name in task.sets)


def make(task: Task) -> dict[str, Any]:
    """Figures of each method on each set: {"sets": {set: photos, methods, margins}}.

    Beside them it writes the curve of each set, `table3-SET.png`.
    """
    return {"sets": {name: _set_rows(SETS[name], task) for name in task.sets}}


def _names(info: ModelInfo) -> list[str]:
    """The rows of a model, in their order."""
    hinted = HINTED if HINTS_FILE in info.graph_files else ()
    return [*contenders.BOUNDS, *EARLIER, *OURS, *hinted]


def _set_rows(photo_set: PhotoSet, task: Task) -> dict[str, Any]:
    """The set's part of the table."""
    effort, seed = task.effort, task.seed
    source = photo_set.points_source(task.places.data)
    squares = read_squares(source, contenders.SIDE, count=effort.num_points_photos, seed=seed)
    zhang, spent = train_zhang(photo_set, task)
    functions = ModelFunctions(load_model(task.places.models / photo_set.name, "cpu"))
    methods = contenders.contenders(
        _names(functions.networks.info),
        functions,
        contenders.POINTS,
        contenders.BETA_HINTS,
        zhang=zhang,
        seed=seed,
    )
    file = task.places.runs / photo_set.name / "table3.jsonl"

    def measured(chosen: list[PointsMethod]) -> Any:
        return points_table(squares, chosen, counts=effort.point_counts, seed=seed, kept=file)

    for method in methods:
        measured([method])
        task.done(f"{photo_set.name}: {method.name}")
    table = measured(methods)
    curve = f"table3-{photo_set.name}.png"
    table.write_curve(task.places.out / curve)
    return {
        "test": source.name,
        "curve": curve,
        "zhang": spent,
        **table.to_json(),
    }


def markdown(results: Mapping[str, Any]) -> str:
    """The table as text, a part for each set."""
    lines = [
        "# Table 3: revealed points",
        "",
        f"Preset `{results['preset']}`: {TITLES[ZHANG]} trained {results['minutes']:g} minutes of "
        "one core on each set; ours as shipped. 256 x 256 pixels, the same points for all methods, "
        f"seed {results['seed']}. Seconds are of one colouring.",
    ]
    for name, part in results["sets"].items():
        lines += [
            "",
            f"## {name} ({part['num_photos']} photos of {part['test']})",
            "",
            points_markdown(part),
            "",
            f"![PSNR over revealed points on {name}]({part['curve']})",
            "",
            f"{TITLES[ZHANG]} took {part['zhang']['train_minutes']:.1f} minutes of wall clock, "
            f"{part['zhang']['steps']:.0f} steps.",
        ]
    lines += ["", "## Beside the paper", "", margins_note()]
    return "\n".join(lines) + "\n"
