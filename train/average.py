"""The mean of the weights of runs that began at the same weights, in one checkpoint.

    python -m train.average runs/a/joint.pt runs/b/joint.last.pt --out runs/mean/joint.pt

Runs of one stage that share their start often lie around one minimum, and the middle of them holds
better for new photos than any of them. Nothing tells so beforehand: measure what comes out.

Source: Wortsman et al., “Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time”, ICML 2022.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from train.run import TrainingError, read_checkpoint, write_checkpoint

Weights = Mapping[str, Tensor]


def average(checkpoints: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """One checkpoint with the mean of each network of several, the configuration of the last.

    Whole numbers, as counters of batches, are the last one's. It carries no validation figures:
    nothing measured these weights yet.

    Args:
        checkpoints: of one stage, by the file that each came from, at least two.

    Raises:
        TrainingError: fewer than two, another stage, other networks or other sizes.
    """
    if len(checkpoints) < 2:
        raise TrainingError(f"expected at least 2 checkpoints, got {len(checkpoints)}")
    (first_path, first), *_, (_, last) = checkpoints.items()
    for path, checkpoint in checkpoints.items():
        if checkpoint["stage"] != first["stage"]:
            raise TrainingError(
                f"expected checkpoints of one stage, {first_path} is of {first['stage']} "
                f"and {path} of {checkpoint['stage']}"
            )
        if _shapes(checkpoint) != _shapes(first):
            raise TrainingError(f"the networks in {path} have other sizes than in {first_path}")
    means = {
        name: _mean([checkpoint[name] for checkpoint in checkpoints.values()])
        for name in _networks(last)
    }
    return {"stage": last["stage"], "config": last["config"], "metrics": {}, **means}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when the mean is written, 1 when the checkpoints cannot be averaged."""
    parser = argparse.ArgumentParser(
        prog="python -m train.average",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of one stage, two or more")
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint that is written")
    options = parser.parse_args(arguments)
    try:
        mean = average({path: read_checkpoint(path) for path in options.checkpoints})
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(options.out, mean)
    except TrainingError as error:
        print(f"train.average: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"train.average: {error.filename or options.out}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"wrote {options.out}, the mean of {len(options.checkpoints)}; measure it")
    return 0


def _networks(checkpoint: Mapping[str, Any]) -> list[str]:
    """Which members are the weights of a network, rather than settings or an optimiser's memory."""
    return [
        name
        for name, value in checkpoint.items()
        if isinstance(value, dict) and value and all(map(torch.is_tensor, value.values()))
    ]


def _shapes(checkpoint: Mapping[str, Any]) -> dict[str, dict[str, torch.Size]]:
    return {
        name: {key: value.shape for key, value in checkpoint[name].items()}
        for name in _networks(checkpoint)
    }


def _mean(weights: Sequence[Weights]) -> dict[str, Tensor]:
    return {
        key: torch.stack([some[key] for some in weights]).mean(0)
        if value.is_floating_point()
        else value
        for key, value in weights[-1].items()
    }


if __name__ == "__main__":
    sys.exit(main())
