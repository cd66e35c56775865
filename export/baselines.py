"""`python -m export.baselines RUN models/NAME`: a trained baseline as a model folder.

Graphs are compared with torch on real photos, at batches of 1, 3 and 8 and on three grids. Exit
codes: 0 written, 1 refused or differing, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import onnxruntime

from export.baseline_graphs import SOURCES, TracedGraph, traced_graphs
from export.checkpoints import CheckpointError, read_checkpoint
from export.graphs import OPSET, checksum, trace
from export.model_folder import in_place_of
from export.parity import (
    BATCHES,
    EXAMPLES,
    ParityError,
    case_difference,
    parity_note,
    read_gray_grids,
)
from huefield import lab
from huefield.baseline_info import (
    GRAPHS,
    BaselineInfo,
    Method,
    is_baseline,
)
from huefield.model_info import MODEL_FILE, LabScaling, info_json
from train.config import ConfigError, config_from_dict
from train.networks import STRIDE

_STAGES = {method: (method,) for method in GRAPHS} | {"vae_mdn": ("vae_mdn", "vae_mdn_prior")}


def trained_methods(run: Path) -> list[str]:
    """The methods whose checkpoints a run has, in the order of the table."""
    return [
        method
        for method, stages in _STAGES.items()
        if all((run / f"{stage}.pt").exists() for stage in stages)
    ]


def export_baseline(
    run: Path, target: Path, photos: Path, method: str | None = None, description: str = ""
) -> BaselineInfo:
    """What `model.json` of the new folder says; written all or nothing, beside what was there.

    Args:
        run: folder with the method's checkpoints.
        target: the model folder; its name is the model's name.
        photos: folder or zip of real photos that ONNX and torch are compared on.
        method: which one, where the run has several.
        description: one sentence for people.

    Raises:
        CheckpointError: the run has not finished that method, or it is not said which of several.
        ParityError: ONNX and torch differ.
        FileExistsError: the target is something else than a baseline's folder.
    """
    method = _chosen(run, method)
    if target.exists() and not is_baseline(target) and any(target.iterdir()):
        raise FileExistsError(f"{target} is there and is no baseline; it is left as it is")
    checkpoints = {stage: read_checkpoint(run / f"{stage}.pt") for stage in _STAGES[method]}
    try:
        config = config_from_dict(checkpoints[_STAGES[method][-1]]["config"])
        made = traced_graphs(method, config, checkpoints)
    except (ConfigError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{run}: its {method} does not fit its configuration: {error}"
        ) from error
    with in_place_of(target) as folder:
        parity = {graph.graph.file: _write(graph, folder, photos) for graph in made.graphs}
        info = BaselineInfo(
            name=target.name,
            method=cast("Method", method),
            source=SOURCES[method],
            grid_area=4096,
            multiple=STRIDE,
            lab=LabScaling(lab.L_CENTER, lab.L_SCALE, lab.AB_SCALE),
            opset=OPSET,
            sha256={file: checksum(folder / file) for file in parity},
            noise=made.noise,
            numbers=made.numbers,
            description=description,
            training=_training(method, checkpoints),
            parity=parity_note(parity),
            metrics={stage: dict(c.get("metrics", {})) for stage, c in checkpoints.items()},
        )
        (folder / MODEL_FILE).write_text(info_json(info), encoding="utf-8")
    return info


def _chosen(run: Path, method: str | None) -> str:
    """The method to export, checked against what the run has."""
    found = trained_methods(run)
    if method is not None and method not in found:
        wanted = " and ".join(f"{stage}.pt" for stage in _STAGES[method])
        raise CheckpointError(f"{run}: expected {wanted}; train {method} first")
    if method is None and len(found) != 1:
        there = ", ".join(found) or "none"
        raise CheckpointError(f"{run}: expected one trained method, found {there}; use --method")
    return method or found[0]


def _training(method: str, checkpoints: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What decided each stage: its own section, the data and the seed."""
    kept = ("seed", "bfloat16", "data", *_STAGES[method])
    each = {
        stage: {"step": c.get("step")} | {key: c["config"][key] for key in kept}
        for stage, c in checkpoints.items()
    }
    plain: dict[str, Any] = json.loads(json.dumps(each))
    return plain


def _write(traced: TracedGraph, folder: Path, photos: Path) -> float:
    """Writes one graph and gives its largest difference from torch, over all cases."""
    path = trace(traced.module, traced.graph, folder, traced.inputs(2, 64, 48), traced.dynamic)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for (height, width), gray in read_gray_grids(photos, max(BATCHES)).items():
        for batch in BATCHES:
            arrays = [t.numpy() for t in traced.inputs(batch, height, width)]
            if traced.graph.inputs[0] == "gray":
                arrays[0] = gray[:batch]
            place = f"{traced.graph.file} at batch {batch} on the {height} x {width} grid"
            difference = case_difference(traced.module, traced.graph, session, arrays, place)
            worst = max(worst, difference)
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.baselines", description="Write a trained baseline as a model folder."
    )
    parser.add_argument("run", type=Path, help="folder with the method's checkpoints")
    parser.add_argument("model", type=Path, help="model folder to write, such as models/cgan")
    parser.add_argument("--method", choices=sorted(GRAPHS), help="where the run has several")
    parser.add_argument(
        "--photos", type=Path, default=EXAMPLES, help="folder or zip of photos to compare on"
    )
    parser.add_argument("--description", default="", help="one sentence for people")
    options = parser.parse_args(arguments)
    try:
        info = export_baseline(
            options.run, options.model, options.photos, options.method, options.description
        )
    except (CheckpointError, ParityError, OSError) as error:
        print(f"export.baselines: {error}", file=sys.stderr)
        return 1
    worst = max(info.parity["error"].values())
    size = sum(path.stat().st_size for path in options.model.iterdir()) / 1e6
    print(f"{options.model}: {info.title}, {size:.1f} MB, largest difference {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
