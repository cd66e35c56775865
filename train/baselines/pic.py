"""PIC: colours drawn pixel by pixel from an autoregressive network, given a gray embedding.

    python -m train.baselines.pic --config train/configs/baselines.toml --data ... --out RUN

Kept: an embedding of the gray picture; a PixelCNN++-style network of a vertical and a horizontal
stack of gated layers, conditioned on it in every layer; a mixture of 10 discretised logistics over
(a, b) at each pixel, b's mean depending on a; colours at a quarter of the grid, enlarged
bilinearly; drawing in order, with what the network made of earlier pixels kept. Smaller: 64
channels and 6 layers at one scale in place of PixelCNN++'s 160 channels at three, no dropout; the
embedding is 3 convolutions and 7 residual blocks.

Each layer is written once: training pads a whole picture, drawing hands over the row before and
the pixel before. `huefield.pic` draws, by these modules or by their ONNX graphs.

Source: Royer, Kolesnikov, Lampert, "Probabilistic Image Colorization", BMVC 2017; Salimans et al.,
"PixelCNN++", ICLR 2017.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from huefield import pic
from train.arguments import Stage, run_stage
from train.baselines.sampling import SHEET_PHOTOS, SHEET_SAMPLES
from train.baselines.settings import PicConfig
from train.batches import Batch, Batches
from train.config import Config
from train.layers import Block, norm
from train.loop import fit
from train.run import Run
from train.sheet import write_sheet

SCALE = 4  # cells of the grid along each side of one of its pixels
_HALF = 0.5 / pic.LEVELS


class Embedding(nn.Module):
    """What the gray picture shows, at a quarter of the grid."""

    def __init__(self, config: PicConfig) -> None:
        super().__init__()
        c2, c4 = config.widths
        dilations = (1, 2, 4)
        self.body = nn.Sequential(
            nn.Conv2d(1, c2, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(c2, c2, 3, stride=2, padding=1),
            Block(c2),
            nn.Conv2d(c2, c4, 3, stride=2, padding=1),
            *(Block(c4, dilations[k % len(dilations)]) for k in range(config.blocks)),
            norm(c4),
            nn.SiLU(),
        )

    def forward(self, gray: Tensor) -> Tensor:
        """Returns the embedding (N, E, h / 4, w / 4) of gray (N, 1, h, w)."""
        embedding: Tensor = self.body(gray)
        return embedding


class Network(nn.Module):
    """Colours so far to the mixture at each pixel."""

    def __init__(self, config: PicConfig) -> None:
        super().__init__()
        c, places = config.width, config.widths[-1]
        layers = range(config.layers)
        self.layers = config.layers
        self.vertical_in = nn.Conv2d(3, c, (2, 3))
        self.horizontal_in = nn.Conv2d(3, c, (1, 2))
        self.join_in = nn.Conv2d(c, c, 1)
        self.vertical = nn.ModuleList(nn.Conv2d(c, 2 * c, (2, 3)) for _ in layers)
        self.horizontal = nn.ModuleList(nn.Conv2d(c, 2 * c, (1, 2)) for _ in layers)
        self.join = nn.ModuleList(nn.Conv2d(c, 2 * c, 1) for _ in layers)
        self.vertical_place = nn.ModuleList(nn.Conv2d(places, 2 * c, 1) for _ in layers)
        self.horizontal_place = nn.ModuleList(nn.Conv2d(places, 2 * c, 1) for _ in layers)
        self.head = nn.Conv2d(c, pic.NUM_OF_EACH * config.num_logistics, 1)
        with torch.no_grad():  # training starts from broad logistics around gray
            self.head.weight.mul_(0.1)
            groups = cast(Tensor, self.head.bias).chunk(pic.NUM_OF_EACH)
            for means in groups[1:3]:
                means.copy_(torch.linspace(-0.2, 0.2, config.num_logistics))
            for log_scales in groups[3:5]:
                log_scales.fill_(-2.5)

    def forward(self, colours: Tensor, embedding: Tensor) -> Tensor:
        """Returns the mixture's numbers (N, 6 M, h, w), float32: those of a pixel see none after.

        Args:
            colours: (N, 2, h, w), ab / 128 in whole units.
            embedding: (N, E, h, w).
        """
        height, width = colours.shape[2:]
        inside = torch.ones_like(colours[:, :1])
        canvas = functional.pad(torch.cat([colours, inside], dim=1), (2, 0, 2, 0))
        v = self.vertical_in(functional.pad(canvas[:, :, : height + 1, 2:], (1, 1)))
        h = self.start_row(canvas[:, :, 2:, : width + 1], v)
        for number in range(self.layers):
            v = self.next_vertical(number, functional.pad(v, (1, 1, 1, 0)), embedding)
            h = self.next_horizontal(number, functional.pad(h, (1, 0)), v, embedding)
        return self.mixture(h)

    def start_row(self, left: Tensor, v: Tensor) -> Tensor:
        """Returns the horizontal stack's input from two pixels to the left and the rows above."""
        started: Tensor = self.horizontal_in(left) + self.join_in(v)
        return started

    def next_vertical(self, number: int, v: Tensor, embedding: Tensor) -> Tensor:
        """Returns the vertical stack after a layer; v with a row above and a column each side."""
        change = self.vertical[number](functional.silu(v)) + self.vertical_place[number](embedding)
        return v[:, :, 1:, 1:-1] + _gated(change)

    def next_horizontal(self, number: int, h: Tensor, v: Tensor, embedding: Tensor) -> Tensor:
        """Returns the horizontal stack after a layer; h with a column to the left."""
        change = self.horizontal[number](functional.silu(h)) + self.join[number](v)
        change = change + self.horizontal_place[number](embedding)
        return h[..., 1:] + _gated(change)

    def mixture(self, h: Tensor) -> Tensor:
        """Returns the mixture's numbers."""
        numbers: Tensor = self.head(functional.silu(h))
        return numbers.float()


def _gated(change: Tensor) -> Tensor:
    value, gate = change.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(gate)


class RowStep(nn.Module):
    """What the rows above say of a row; see `huefield.pic.StepFunctions`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, above: Tensor, cache: Tensor, embedding: Tensor) -> Tensor:
        """Returns the vertical stack's layers (n, K + 1, C, w)."""
        network, place = self.network, embedding[:, :, None]  # (n, E, 1, w)
        v = network.vertical_in(functional.pad(above, (1, 1)))  # (n, C, 1, w)
        made = [v]
        for number in range(network.layers):
            rows = torch.cat([cache[:, number, :, None], v], dim=2)  # (n, C, 2, w)
            v = network.next_vertical(number, functional.pad(rows, (1, 1)), place)
            made.append(v)
        return torch.stack([v[:, :, 0] for v in made], dim=1)


class PixelStep(nn.Module):
    """The mixture of one pixel; see `huefield.pic.StepFunctions`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, left: Tensor, vertical: Tensor, embedding: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the mixture's numbers (n, 6 M) and the new cache (n, K, C)."""
        network, place = self.network, embedding[:, :, None, None]
        h = network.start_row(left[:, :, None], vertical[:, 0, :, None, None])  # (n, C, 1, 1)
        made = []
        for number in range(network.layers):
            made.append(h[:, :, 0, 0])
            pair = torch.cat([cache[:, number, :, None, None], h], dim=3)  # (n, C, 1, 2)
            above = vertical[:, number + 1, :, None, None]
            h = network.next_horizontal(number, pair, above, place)
        return network.mixture(h)[:, :, 0, 0], torch.stack(made, dim=1)


def whole_units(ab: Tensor) -> Tensor:
    """Returns colours (N, 2, h / 4, w / 4), ab / 128 in whole units, of ab (N, 2, h, w)."""
    small = functional.avg_pool2d(ab.float(), SCALE)
    return ((small * pic.LEVELS).round() / pic.LEVELS).clamp(pic.LOWEST, pic.HIGHEST)


def log_likelihood(colours: Tensor, parameters: Tensor) -> Tensor:
    """Returns the logarithm of each pixel's probability, (N, h, w).

    As `huefield.pic.log_likelihood`, which the tests hold it to.
    """
    shares, mean_a, mean_b, scale_a, scale_b, slope = parameters.chunk(pic.NUM_OF_EACH, dim=1)
    a, b = colours[:, :1], colours[:, 1:]
    each = _log_level(a, mean_a, scale_a)
    each = each + _log_level(b, mean_b + torch.tanh(slope) * a, scale_b)
    return torch.logsumexp(functional.log_softmax(shares, dim=1) + each, dim=1)


def _log_level(value: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Logarithm of a logistic's probability of one level; the outermost take the tails."""
    inverse = (-log_scale.clamp_min(pic.LOG_SCALE_FLOOR)).exp()
    upper = functional.logsigmoid((value - mean + _HALF) * inverse)
    beyond = functional.logsigmoid(-(value - mean - _HALF) * inverse)
    inside = upper + beyond + (-torch.expm1(-2.0 * _HALF * inverse)).log()
    tails = torch.where(value <= pic.LOWEST + _HALF, upper, beyond)
    outside = (value <= pic.LOWEST + _HALF) | (value >= pic.HIGHEST - _HALF)
    return torch.where(outside, tails, inside)


class PicLoss(nn.Module):
    """Negative log-likelihood of true colours."""

    def __init__(self, embedding: Embedding, network: Network) -> None:
        super().__init__()
        self.embedding, self.network = embedding, network

    def forward(self, run: Run, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the loss in nats for each number of the field."""
        colours = whole_units(batch.ab)
        with run.autocast():
            parameters = self.network(colours, self.embedding(batch.gray))
        return -log_likelihood(colours, parameters).mean() / 2.0, {}


def draw_fields(
    embedding: Embedding, network: Network, gray: Tensor, seed: int
) -> tuple[Tensor, Tensor]:
    """Returns a sample of each photo (N, 2, h / 4, w / 4) and the mixtures that it came from."""
    row, pixel = RowStep(network), PixelStep(network)

    def run_row(*arrays: pic.Floats) -> pic.Floats:
        made: Tensor = row(*(torch.from_numpy(a).to(gray.device) for a in arrays))
        return made.cpu().numpy()

    def run_pixel(*arrays: pic.Floats) -> tuple[pic.Floats, pic.Floats]:
        numbers, cache = pixel(*(torch.from_numpy(a).to(gray.device) for a in arrays))
        return numbers.cpu().numpy(), cache.cpu().numpy()

    with torch.no_grad():
        places = embedding(gray).float().cpu().numpy()
        shape = (len(gray), *places.shape[2:], 3)
        uniform = np.random.default_rng(seed).uniform(1e-12, 1.0 - 1e-12, shape)
        channels = network.join_in.out_channels
        steps = pic.StepFunctions(run_row, run_pixel, network.layers, channels)
        colours, parameters = pic.draw_colours(steps, places, uniform)
    return torch.from_numpy(colours), torch.from_numpy(parameters)


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains embedding and network and returns the best validation figures."""
    phase = config.pic
    embedding, network = run.place(Embedding(phase)), run.place(Network(phase))
    loss = PicLoss(embedding, network)

    def arguments(step: int, num_steps: int) -> tuple[Any, ...]:
        batch = batches.train(step, phase.batch_size, part=run.part(phase.batch_size))
        return run, batch.to(run.device)

    def validate() -> dict[str, float]:
        total, count = 0.0, 0
        for batch in (b.to(run.device) for b in batches.validation(32)):
            total += float(loss(run, batch)[0]) * len(batch.gray)
            count += len(batch.gray)
        return {"val_nats": total / count, "score": total / count}

    def draw(path: Path) -> None:
        batch = next(batches.validation(SHEET_PHOTOS)).to(run.device)
        size = batch.ab.shape[2:]
        columns = [
            functional.interpolate(
                draw_fields(embedding, network, batch.gray, k)[0], size=size, mode="bilinear"
            )
            for k in range(SHEET_SAMPLES)
        ]
        write_sheet(path, batch.gray, [batch.ab, *columns])

    return fit(
        run,
        phase,
        loss,
        {"embedding": embedding, "network": network},
        num_photos=len(batches),
        arguments=arguments,
        validate=validate,
        draw=draw,
    )


STAGES = (Stage("pic", train),)

if __name__ == "__main__":
    raise SystemExit(run_stage(STAGES))
