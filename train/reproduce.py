"""The paper's results in one command: trains what is missing, measures all, writes pages.

    python -m train.reproduce --preset quick --data-root DATA --out docs/results

Runs are kept under --runs, so that a second call goes on where the first stopped. `quick` shows
that the line works, on few photos and a quarter of a minute a method, in 41 minutes on two cores;
`medium` gives each method two minutes of one core on each set, about five core hours in all;
`full` an hour, about a day and a half. Under --out: README.md, and a page with its JSON for each
part.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from export.checkpoints import CheckpointError
from export.parity import ParityError
from huefield.model_info import ModelError
from huefield.networks import MissingGpuError, default_models_root
from train.config import ConfigError, load_config
from train.data import DataError
from train.evaluation.photos import EvaluationError
from train.progress import progress_bar
from train.reproduction import readme
from train.reproduction.effort import FULL, MEDIUM, PRESETS, QUICK, Places, Task, write_text
from train.reproduction.index import counted, write_index
from train.reproduction.inputs import InputError, check_inputs
from train.reproduction.parts import PARTS
from train.reproduction.sets import SETS
from train.reproduction.trained import STAGES
from train.run import TrainingError

EFFORTS = {"quick": QUICK, "medium": MEDIUM, "full": FULL}


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m train.reproduce",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--preset", choices=sorted(EFFORTS), required=True)
    add("--data-root", type=Path, required=True, help="folder of the photo sets' zips")
    add("--out", type=Path, default=Path("docs/results"), help="where the pages are written")
    add("--runs", type=Path, help="where runs are kept (default: runs/reproduce-PRESET[-MINUTES])")
    add("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), help="all by default")
    add("--minutes", type=float, help="of one core, for each training, in place of the preset's")
    add(
        "--config",
        type=Path,
        default=PRESETS / "baselines.toml",
        help="TOML preset with the earlier methods' sizes and the photos of all",
    )
    add(
        "--presets",
        type=Path,
        default=PRESETS,
        help="folder of TOML presets with our sizes, one named after each set, and zhang.toml",
    )
    add("--models", type=Path, default=default_models_root(), help="folder of our models")
    add("--sets", nargs="+", choices=sorted(SETS), default=list(SETS))
    add("--methods", nargs="+", choices=sorted(STAGES), default=list(STAGES))
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.minutes is not None and not 0 < options.minutes < float("inf"):
        parser.error(f"argument --minutes: expected a number above 0, got {options.minutes}")
    if options.runs is None:
        minutes = "" if options.minutes is None else f"-{options.minutes:g}"
        options.runs = Path("runs") / f"reproduce-{options.preset}{minutes}"
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when all is written, 1 when something is missing, 130 on an interrupt."""
    options = parse_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        _reproduce(options)
    except (
        CheckpointError,
        ConfigError,
        DataError,
        EvaluationError,
        InputError,
        MissingGpuError,
        ModelError,
        ParityError,
        TrainingError,
    ) as error:
        print(f"train.reproduce: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        place = error.filename or f"{options.runs} or {options.out}"
        hint = "; make room, the same command goes on" if error.errno == errno.ENOSPC else ""
        print(f"train.reproduce: {place}: {error.strerror}{hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


def _reproduce(options: argparse.Namespace) -> None:
    effort = EFFORTS[options.preset]
    if options.minutes is not None:
        effort = dataclasses.replace(effort, minutes=options.minutes)
    task = Task(
        preset=options.preset,
        effort=effort,
        places=Places(options.data_root, options.models, options.runs, options.out),
        sets=tuple(options.sets),
        methods=tuple(options.methods),
        config=load_config(options.config),
        seed=options.seed,
        done=lambda row: None,
        presets=options.presets,
    )
    check_inputs(task)
    about = {
        "preset": options.preset,
        "minutes": effort.minutes,
        "limit": effort.limit,
        "seed": options.seed,
    }
    parts = [name for name in PARTS if name in options.parts]
    total = sum(PARTS[name].rows(task) for name in parts)
    with progress_bar(total, "results", "row") as bar:

        def done(row: str) -> None:
            bar.write(f"{row}: done")
            bar.update()

        for name in parts:
            part, path = PARTS[name], options.out / f"{name}.json"
            with counted(name, options.runs, path):
                results = {"part": name, **about, **part.make(dataclasses.replace(task, done=done))}
                write_text(path, json.dumps(results, indent=2, allow_nan=False) + "\n")
                write_text(path.with_suffix(".md"), part.markdown(results))
            write_index(options.out, options.runs, list(PARTS))
    if options.out.resolve() == readme.RESULTS:
        readme.fill(readme.README, readme.RESULTS)
    print(f"wrote {options.out / 'README.md'}")


if __name__ == "__main__":
    sys.exit(main())
