"""The local hints network: one pass from L and a few known colours to all colours.

    python -m train.baselines.zhang --config train/configs/zhang.toml --data PHOTOS.zip --out RUN

A baseline of the revealed-points suite; `export.zhang` makes ONNX of it, `zhang_onnx` runs that
without torch. Kept of the method: L, ab hints and their mask enter together at the first layer of
a U-shaped network with dilated convolutions at its bottom and shortcuts that are added; a tanh
bounds the output; the Huber loss; points whose number is geometric with p = 1/8, whose places are
normal about the centre and whose squares are 1 to 9 pixels of 256 wide and show their mean; one
photo in a hundred shows all its colours. Made smaller: ten blocks of convolutions become nine with
a quarter of the channels or less, on a 64 x 64 grid, with group in place of batch normalisation and
bilinear steps in place of transposed convolutions; nothing was learned before from ImageNet; the
mask is the share of a cell that is known. The classification branch, which the paper trains beside
for its palette, is left out.

Source: Zhang et al. 2017, "Real-Time User-Guided Image Colorization with Learned Deep Priors",
sections 3.1 to 3.3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from train.arguments import Stage, run_stage
from train.baselines.settings import ZhangConfig
from train.batches import Batches
from train.config import Config
from train.hints import HintsLoss, fit_hints, show_points
from train.layers import norm, upsample_to
from train.run import Run

PIXELS_A_CELL = 4  # the paper's squares are pixels of 256, the grid has 64 cells
LARGEST_PATCH = 9
Floats = npt.NDArray[np.float32]


def _convolutions(before: int, after: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Two 3 x 3 convolutions, each followed by ReLU, a normalisation at the end."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=stride, padding=dilation, dilation=dilation),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=dilation, dilation=dilation),
        nn.ReLU(),
        norm(after),
    )


class LocalHints(nn.Module):
    """(gray, hints) to colours."""

    def __init__(self, config: ZhangConfig) -> None:
        super().__init__()
        full, half, quarter, eighth = config.widths
        self.down = nn.ModuleList(
            [
                _convolutions(4, full),
                _convolutions(full, half, stride=2),
                _convolutions(half, quarter, stride=2),
                _convolutions(quarter, eighth, stride=2),
            ]
        )
        self.bottom = nn.Sequential(
            _convolutions(eighth, eighth, dilation=2), _convolutions(eighth, eighth, dilation=2)
        )
        pairs = ((eighth, quarter), (quarter, half), (half, full))
        self.widen = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.shortcut = nn.ModuleList(nn.Conv2d(b, b, 3, padding=1) for _, b in pairs)
        self.up = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU(), norm(b))
            for _, b in pairs
        )
        self.head = nn.Conv2d(full, 2, 1)
        nn.init.zeros_(self.head.weight)  # grey at first

    def forward(self, gray: Tensor, hints: Tensor) -> Tensor:
        """Returns the colours (N, 2, h, w), ab / 128.

        Args:
            gray: (N, 1, h, w), (L - 50) / 50.
            hints: (N, 3, h, w): a and b, / 128, where they are known, else 0; and the share of the
                cell that is known, 0 to 1.
        """
        x = torch.cat([gray, hints], dim=1)
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
        x = self.bottom(x)
        steps = zip(self.widen, self.shortcut, self.up, reversed(kept[:-1]), strict=True)
        for widen, shortcut, block, fine in steps:
            x = block(upsample_to(widen(x), fine) + shortcut(fine))
        colours: Tensor = torch.tanh(self.head(x))
        return colours


class HuberLoss(HintsLoss):
    """Huber's loss of a and b, mean over pixels, in units of its own bend."""

    def __init__(self, hints: LocalHints, delta: float) -> None:
        super().__init__(hints)
        self.delta = delta

    def value(self, colours: Tensor, truth: Tensor) -> Tensor:
        """Returns the loss of colours (N, 2, h, w), ab / 128.

        Source: Zhang et al. 2017, Eq. 2.
        """
        return functional.huber_loss(colours, truth, delta=self.delta) / self.delta**2


def draw_points(rng: np.random.Generator, ab: Floats, phase: ZhangConfig) -> Floats:
    """Returns the hints (N, 3, h, w) of a batch of colours (N, 2, h, w).

    Source: Zhang et al. 2017, section 3.2.
    """
    shown = np.ones((len(ab), 3, *ab.shape[2:]), np.float32)
    for k, colours in enumerate(ab):
        if rng.random() < phase.whole_share:
            shown[k, :2] = colours
            continue
        number = int(rng.geometric(phase.geometric)) - 1
        sides = rng.integers(1, LARGEST_PATCH + 1, size=number) / PIXELS_A_CELL
        shown[k] = show_points(rng, colours, number, sides.astype(np.float32))
    return shown


def train(run: Run, config: Config, batches: Batches) -> dict[str, float]:
    """Trains the network and returns the best validation figures."""
    phase = config.zhang
    network = run.place(LocalHints(phase))
    return fit_hints(
        run,
        phase,
        HuberLoss(network, phase.delta),
        "zhang",
        batches,
        lambda rng, ab: draw_points(rng, ab, phase),
    )


if __name__ == "__main__":
    raise SystemExit(run_stage([Stage("zhang", train)]))
