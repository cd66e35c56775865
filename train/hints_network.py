"""The hints network: colours of a photo from its gray picture and a few colours that are known.

`hints` trains it, `export` traces it; serving adds the change that a person's strokes make to it
before the G-CRF makes the strokes exact.

Source: the local hints network of Zhang et al., “Real-Time User-Guided Image Colorization with
Learned Deep Priors”, SIGGRAPH 2017, made small; a departure from Messaoud et al., who have no such
network.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.backbone import TAPS, Backbone
from train.layers import Block, norm, upsample_to
from train.networks import NetworkConfig

BACKBONE_BLOCKS = 11  # the coarsest features are left out
NUM_SCALES = 5
HINT_CHANNELS = 3  # a and b where they are known, and how much of the cell is


class Hints(nn.Module):
    """A U-shaped network that sees the hints at every scale, averaged over what is known there."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = config.hints_widths
        self.backbone = Backbone(BACKBONE_BLOCKS) if config.backbone else None
        self.stem = nn.Conv2d(1 + HINT_CHANNELS, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(before + HINT_CHANNELS, after, 3, stride=2, padding=1)
            for before, after in pairwise(widths)
        )
        known = list(zip(TAPS.values(), widths[:4], strict=False)) if config.backbone else []
        self.known = nn.ModuleList(nn.Conv2d(theirs, ours, 1) for theirs, ours in known)
        self.shown = nn.ModuleList(nn.Conv2d(HINT_CHANNELS, width, 1) for width in widths)
        self.encode = nn.ModuleList(Block(width) for width in widths)
        self.context = nn.Linear(widths[-1], widths[-1])
        self.up = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in pairwise(widths))
        self.merge = nn.ModuleList(Block(width) for width in widths[:-1])
        self.norm = norm(widths[0])
        self.head = nn.Conv2d(widths[0], 2, 3, padding=1)

    def forward(self, gray: Tensor, hints: Tensor) -> Tensor:
        """Returns the colours (N, 2, h, w), ab / 128.

        Args:
            gray: (N, 1, h, w), (L - 50) / 50.
            hints: (N, 3, h, w): a and b, / 128, where they are known, else 0; and the share of the
                cell that is known, 0 to 1.
        """
        return self.colour(gray, hints, self.know(gray))

    def know(self, gray: Tensor) -> list[Tensor]:
        """Returns the backbone's features of gray (N, 1, h, w); none where there is no backbone."""
        return self.backbone(gray) if self.backbone is not None else []

    def colour(self, gray: Tensor, hints: Tensor, known: list[Tensor]) -> Tensor:
        """Returns the colours from the backbone's features, so that many hints share them."""
        levels = hint_pyramid(hints)
        features: list[Tensor] = []
        for scale in range(NUM_SCALES):
            if scale == 0:
                x = self.stem(torch.cat([gray, hints], dim=1))
            else:
                shown = levels[scale - 1]
                x = self.down[scale - 1](torch.cat([features[-1], shown], dim=1))
            x = x + upsample_to(self.shown[scale](levels[scale]), x)
            if scale < len(known):
                x = x + upsample_to(self.known[scale](known[scale]), x)
            features.append(self.encode[scale](x))
        y = features[-1]
        y = y + self.context(functional.silu(y.mean((2, 3))))[:, :, None, None]
        for scale in reversed(range(NUM_SCALES - 1)):
            y = upsample_to(self.up[scale](y), features[scale]) + features[scale]
            y = self.merge[scale](y)
        colours: Tensor = self.head(functional.silu(self.norm(y)))
        return colours


def hint_pyramid(hints: Tensor) -> list[Tensor]:
    """Returns the hints at 1, 1/2, ... 1/16 of the grid: mean known colour, share that is known.

    The share at a coarse scale is multiplied by the cells under it and cut at 1: what counts there
    is whether anything is known.

    Args:
        hints: (N, 3, h, w).
    """
    weight = hints[:, 2:]
    total = hints[:, :2] * weight
    levels = [hints]
    for scale in range(1, NUM_SCALES):
        total = functional.avg_pool2d(total, 2, ceil_mode=True)
        weight = functional.avg_pool2d(weight, 2, ceil_mode=True)
        share = (weight * float(4**scale)).clamp(max=1.0)
        levels.append(torch.cat([total / weight.clamp_min(1e-6), share], dim=1))
    return levels
