"""The networks as tracing needs them: plain tensors in and out, one decision for every shape.

`export.graphs` traces these in place of the training modules; nothing else uses them.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from train.baselines.zhang import LocalHints
from train.hints_network import Hints
from train.networks import Decoder, Features, Hoc, Mdn


class TraceableDecoder(nn.Module):
    """(gray, z) -> unary, where one gray picture may serve many z.

    The gray path runs once for each gray picture, and picture k mod B goes with code k: with B = N
    that is the training module, with B = 1 many samples of one photo cost one gray pass. Indexing
    rather than `expand` keeps both batch sizes dynamic in the graph.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, gray: Tensor, z: Tensor) -> Tensor:
        """The unary (N, 2, h, w), ab / 128, from gray (B, 1, h, w) and z (N, latent_size)."""
        picture = torch.arange(z.shape[0], device=z.device) % gray.shape[0]
        chosen = tuple(f.index_select(0, picture) for f in self.decoder.gray(gray))
        unary: Tensor = self.decoder.decode(cast("Features", chosen), z)
        return unary


class TraceableHints(nn.Module):
    """(gray, hints) -> colours, where one gray picture may serve many sets of hints."""

    def __init__(self, hints: Hints) -> None:
        super().__init__()
        self.hints = hints

    def forward(self, gray: Tensor, hints: Tensor) -> Tensor:
        """The colours (N, 2, h, w), ab / 128, from gray (B, 1, h, w) and hints (N, 3, h, w)."""
        network = self.hints
        picture = torch.arange(hints.shape[0], device=hints.device) % gray.shape[0]
        known = [f.index_select(0, picture) for f in network.know(gray)]
        colours: Tensor = network.colour(gray.index_select(0, picture), hints, known)
        return colours


class TraceableLocalHints(nn.Module):
    """(gray, hints) -> colours of Zhang's network, where one gray picture may serve many hints."""

    def __init__(self, network: LocalHints) -> None:
        super().__init__()
        self.network = network

    def forward(self, gray: Tensor, hints: Tensor) -> Tensor:
        """The colours (N, 2, h, w), ab / 128, from gray (B, 1, h, w) and hints (N, 3, h, w)."""
        picture = torch.arange(hints.shape[0], device=hints.device) % gray.shape[0]
        colours: Tensor = self.network(gray.index_select(0, picture), hints)
        return colours


class TraceableHoc(nn.Module):
    """Gray -> embedding."""

    def __init__(self, hoc: Hoc) -> None:
        super().__init__()
        self.hoc = hoc

    def forward(self, gray: Tensor) -> Tensor:
        """The embedding (N, D, h, w) from gray (N, 1, h, w)."""
        embedding: Tensor = self.hoc(gray)
        return embedding


class TraceableMdn(nn.Module):
    """Gray -> (pi, mu)."""

    def __init__(self, mdn: Mdn) -> None:
        super().__init__()
        self.mdn = mdn

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor]:
        """Shares pi (N, M) and means mu (N, M, latent_size) from gray (N, 1, h, w)."""
        pi, mu = self.mdn(gray)
        return pi, mu
