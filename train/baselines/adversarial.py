"""Training a generator against critics, in the one loop of all stages.

Called by `cgan`, `mln_gan` and `bicycle_gan`, which say what each side wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from huefield.baseline_info import NoiseSettings
from train.baselines.sampling import (
    Sampler,
    draw_samples,
    num_noise,
    part_noise,
    sample_figures,
)
from train.batches import Batches
from train.loop import fit
from train.phases import ScheduleConfig
from train.player import Rival
from train.run import Run

BETAS = (0.5, 0.999)  # of Adam, as pix2pix and BicycleGAN use it

Draws = Sequence[Sequence[Tensor]]
"""Random inputs of each move of the critic and, last, of the generator."""


def train_against(
    run: Run,
    phase: ScheduleConfig,
    batches: Batches,
    loss: nn.Module,
    rival: Rival,
    models: Mapping[str, nn.Module],
    noise: Mapping[str, NoiseSettings],
    sample: Sampler,
) -> dict[str, float]:
    """Trains generator and critic in turns; returns the best validation figures.

    Args:
        run: where it happens.
        phase: epochs, batch size, rate.
        batches: the photos.
        loss: forward(run, batch, draws) for the generator.
        rival: forward(run, batch, draws, move) for the critic. `draws` are the random inputs of
            each of its moves and, last, of the generator's.
        models: what a checkpoint holds.
        noise: the generator's random inputs.
        sample: colours by the present weights.
    """
    num_draws = rival.moves + 1

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        batch = batches.train(step, phase.batch_size, part=run.part(phase.batch_size))
        height, width = batch.gray.shape[2:]
        size = num_noise(noise, height, width)
        normal = run.noise(step, phase.batch_size, num_draws * size)
        draws = [part_noise(noise, part, height, width) for part in torch.split(normal, size, 1)]
        return run, batch.to(run.device), draws

    return fit(
        run,
        phase,
        loss,
        models,
        num_photos=len(batches),
        arguments=arguments,
        validate=lambda: sample_figures(sample, batches, run),
        draw=lambda path: draw_samples(path, sample, batches, run),
        rivals=[rival],
        betas=BETAS,
    )
