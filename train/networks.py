"""The four networks of the paper, fully convolutional: encoder, decoder, HOC, MDN.

The stages (`vae`, `hoc`, `mdn`) train them, `export` traces all but the encoder. Inputs are scaled
as in `huefield.lab`: gray = (L - 50) / 50, ab / 128. Every grid with sides that are multiples of 8
is accepted.

Source: Messaoud, Forsyth, Schwing, ECCV 2018, section 3 and the supplementary material. The paper
leaves the layers open; these are residual U-shaped networks, small enough for a CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.backbone import TAPS, Backbone
from train.layers import Block, Modulation, norm, pool, positions, upsample_to

STRIDE = 8  # sides of the grid are multiples of this
FINE = 16  # channels at the full grid
LOG_VARIANCE_RANGE = (-8.0, 4.0)
Features = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the networks.

    Attributes:
        widths: channels of the gray path at 1/2, 1/4, 1/8 and 1/16 of the grid.
        blocks: residual blocks at these four scales.
        backbone: "" builds the gray path from residual blocks alone, as the paper's is;
            "efficientnet-lite0" adds the features of a network that names ImageNet's photos.
        latent_channels: channels of z at each of its cells.
        latent_side: cells of z along each side. 1 is the paper's setting: one code broadcast over
            the grid.
        encoder_width: channels of the encoder at 1/2 of the grid; doubled at each of the next two
            scales.
        hoc_width: channels of the HOC network at full grid; grows by as much at each scale.
        embedding_size: D, rows of the embedding A, two of which are the position.
        kernel: "distance" or "inner" (the paper's).
        diagonal: whether S keeps its diagonal (the paper's does).
        position: whether the embedding carries the position (the paper's does not).
        hints_widths: channels of the hints network at 1, 1/2, 1/4, 1/8 and 1/16 of the grid.
        num_components: M, components of the mixture.
        mdn_width: hidden channels of the mixture head.
        num_classes: names to tell apart for the gray path's auxiliary loss; 0 for none.
    """

    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 2, 3)
    backbone: str = ""
    latent_channels: int = 4
    latent_side: int = 4
    encoder_width: int = 24
    hoc_width: int = 32
    embedding_size: int = 32
    kernel: str = "distance"
    diagonal: bool = True
    position: bool = True
    hints_widths: tuple[int, ...] = (24, 48, 80, 128, 160)
    num_components: int = 8
    mdn_width: int = 256
    num_classes: int = 0

    @property
    def latent_size(self) -> int:
        """Numbers in one z."""
        return self.latent_channels * self.latent_side**2


class GrayPath(nn.Module):
    """What the gray picture shows, at five scales."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        c2, c4, c8, c16 = config.widths
        n2, n4, n8, n16 = config.blocks
        self.fine = nn.Conv2d(1, FINE, 3, padding=1)
        self.stem = nn.Conv2d(4, c2, 3, padding=1)
        self.stage2 = _stage(c2, n2)
        self.down4 = nn.Conv2d(c2, c4, 3, stride=2, padding=1)
        self.stage4 = _stage(c4, n4)
        self.down8 = nn.Conv2d(c4, c8, 3, stride=2, padding=1)
        self.stage8 = _stage(c8, n8)
        self.down16 = nn.Conv2d(c8, c16, 3, stride=2, padding=1)
        self.stage16 = _stage(c16, n16)
        self.context = nn.Linear(c16, c16)
        self.backbone = Backbone() if config.backbone else None
        known = zip(TAPS.values(), (FINE, *config.widths), strict=True)
        self.known = nn.ModuleList(
            nn.Conv2d(theirs, ours, 1) for theirs, ours in known if config.backbone
        )

    def forward(self, gray: Tensor) -> Features:
        """Returns features at 1, 1/2, 1/4, 1/8 and 1/16 of the grid from gray (N, 1, h, w)."""
        known = self._known(gray)
        f1 = self._with_known(0, self.fine(gray), known)
        f2 = self.stem(functional.pixel_unshuffle(gray, 2))
        f2 = self.stage2(self._with_known(1, f2, known))
        f4 = self.stage4(self._with_known(2, self.down4(f2), known))
        f8 = self.stage8(self._with_known(3, self.down8(f4), known))
        f16 = self.stage16(self._with_known(4, self.down16(f8), known))
        f16 = f16 + self.context(functional.silu(f16.mean((2, 3))))[:, :, None, None]
        return f1, f2, f4, f8, f16

    def _known(self, gray: Tensor) -> list[Tensor]:
        return self.backbone(gray) if self.backbone is not None else []

    def _with_known(self, scale: int, features: Tensor, known: list[Tensor]) -> Tensor:
        """Features with those of the backbone added, where there is one."""
        if not known:
            return features
        added = self.known[scale](known[scale])
        # Sides that are no multiples of 16 are rounded up here and down there.
        return features + (
            added if added.shape[2:] == features.shape[2:] else upsample_to(added, features)
        )


def _stage(channels: int, number: int) -> nn.Sequential:
    return nn.Sequential(*(Block(channels) for _ in range(number)))


class Decoder(nn.Module):
    """The unary: colours from a latent code and the gray picture, alpha = dec(z, gray)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        c2, c4, c8, c16 = config.widths
        self.gray = GrayPath(config)
        latent = 64
        self.latent_global = nn.Linear(config.latent_size, latent)
        self.latent_local = nn.Conv2d(config.latent_channels, latent, 1)
        self.mix = nn.Conv2d(latent, latent, 3, padding=1)
        self.up8 = nn.Conv2d(c16, c8, 1)
        self.mod8 = Modulation(latent, c8)
        self.block8 = Block(c8)
        self.up4 = nn.Conv2d(c8, c4, 1)
        self.mod4 = Modulation(latent, c4)
        self.block4 = Block(c4)
        self.up2 = nn.Conv2d(c4, c2, 1)
        self.mod2 = Modulation(latent, c2)
        self.block2 = Block(c2)
        self.up1 = nn.Conv2d(c2, FINE, 1)
        self.top1 = nn.Conv2d(2 * FINE, FINE, 3, padding=1)
        self.top2 = nn.Conv2d(FINE, 2, 3, padding=1)
        self.names = nn.Linear(c16, config.num_classes) if config.num_classes else None

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Takes weights; a decoder that names nothing leaves out the layer of one that does."""
        if self.names is None:
            state_dict = {k: v for k, v in state_dict.items() if not k.startswith("names.")}
        return super().load_state_dict(state_dict, strict, assign)

    def top(self) -> list[nn.Parameter]:
        """Returns the parameters of the two top layers, which stage 1 phase 2 goes on training."""
        return [*self.top1.parameters(), *self.top2.parameters()]

    def forward(self, gray: Tensor, z: Tensor) -> Tensor:
        """Returns the unary (N, 2, h, w), ab / 128, from gray (N, 1, h, w) and z (N, Z)."""
        return self.decode(self.gray(gray), z)

    def decode(self, features: Features, z: Tensor) -> Tensor:
        """Returns the unary from the gray path's features, so that many z share one gray pass."""
        f1, f2, f4, f8, f16 = features
        side = self.config.latent_side
        z = z.to(f8.dtype)
        local = self.latent_local(z.reshape(-1, self.config.latent_channels, side, side))
        local = upsample_to(local, f8) + self.latent_global(z)[:, :, None, None]
        latent = functional.silu(local)
        latent = latent + self.mix(latent)
        y = self.block8(self.mod8(upsample_to(self.up8(f16), f8) + f8, latent))
        y = self.block4(self.mod4(upsample_to(self.up4(y), f4) + f4, latent))
        y = self.block2(self.mod2(upsample_to(self.up2(y), f2) + f2, latent))
        y = torch.cat([upsample_to(self.up1(y), f1), f1], dim=1)
        unary: Tensor = self.top2(functional.silu(self.top1(functional.silu(y))))
        return unary

    def decode_each(self, features: Features, z: Tensor) -> Tensor:
        """Returns the unaries (N, M, 2, h, w) of M codes of each picture, z (N, M, Z)."""
        # One after the other: repeated features lose the layout that convolutions are quick in.
        return torch.stack([self.decode(features, z[:, m]) for m in range(z.shape[1])], dim=1)

    def name_logits(self, features: Features) -> Tensor:
        """Returns class logits (N, num_classes) of the auxiliary naming task."""
        if self.names is None:
            raise ValueError("this decoder was built without num_classes")
        logits: Tensor = self.names(functional.silu(features[4]).mean((2, 3)))
        return logits


class Encoder(nn.Module):
    """The posterior q(z | x, gray): mean and log-variance of a diagonal Gaussian. Training only."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        c = config.encoder_width
        self.body = nn.Sequential(
            nn.Conv2d(12, c, 3, padding=1),
            Block(c),
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1),
            Block(2 * c),
            nn.Conv2d(2 * c, 4 * c, 3, stride=2, padding=1),
            Block(4 * c),
            norm(4 * c),
            nn.SiLU(),
        )
        self.head = nn.Conv2d(4 * c, 2 * config.latent_channels, 1)

    def forward(self, gray: Tensor, ab: Tensor) -> tuple[Tensor, Tensor]:
        """Returns mean and log-variance, each (N, latent_size), float32."""
        y = self.body(functional.pixel_unshuffle(torch.cat([gray, ab], dim=1), 2))
        side = self.config.latent_side
        y = y.mean((2, 3), keepdim=True) if side == 1 else pool(y, side)
        mean, log_variance = self.head(y).float().chunk(2, dim=1)
        return mean.flatten(1), log_variance.flatten(1).clamp(*LOG_VARIANCE_RANGE)


class Hoc(nn.Module):
    """The embedding A whose products make S: one column for each pixel of the grid.

    The last rows are the gray value and the position, each times a learned scale, so that training
    starts from a bilateral affinity. Departure from the paper (position=False leaves them out).
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        c = config.hoc_width
        num_given = 3 if config.position else 0
        self.stem = nn.Conv2d(1, c, 3, padding=1)
        self.block1 = Block(c)
        self.down2 = nn.Conv2d(c, 2 * c, 3, stride=2, padding=1)
        self.block2 = Block(2 * c)
        self.down4 = nn.Conv2d(2 * c, 3 * c, 3, stride=2, padding=1)
        self.block4 = Block(3 * c)
        self.down8 = nn.Conv2d(3 * c, 4 * c, 3, stride=2, padding=1)
        self.block8 = Block(4 * c)
        self.up4 = nn.Conv2d(4 * c, 3 * c, 1)
        self.merge4 = Block(3 * c)
        self.up2 = nn.Conv2d(3 * c, 2 * c, 1)
        self.merge2 = Block(2 * c)
        self.up1 = nn.Conv2d(2 * c, c, 1)
        self.merge1 = Block(c)
        self.norm = norm(c)
        self.head = nn.Conv2d(c, config.embedding_size - num_given, 1)
        self.gray_scale = nn.Parameter(torch.tensor(4.0))  # L / 12.5
        self.position_scale = nn.Parameter(torch.tensor(0.16))  # 6 cells

    def forward(self, gray: Tensor) -> Tensor:
        """Returns the embedding (N, D, h, w), float32, from gray (N, 1, h, w)."""
        x1 = self.block1(self.stem(gray))
        x2 = self.block2(self.down2(x1))
        x4 = self.block4(self.down4(x2))
        x8 = self.block8(self.down8(x4))
        y = self.merge4(upsample_to(self.up4(x8), x4) + x4)
        y = self.merge2(upsample_to(self.up2(y), x2) + x2)
        y = self.merge1(upsample_to(self.up1(y), x1) + x1)
        learned: Tensor = self.head(functional.silu(self.norm(y))).float()
        if not self.config.position:
            return learned
        place = (self.position_scale * positions(gray)).expand(gray.shape[0], -1, -1, -1)
        return torch.cat([learned, self.gray_scale * gray.float(), place], dim=1)


class Mdn(nn.Module):
    """The prior p(z | gray): a mixture of M Gaussians of fixed deviation in the latent space."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        c8, c16 = config.widths[2:]
        width = config.mdn_width
        self.gray = GrayPath(config)
        self.local8 = nn.Conv2d(c8, width, 1)
        self.local16 = nn.Conv2d(c16, width, 1)
        self.overall = nn.Linear(c16, width)
        self.mu = nn.Conv2d(width, config.num_components * config.latent_channels, 1)
        self.pi = nn.Linear(width, config.num_components)

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Returns pi (N, M), which sums to 1, and mu (N, M, latent_size), both float32."""
        features = self.gray(gray)
        f8, f16 = functional.silu(features[3]), functional.silu(features[4])
        side = self.config.latent_side
        overall = self.overall(f16.mean((2, 3)))  # (N, width)
        local = pool(self.local8(f8), side) + pool(self.local16(f16), side)
        mu = self.mu(functional.silu(local + overall[:, :, None, None])).float()
        pi = torch.softmax(self.pi(functional.silu(overall)).float(), dim=1)
        return pi, mu.reshape(mu.shape[0], self.config.num_components, self.config.latent_size)
