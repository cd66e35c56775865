"""`python -m export RUN models/NAME`: a trained run as a model folder, numbers compared.

Exit codes: 0 written, 1 refused or differing, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from export.checkpoints import CheckpointError
from export.model_folder import BetterModelError, Settings, export_model
from export.parity import EXAMPLES, ParityError
from huefield.gcrf import Weights
from huefield.model_info import GcrfSettings, ModelError


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    weights = Weights()
    parser = argparse.ArgumentParser(
        prog="python -m export", description="Write a trained run as a model folder."
    )
    add = parser.add_argument
    add("run", type=Path, help="folder with vae.pt, hoc.pt, mdn.pt and perhaps hints.pt")
    add("model", type=Path, help="model folder to write, such as models/photos")
    add("--force", action="store_true", help="replace a model that measures better")
    add("--photos", type=Path, default=EXAMPLES, help="folder or zip of photos to compare on")
    add("--description", default="", help="one sentence for people")
    add("--grid-area", type=int, default=4096, help="cells of the working grid")
    add("--beta", type=float, default=weights.beta, help="pull of a sample to its unary")
    add("--beta-prior", type=float, default=weights.beta_prior, help="pull of an edit to nothing")
    add("--beta-edit", type=float, default=weights.beta_edit, help="pull to a painted colour")
    add("--gamma", type=float, default=weights.gamma, help="pull of a tie")
    add("--chroma-gain", type=float, default=1.0, help="factor on the unary's chroma")
    add("--sigma", type=float, help="deviation that samples are drawn with (default: as trained)")
    add(
        "--hints-for-strokes",
        action="store_true",
        help="strokes change samples by what the hints network expects",
    )
    options = parser.parse_args(arguments)
    gcrf = GcrfSettings(options.beta, options.beta_prior, options.beta_edit, options.gamma)
    settings = Settings(
        options.description,
        options.grid_area,
        gcrf,
        options.chroma_gain,
        options.sigma,
        options.hints_for_strokes,
    )
    try:
        info = export_model(
            options.run, options.model, options.photos, settings, force=options.force
        )
    except (CheckpointError, ParityError, BetterModelError, ModelError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    worst = max(info.parity["error"].values())
    size = sum(path.stat().st_size for path in options.model.iterdir()) / 1e6
    print(f"{options.model}: {size:.1f} MB, largest difference from torch {worst:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
