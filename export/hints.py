"""`python -m export.hints RUN models/NAME`: a hints network for a model that is there already.

It stands alone, so one that learned from many photos can serve every model. Exit codes: 0 written,
1 refused or differing, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from export.checkpoints import HINTS_STAGE, CheckpointError, load_hints, read_checkpoint
from export.graphs import HINTS, checksum, export_graph
from export.model_folder import in_place_of
from export.parity import BATCHES, EXAMPLES, ParityError, largest_difference, read_gray_grids
from export.traceable import TraceableHints
from huefield.model_info import MODEL_FILE, ModelError, info_json, read_model_info


def add_hints(run: Path, target: Path, photos: Path) -> float:
    """The largest difference between ONNX and torch; the model folder has the network then.

    What the folder had stays as it was when anything fails.

    Args:
        run: folder with hints.pt.
        target: a model folder.
        photos: folder or zip of real photos that ONNX and torch are compared on.

    Raises:
        CheckpointError: the run has no such checkpoint, or one of other sizes.
        ModelError: the target is no model folder.
        ParityError: ONNX and torch differ.
    """
    info = read_model_info(target)
    checkpoint = read_checkpoint(run / f"{HINTS_STAGE}.pt")
    module = TraceableHints(load_hints(run))
    grids = read_gray_grids(photos, max(BATCHES))
    with in_place_of(target) as folder:
        shutil.copytree(target, folder, dirs_exist_ok=True)
        path = export_graph(module, HINTS, folder, 1)
        worst = largest_difference(module, HINTS, path, grids)
        metrics = json.loads(json.dumps(checkpoint.get("metrics", {})))
        new = replace(
            info,
            sha256={**info.sha256, HINTS.file: checksum(path)},
            training={**info.training, HINTS_STAGE: checkpoint["config"]},
            parity={**info.parity, "error": {**info.parity.get("error", {}), HINTS.file: worst}},
            metrics={**info.metrics, HINTS_STAGE: metrics},
        )
        (folder / MODEL_FILE).write_text(info_json(new), encoding="utf-8")
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.hints", description="Give a model folder a hints network."
    )
    parser.add_argument("run", type=Path, help="folder with hints.pt")
    parser.add_argument("model", type=Path, help="model folder, such as models/photos")
    parser.add_argument("--photos", type=Path, default=EXAMPLES, help="photos to compare on")
    options = parser.parse_args(arguments)
    try:
        worst = add_hints(options.run, options.model, options.photos)
    except (CheckpointError, ModelError, ParityError, OSError) as error:
        print(f"export.hints: {error}", file=sys.stderr)
        return 1
    size = (options.model / HINTS.file).stat().st_size / 1e6
    print(f"{options.model / HINTS.file}: {size:.1f} MB, largest difference from torch {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
