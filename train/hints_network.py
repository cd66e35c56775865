"""The hints network: colours of a photo from its gray picture and a few colours that are known.

`hints` trains it, `export` traces it; serving adds the change that a person's strokes make to it
before the G-CRF makes the strokes exact.

Source: the local hints network of Zhang et al., “Real-Time User-Guided Image Colorization with
Learned Deep Priors”, SIGGRAPH 2017, made small; a departure from Messaoud et al., who have no such
network.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.backbone import TAPS, Backbone
from train.layers import Block, norm, positions, upsample_to
from train.networks import NetworkConfig

BACKBONE_BLOCKS = 11  # the coarsest features are left out
NUM_SCALES = 5
HINT_CHANNELS = 3  # a and b where they are known, and how much of the cell is
LOOK_WIDTH = 32  # channels by which cells are compared
LOOK_SIZE = 16  # rows of each embedding, without the gray value and the position
LOOK_BLOCK = 4  # cells along each side that are recalled as one
# Scales at the start, one for each look: of L / 50, and of positions in cells.
LOOK_GRAY = (4.0, 4.0, 6.0, 8.0)
LOOK_PLACE = (0.3, 0.15, 0.1, 0.06)
NUM_LOOKS = len(LOOK_GRAY)


class Recall(nn.Module):
    """Known colours of cells that look alike, for every cell, in several ways of looking.

    Attention as the paper's S has it, the softmax of negative squared distances between embeddings,
    but over the known cells alone. These are gathered in squares of `LOOK_BLOCK` cells, so that
    memory grows with a sixteenth of the products. One key more stands for "none of them" and shows
    no colour.
    """

    def __init__(self, known: list[int]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, LOOK_WIDTH, 3, padding=1)
        self.known = nn.ModuleList(nn.Conv2d(theirs, LOOK_WIDTH, 1) for theirs in known)
        self.block = Block(LOOK_WIDTH)
        self.norm = norm(LOOK_WIDTH)
        self.head = nn.Conv2d(LOOK_WIDTH, NUM_LOOKS * LOOK_SIZE, 1)
        self.gray_scale = nn.Parameter(torch.tensor(LOOK_GRAY))
        self.place_scale = nn.Parameter(torch.tensor(LOOK_PLACE))
        self.none = nn.Parameter(torch.full((NUM_LOOKS,), -8.0))

    def look(self, gray: Tensor, known: list[Tensor]) -> Tensor:
        """Returns embeddings (N, looks * (size + 3), h, w) of gray and the features of it."""
        x = self.stem(gray)
        for layer, features in zip(self.known, known, strict=True):
            x = x + upsample_to(layer(features), x)
        learned = self.head(functional.silu(self.norm(self.block(x)))).float()
        n, _, height, width = gray.shape
        place = positions(gray)
        given = torch.cat(
            [
                self.gray_scale.reshape(1, -1, 1, 1, 1) * gray.float()[:, None],
                (self.place_scale.reshape(1, -1, 1, 1, 1) * place).expand(n, -1, -1, -1, -1),
            ],
            dim=2,
        )
        own = learned.reshape(n, NUM_LOOKS, LOOK_SIZE, height, width)
        return torch.cat([own, given], dim=2).flatten(1, 2)

    def forward(self, embedding: Tensor, hints: Tensor) -> tuple[Tensor, Tensor]:
        """Returns colours (N, looks, 2, h, w) and how surely they are recalled (N, looks, h, w).

        Args:
            embedding: (1 or N, looks * (size + 3), h, w), as `look` gives it.
            hints: (N, 3, h, w).
        """
        n, _, height, width = hints.shape
        hints = hints.float()
        share = hints[:, 2:]
        weight = functional.avg_pool2d(share, LOOK_BLOCK).clamp_min(1e-8)

        def gathered(values: Tensor) -> Tensor:
            return functional.avg_pool2d(values * share, LOOK_BLOCK) / weight

        keys = gathered(embedding).reshape(n, NUM_LOOKS, -1, weight[0].numel())  # (N, looks, E, K)
        asking = embedding.reshape(embedding.shape[0], NUM_LOOKS, keys.shape[2], height * width)
        asking = asking.expand(n, -1, -1, -1)
        # -|q - k|^2 + log weight as one product; "none" is as far from every cell.
        bias = weight.flatten(1).log()[:, None, None] - keys.square().sum(2, keepdim=True)
        keys = torch.cat([2.0 * keys, bias, torch.ones_like(bias)], dim=2)
        none = torch.zeros_like(bias[..., :1]) + self.none.reshape(1, -1, 1, 1)
        none = functional.pad(none, (0, 0, keys.shape[2] - 2, 1))  # (N, looks, E, 1)
        far = -asking.square().sum(2, keepdim=True)
        asking = torch.cat([asking, torch.ones_like(far), far], dim=2)
        values = torch.cat([gathered(hints[:, :2]).flatten(2), torch.ones_like(bias[:, 0])], dim=1)
        values = functional.pad(values, (0, 1, 0, keys.shape[2] - 3))  # (N, E, K + 1)
        found = functional.scaled_dot_product_attention(
            asking.transpose(2, 3).contiguous(),
            torch.cat([keys, none], dim=3).transpose(2, 3).contiguous(),
            values.transpose(1, 2)[:, None].expand(-1, NUM_LOOKS, -1, -1).contiguous(),
            scale=1.0,
        )[..., :3]
        found = found.transpose(2, 3).reshape(n, NUM_LOOKS, 3, height, width)
        sure = found[:, :, 2]
        return found[:, :, :2] / (sure[:, :, None] + 1e-3), sure


class Hints(nn.Module):
    """A U-shaped network that sees the hints at every scale, averaged over what is known there.

    It also sees what `Recall` finds for each cell, and its colours are a mixture of that and of its
    own.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = config.hints_widths
        self.backbone = Backbone(BACKBONE_BLOCKS) if config.backbone else None
        self.recall = Recall(list(TAPS.values())[:4] if config.backbone else [])
        self.stem = nn.Conv2d(1 + HINT_CHANNELS + 3 * NUM_LOOKS, widths[0], 3, padding=1)
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
        self.head = nn.Conv2d(widths[0], 2 + NUM_LOOKS + 1, 3, padding=1)
        nn.init.zeros_(self.head.weight)  # at first the mean of what is recalled
        nn.init.zeros_(cast(Tensor, self.head.bias))

    def forward(self, gray: Tensor, hints: Tensor) -> Tensor:
        """Returns the colours (N, 2, h, w), ab / 128.

        Args:
            gray: (N, 1, h, w), (L - 50) / 50.
            hints: (N, 3, h, w): a and b, / 128, where they are known, else 0; and the share of the
                cell that is known, 0 to 1.
        """
        return self.colour(gray, hints, self.know(gray))

    def know(self, gray: Tensor) -> list[Tensor]:
        """Returns what gray (N, 1, h, w) tells whatever the hints.

        The backbone's features, where there is one, and the embeddings by which cells are recalled.
        """
        known = self.backbone(gray) if self.backbone is not None else []
        return [*known, self.recall.look(gray, known)]

    def colour(self, gray: Tensor, hints: Tensor, known: list[Tensor]) -> Tensor:
        """Returns the colours from what `know` gave, so that many hints share it."""
        *known, embedding = known
        recalled, sure = self.recall(embedding, hints)
        levels = hint_pyramid(hints)
        features: list[Tensor] = []
        for scale in range(NUM_SCALES):
            if scale == 0:
                x = torch.cat([gray, hints, recalled.flatten(1, 2), sure], dim=1)
                x = self.stem(x)
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
        own, shares = self.head(functional.silu(self.norm(y))).float().tensor_split([2], dim=1)
        shares = shares.softmax(1)[:, :-1, None]  # (N, looks, 1, h, w); the last is "own alone"
        colours: Tensor = own + (shares * recalled).sum(1)
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
