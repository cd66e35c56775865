"""The command line that all stages share.

python -m train.STAGE --config F --data DIR_OR_ZIP... --out RUN [--resume]
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.backbone import WeightsError
from train.batches import Batches
from train.config import Config, ConfigError, load_config
from train.data import DataError, open_cache
from train.loop import finished
from train.run import Run, TrainingError, first_alone, is_first, processes


@dataclass(frozen=True)
class Stage:
    """A stage's name and the function that trains it."""

    name: str
    train: Callable[[Run, Config, Batches], dict[str, float]]


def run_stage(stages: Sequence[Stage], argv: Sequence[str] | None = None) -> int:
    """Returns the exit code of running stages in a row.

    0 done, 1 cannot go on, 2 the preset or the photos cannot be used, 130 interrupted.
    """
    options = _parse(stages, argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        with processes():
            train_stages(
                stages,
                load_config(options.config),
                options.data,
                options.out,
                cache_root=options.cache,
                resume=options.resume,
                start_from=options.start_from,
            )
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (TrainingError, WeightsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or options.out}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    return 0


def _parse(stages: Sequence[Stage], argv: Sequence[str] | None) -> argparse.Namespace:
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
    return parser.parse_args(argv)


def train_stages(
    stages: Sequence[Stage],
    config: Config,
    sources: Sequence[Path],
    out: Path,
    *,
    cache_root: Path | None = None,
    resume: bool = False,
    start_from: Path | None = None,
) -> None:
    """Trains stages in a row; those that are finished are left as they are where `resume` is set.

    Args:
        stages: in their order.
        config: the run's settings.
        sources: folders and zips of photos.
        out: the run's folder.
        cache_root: where decoded photos are kept, by default beside the run.
        resume: go on from the last checkpoints.
        start_from: another run's folder, with whose weights the stages begin.

    Raises:
        DataError: the photos cannot be used.
        TrainingError: the run cannot go on.
    """
    for path in [start_from / f"{stage.name}.pt" for stage in stages] if start_from else []:
        if not path.exists():
            raise TrainingError(f"expected {path} to start from; name stages that RUN has")
    root = cache_root or out.parent / "cache"
    cache = first_alone(lambda: open_cache(sources, config.data, root))
    if is_first():
        print(f"{len(cache)} photos; skipped {cache.skipped}", flush=True)
    if config.data.names:
        networks = dataclasses.replace(config.networks, num_classes=cache.num_classes)
        config = dataclasses.replace(config, networks=networks)
    batches = Batches(cache, config.data, config.seed)
    for stage in stages:
        started = time.monotonic()
        run = Run(out, stage.name, config, resume=resume, start_from=start_from)
        best = finished(run, getattr(config, stage.name), len(batches))
        took = "done before"
        if best is None:
            best = stage.train(run, config, batches)
            took = f"{(time.monotonic() - started) / 60:.1f} minutes"
        if is_first():
            figures = ", ".join(f"{k} {v:.4g}" for k, v in best.items())
            print(f"{stage.name}: {took}, best {figures}", flush=True)
