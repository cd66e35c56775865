"""The paper's Table 2 in one command: trains what is missing, measures all, writes the results.

    python -m train.reproduce --preset quick --data-root DATA --out docs/results

Runs are kept under --runs, so that a second call goes on where the first stopped. `quick` takes
about 25 minutes on two cores and shows that the line works; `full` takes about 18 core hours (5
methods, 3 sets, an hour each, and the measurements) and gives each method the same time.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from export.checkpoints import CheckpointError
from export.parity import ParityError
from huefield.model_info import ModelError, read_model_info
from huefield.networks import default_models_root
from train.config import ConfigError, load_config
from train.data import DataError
from train.evaluation.photos import EvaluationError
from train.progress import progress_bar
from train.reproduction import table2
from train.reproduction.effort import FULL, QUICK, Places, write_text
from train.reproduction.sets import SETS
from train.run import TrainingError

EFFORTS = {"quick": QUICK, "full": FULL}
CONFIG = Path(__file__).parent / "configs" / "baselines.toml"


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
    add("--out", type=Path, default=Path("docs/results"), help="where the table is written")
    add("--runs", type=Path, help="where runs are kept (default: runs/reproduce-PRESET)")
    add("--config", type=Path, default=CONFIG, help="TOML preset with the methods' sizes")
    add("--models", type=Path, default=default_models_root(), help="folder of our models")
    add("--sets", nargs="+", choices=sorted(SETS), default=list(SETS))
    add("--methods", nargs="+", choices=sorted(table2.STAGES), default=list(table2.STAGES))
    add("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.runs is None:
        options.runs = Path("runs") / f"reproduce-{options.preset}"
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when the table is written, 1 when something is missing, 130 on an interrupt."""
    options = parse_arguments(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        _reproduce(options)
    except (
        CheckpointError,
        ConfigError,
        DataError,
        EvaluationError,
        ModelError,
        ParityError,
        TrainingError,
    ) as error:
        print(f"train.reproduce: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"train.reproduce: {error.filename or options.out}: {error.strerror}", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


def _reproduce(options: argparse.Namespace) -> None:
    effort = EFFORTS[options.preset]
    preset = load_config(options.config)
    places = Places(options.data_root, options.models, options.runs, options.out)
    for name in options.sets:  # what is missing is said before hours are spent
        for source in SETS[name].sources(options.data_root):
            if not source.exists():
                raise DataError(f"expected the photo set {source}; name its folder by --data-root")
        SETS[name].test_source(options.data_root).members()
        read_model_info(options.models / name)
    options.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, object] = {
        "table": 2,
        "preset": options.preset,
        "minutes": effort.minutes,
        "limit": effort.limit,
        "seed": options.seed,
    }
    sets: dict[str, object] = {}
    steps = len(options.sets) * (len(options.methods) + 1)
    with progress_bar(steps, "table 2", "row") as bar:

        def done(row: str) -> None:
            bar.write(f"{row}: done")
            bar.update()

        for name in options.sets:
            sets[name] = table2.table_rows(
                SETS[name], options.methods, preset, effort, places, options.seed, done
            )
    results["sets"] = sets
    for file, text in {
        "table2.json": json.dumps(results, indent=2, allow_nan=False) + "\n",
        "table2.md": table2.markdown(results),
    }.items():
        write_text(options.out / file, text)
    print(f"wrote {options.out / 'table2.md'}")


if __name__ == "__main__":
    sys.exit(main())
