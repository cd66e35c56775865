"""The command line that all stages share: `--config F --data DIR_OR_ZIP... --out RUN [--resume]`."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.config import Config, ConfigError, load_config
from train.data import Batches, DataError, open_cache
from train.loop import Run, TrainingError


@dataclass(frozen=True)
class Stage:
    """A stage's name and the function that trains it."""

    name: str
    train: Callable[[Run, Config, Batches], dict[str, float]]


def run_stage(stages: Sequence[Stage], argv: Sequence[str] | None = None) -> int:
    """Returns the exit code of running stages in a row: 0 done, 1 cannot go on, 2 usage, 130 interrupted."""
    parser = argparse.ArgumentParser(description=f"Train {', '.join(s.name for s in stages)}.")
    parser.add_argument(
        "--config", type=Path, required=True, help="TOML preset, e.g. train/configs/photos.toml"
    )
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="folders and zips of photos"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--cache", type=Path, help="where decoded photos are kept (default: OUT/../cache)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoints")
    parser.add_argument(
        "--start-from", type=Path, metavar="RUN", help="begin with the weights of another run"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        config = load_config(options.config)
        cache = open_cache(options.data, config.data, options.cache or options.out.parent / "cache")
        print(f"{len(cache)} photos; skipped {cache.skipped}", flush=True)
        if config.data.names:
            networks = dataclasses.replace(config.networks, num_classes=cache.num_classes)
            config = dataclasses.replace(config, networks=networks)
        batches = Batches(cache, config.data, config.seed)
        for stage in stages:
            started = time.monotonic()
            run = Run(
                options.out,
                stage.name,
                config,
                resume=options.resume,
                start_from=options.start_from,
            )
            best = stage.train(run, config, batches)
            minutes = (time.monotonic() - started) / 60
            print(
                f"{stage.name}: {minutes:.1f} minutes, best "
                + ", ".join(f"{k} {v:.4g}" for k, v in best.items())
            )
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    return 0
