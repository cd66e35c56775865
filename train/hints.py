"""The hints network, trained to finish a photo of which a few points or strokes are known.

    python -m train.hints --config train/configs/photos.toml --data PHOTOS.zip --out runs/photos

It may follow the three stages of the paper; an exported model without it follows strokes by the
G-CRF alone.

Source: Zhang et al., SIGGRAPH 2017, section 3.2, for the drawing of points; the loss is the log of
each photo's squared error, which is its PSNR.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from huefield import lab
from train.arguments import Stage, run_stage
from train.batches import Batch, Batches
from train.config import Config, HintsConfig, PhaseConfig
from train.hints_network import BACKBONE_BLOCKS, Hints
from train.loop import fit
from train.run import Run
from train.sheet import write_sheet

PATCH = 1.75  # cells: 7 of 256 pixels on a grid of 64
POINT_COUNTS = (10, 50, 100)
Floats = npt.NDArray[np.float32]


class HintsLoss(nn.Module):
    """Log of the squared error, each photo alone.

    Args:
        hints: (gray, hints) to colours.
    """

    def __init__(self, hints: nn.Module) -> None:
        super().__init__()
        self.hints = hints

    def forward(self, run: Run, batch: Batch, shown: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss and its figures; shown is (N, 3, h, w)."""
        with run.autocast():
            colours = self.hints(batch.gray, shown).float()
        squared = (colours - batch.ab).square().mean((1, 2, 3))  # (N,)
        figures = {"rms": squared.mean().sqrt() * lab.AB_SCALE}
        return self.value(colours, batch.ab), figures

    def value(self, colours: Tensor, truth: Tensor) -> Tensor:
        """Returns the loss of colours (N, 2, h, w), ab / 128."""
        squared = (colours - truth).square().mean((1, 2, 3))  # (N,)
        return (squared + 1e-5).log().mean()


def show_points(
    rng: np.random.Generator, ab: Floats, number: int, patch: float | Floats = PATCH
) -> Floats:
    """Returns hints (3, h, w) at random places of a photo's colours ab (2, h, w), / 128.

    Each is a square that shows its mean colour. As in the test, places are drawn from N(centre,
    side / 4) and clipped.

    Args:
        rng: draws the places.
        ab: the colours.
        number: how many points.
        patch: side of their squares in cells, one for all or (number,).
    """
    sides = np.array(ab.shape[1:])
    size = np.broadcast_to(np.asarray(patch, float), (number,))[:, None]  # (k, 1)
    places = (sides - 1) / 2 + rng.standard_normal((number, 2)) * sides / 4
    starts = np.clip(places, 0, sides - size)
    reach = int(np.ceil(size.max(initial=1.0))) + 1  # cells that a square can touch on a line
    first = np.minimum(starts.astype(int), sides - reach)  # (k, 2)
    # Overlap of [start, start + size) with each of these cells, along both axes.
    edges = first[:, :, None] + np.arange(reach)
    ends = (starts + size)[:, :, None]
    share = np.minimum(edges + 1, ends) - np.maximum(edges, starts[:, :, None])
    share = np.clip(share, 0.0, 1.0)
    weights = share[:, 0, :, None] * share[:, 1, None, :]  # (k, reach, reach)
    rows = edges[:, 0, :, None] + np.zeros((1, 1, reach), int)
    columns = edges[:, 1, None, :] + np.zeros((1, reach, 1), int)
    means = (ab[:, rows, columns] * weights).sum((2, 3)) / weights.sum((1, 2))  # (2, k)
    hints = np.zeros((3, *ab.shape[1:]), np.float32)
    filled = weights > 0
    hints[:2, rows[filled], columns[filled]] = np.broadcast_to(
        means[:, :, None, None], (2, *weights.shape)
    )[:, filled]
    np.maximum.at(hints[2], (rows, columns), weights)
    return hints


def show_strokes(rng: np.random.Generator, ab: Floats, number: int) -> Floats:
    """Returns hints (3, h, w) of straight strokes, each of its own mean colour."""
    height, width = ab.shape[1:]
    rows, columns = np.mgrid[:height, :width] + 0.5
    hints = np.zeros((3, height, width), np.float32)
    for _ in range(number):
        start = rng.random(2) * (height, width)
        angle, length = rng.random() * 2 * np.pi, rng.uniform(1.0, 16.0)
        along = np.array([np.sin(angle), np.cos(angle)])
        place = np.clip((rows - start[0]) * along[0] + (columns - start[1]) * along[1], 0, length)
        distance = np.hypot(
            rows - start[0] - place * along[0], columns - start[1] - place * along[1]
        )
        covered = distance < max(0.75, rng.uniform(0.5, 2.5))
        if covered.any():
            hints[:2, covered] = ab[:, covered].mean(1)[:, None]
            hints[2, covered] = 1.0
    return hints


def draw_hints(rng: np.random.Generator, ab: Floats, phase: HintsConfig) -> Floats:
    """Returns the hints (N, 3, h, w) of a batch of colours (N, 2, h, w)."""
    shown = np.zeros((len(ab), 3, *ab.shape[2:]), np.float32)
    for k, colours in enumerate(ab):
        kind = rng.random()
        if kind < phase.none_share:
            continue
        if kind < phase.none_share + phase.stroke_share:
            shown[k] = show_strokes(rng, colours, int(rng.integers(1, 6)))
        else:
            number = int(np.exp(rng.uniform(0.0, np.log(phase.max_points + 1))))
            shown[k] = show_points(rng, colours, number)
    return shown


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the network and returns the best validation figures."""
    phase = config.hints
    hints = run.place(Hints(config.networks))
    if hints.backbone is not None:
        decoder = run.load("vae.pt")["decoder"]
        prefix = "gray.backbone."
        own = {name for name, _ in hints.backbone.named_parameters()}
        hints.backbone.load_state_dict({name: decoder[prefix + name] for name in own})
        hints.backbone.freeze(min(phase.frozen_blocks, BACKBONE_BLOCKS))
    return fit_hints(
        run,
        phase,
        HintsLoss(hints),
        "hints",
        batches,
        lambda rng, ab: draw_hints(rng, ab, phase),
    )


def fit_hints(
    run: Run,
    phase: PhaseConfig,
    loss: HintsLoss,
    name: str,
    batches: Batches,
    show: Callable[[np.random.Generator, Floats], Floats],
) -> dict[str, float]:
    """Trains a network that takes hints and returns the best validation figures.

    Args:
        run: where it happens.
        phase: epochs, batch size, rate.
        loss: holds the network.
        name: of the network in a checkpoint.
        batches: the photos.
        show: draws the hints (N, 3, h, w) of colours (N, 2, h, w).
    """
    hints, seed = loss.hints, run.config.seed

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        part = run.part(phase.batch_size)
        half = step / num_steps < phase.half_until
        batch = batches.train(step, phase.batch_size, half=half, part=part)
        # A generator for each photo: one process or many draw the same hints.
        drawn = [
            show(np.random.default_rng([seed, 11, step, number]), ab[None])
            for number, ab in enumerate(batch.ab.numpy(), start=part.start)
        ]
        shown = torch.from_numpy(np.concatenate(drawn))
        shown = shown.to(run.device).contiguous(memory_format=torch.channels_last)
        return run, batch.to(run.device), shown

    def validate() -> dict[str, float]:
        figures = {f"val_psnr_{number}": 0.0 for number in POINT_COUNTS}
        count = 0
        for batch in batches.validation(32, grid=(64, 64), limit=256):
            for number in POINT_COUNTS:
                shown = np.stack(
                    [
                        show_points(np.random.default_rng([seed, count + k, number]), ab, number)
                        for k, ab in enumerate(batch.ab.numpy())
                    ]
                )
                placed = batch.to(run.device)
                with run.autocast():
                    colours = hints(placed.gray, torch.from_numpy(shown).to(run.device)).float()
                error = (_rgb(batch.gray, colours.cpu()) - _rgb(batch.gray, batch.ab)) ** 2
                psnr = -10.0 * np.log10(error.mean((1, 2, 3)) + 1e-12)
                figures[f"val_psnr_{number}"] += float(psnr.sum())
            count += len(batch.gray)
        figures = {name: value / count for name, value in figures.items()}
        return figures | {"score": -sum(figures.values()) / len(figures)}

    def draw(path: Path) -> None:
        batch = next(batches.validation(8, grid=(64, 64)))
        columns = [batch.ab]
        for number in (0, 10, 50):
            shown = torch.from_numpy(
                np.stack(
                    [
                        show_points(np.random.default_rng([seed, k]), ab, number)
                        for k, ab in enumerate(batch.ab.numpy())
                    ]
                )
            )
            colours = hints(batch.gray.to(run.device), shown.to(run.device)).float().cpu()
            columns += [shown[:, :2], colours]
        write_sheet(path, batch.gray, columns)

    return fit(
        run,
        phase,
        loss,
        {name: hints},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
    )


def _rgb(gray: Tensor, ab: Tensor) -> Floats:
    """Returns sRGB (N, h, w, 3) in 0..1 of gray (N, 1, h, w) and ab (N, 2, h, w), / 128."""
    lightness = gray * lab.L_SCALE + lab.L_CENTER
    pixels = torch.cat([lightness, ab * lab.AB_SCALE], dim=1).permute(0, 2, 3, 1)
    return lab.lab_to_rgb(pixels.numpy())


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("hints", train)]))
