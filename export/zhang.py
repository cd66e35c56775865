"""`python -m export.zhang RUN FOLDER`: the trained local hints network as ONNX, numbers compared.

Writes FOLDER/zhang.onnx and FOLDER/zhang.json, which `train.baselines.zhang_onnx` runs. Exit
codes: 0 written, 1 refused or differing, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from export.checkpoints import CheckpointError, read_checkpoint
from export.graphs import HINTS, OPSET, checksum, export_graph
from export.parity import (
    BATCHES,
    EXAMPLES,
    TOLERANCE,
    ParityError,
    largest_difference,
    read_gray_grids,
)
from export.traceable import TraceableLocalHints
from train.baselines.zhang import LocalHints
from train.baselines.zhang_onnx import GRAPH_FILE, INFO_FILE
from train.config import ConfigError, config_from_dict

GRAPH = replace(HINTS, file=GRAPH_FILE)


def export_zhang(run: Path, folder: Path, photos: Path) -> float:
    """The largest difference between ONNX and torch; the files are written once it is small.

    Args:
        run: Folder with zhang.pt.
        folder: Where the two files go; made where it is missing.
        photos: Folder or zip of real photos that ONNX and torch are compared on.

    Raises:
        CheckpointError: The run has no such checkpoint, or one of other sizes.
        ParityError: ONNX and torch differ.
    """
    checkpoint = read_checkpoint(run / "zhang.pt")
    try:
        network = LocalHints(config_from_dict(checkpoint["config"]).zhang)
        network.load_state_dict(checkpoint["zhang"])
    except (ConfigError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"{run / 'zhang.pt'}: does not fit this network: {error}") from error
    module = TraceableLocalHints(network.eval().requires_grad_(False))
    grids = read_gray_grids(photos, max(BATCHES))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".zhang-", dir=folder) as temporary:
        path = export_graph(module, GRAPH, Path(temporary), 1)
        worst = largest_difference(module, GRAPH, path, grids)
        info = {
            "source": "Zhang et al., SIGGRAPH 2017",
            "sha256": checksum(path),
            "opset": OPSET,
            "parity": {"tolerance": TOLERANCE, "error": worst},
            "training": checkpoint["config"],
            "step": checkpoint.get("step"),
            "metrics": dict(checkpoint.get("metrics", {})),
        }
        about = Path(temporary) / INFO_FILE
        about.write_text(json.dumps(info, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        path.replace(folder / GRAPH_FILE)
        about.replace(folder / INFO_FILE)
    return worst


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m export.zhang", description="Write the local hints network as ONNX."
    )
    parser.add_argument("run", type=Path, help="folder with zhang.pt")
    parser.add_argument("folder", type=Path, help="folder to write, such as runs/zhang/onnx")
    parser.add_argument("--photos", type=Path, default=EXAMPLES, help="photos to compare on")
    options = parser.parse_args(arguments)
    try:
        worst = export_zhang(options.run, options.folder, options.photos)
    except (CheckpointError, ParityError, OSError) as error:
        print(f"export.zhang: {error}", file=sys.stderr)
        return 1
    size = (options.folder / GRAPH_FILE).stat().st_size / 1e6
    print(f"{options.folder}: {size:.1f} MB, largest difference from torch {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
