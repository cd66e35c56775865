"""The layers that the four networks are made of. Called by `networks`."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP = 16  # channels that are normalised together


def norm(channels: int) -> nn.GroupNorm:
    """Returns a normalisation over groups of 16 channels."""
    return nn.GroupNorm(max(1, channels // GROUP), channels)


class Block(nn.Module):
    """Residual block: norm, SiLU, 3 x 3 convolution, twice; the second starts at zero."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm1 = norm(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.norm2 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Returns x + f(x), (N, C, h, w)."""
        y = self.conv1(functional.silu(self.norm1(x)))
        out: Tensor = x + self.conv2(functional.silu(self.norm2(y)))
        return out


class Modulation(nn.Module):
    """Feature-wise scale and shift of a map by the latent map (N, Z', h, w)."""

    def __init__(self, latent_channels: int, channels: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(latent_channels, 2 * channels, 1)
        nn.init.normal_(self.proj.weight, std=0.05)
        nn.init.zeros_(cast(Tensor, self.proj.bias))

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Returns x * (1 + scale) + shift."""
        if latent.shape[2:] != x.shape[2:]:
            latent = functional.interpolate(
                latent, size=x.shape[2:], mode="bilinear", align_corners=False
            )
        scale, shift = self.proj(latent).chunk(2, dim=1)
        out: Tensor = x * (1.0 + scale) + shift
        return out


def positions(like: Tensor) -> Tensor:
    """Returns the row and the column of each cell (2, h, w), float32, of a map (N, C, h, w)."""
    height, width = like.shape[2:]
    rows = torch.arange(height, device=like.device, dtype=torch.float32)
    columns = torch.arange(width, device=like.device, dtype=torch.float32)
    return torch.stack(
        [rows.reshape(-1, 1).expand(height, width), columns.reshape(1, -1).expand(height, width)]
    )


def upsample_to(x: Tensor, like: Tensor) -> Tensor:
    """Returns x (N, C, ...) at the height and width of `like`, bilinear."""
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def pool(x: Tensor, side: int) -> Tensor:
    """Returns x (N, C, h, w) at side x side cells; at h = w = 2 * side this is the 2 x 2 mean."""
    return functional.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
