"""What the diverse baselines share while they train: noise, and how good and varied samples are.

Called by the modules of the methods. All are judged by the same figure, the paper's error-of-best:
the mean absolute error of the best of eight samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from huefield.baseline_info import NoiseSettings
from train.batches import Batches
from train.run import Run
from train.sheet import write_sheet

NUM_SAMPLES = 8
NUM_PHOTOS = 64
SHEET_PHOTOS, SHEET_SAMPLES = 10, 6

Sampler = Callable[[Tensor, int], Tensor]
"""Colours (N, 2, h, w), ab / 128, of gray (N, 1, h, w): sample number k of each photo."""


def num_noise(settings: Mapping[str, NoiseSettings], height: int, width: int) -> int:
    """Returns how many random numbers one sample takes on a grid."""
    return sum(math.prod(noise.shape(height, width)) for noise in settings.values())


def part_noise(
    settings: Mapping[str, NoiseSettings], normal: Tensor, height: int, width: int
) -> list[Tensor]:
    """Returns the random inputs of a generator, in order, from standard normal numbers.

    Args:
        settings: what inputs it has.
        normal: (N, `num_noise`).
        height: of the grid.
        width: of the grid.
    """
    inputs, start = [], 0
    for noise in settings.values():
        shape = noise.shape(height, width)
        values = normal[:, start : start + math.prod(shape)].reshape(-1, *shape)
        if noise.kind == "uniform":
            values = 0.5 * (1.0 + torch.erf(values / math.sqrt(2.0)))
        inputs.append(values)
        start += math.prod(shape)
    return inputs


def seeded_noise(settings: Mapping[str, NoiseSettings], gray: Tensor, number: int) -> list[Tensor]:
    """Returns the random inputs of sample `number` of each photo, the same each time."""
    height, width = gray.shape[2:]
    generator = torch.Generator().manual_seed(number)
    normal = torch.randn(len(gray), num_noise(settings, height, width), generator=generator)
    return part_noise(settings, normal.to(gray.device), height, width)


def sample_figures(sample: Sampler, batches: Batches, run: Run) -> dict[str, float]:
    """Returns the error-of-best of eight samples of validation photos, as the score, and more.

    "val_variance" is the variance over samples (ab / 128), "val_first_mae" the error of the first.
    """
    best, first, spread, count = 0.0, 0.0, 0.0, 0
    for batch in (b.to(run.device) for b in batches.validation(16, limit=NUM_PHOTOS)):
        with run.autocast():
            fields = [sample(batch.gray, k).float() for k in range(NUM_SAMPLES)]
        stacked = torch.stack(fields)  # (samples, N, 2, h, w)
        errors = (stacked - batch.ab).abs().mean((2, 3, 4))
        best += float(errors.min(dim=0).values.sum())
        first += float(errors[0].sum())
        spread += float(stacked.var(dim=0).mean((1, 2, 3)).sum())
        count += len(batch.gray)
    figures = {"val_best_mae": best / count, "val_first_mae": first / count}
    return figures | {"val_variance": spread / count, "score": best / count}


def draw_samples(path: Path, sample: Sampler, batches: Batches, run: Run) -> None:
    """Writes a sheet: gray, truth and six samples of some validation photos."""
    batch = next(batches.validation(SHEET_PHOTOS)).to(run.device)
    columns = [sample(batch.gray, k) for k in range(SHEET_SAMPLES)]
    write_sheet(path, batch.gray, [batch.ab, *columns])
