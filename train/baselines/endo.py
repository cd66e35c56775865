"""DeepProp: a small network, trained anew on each photo, tells apart what was painted.

A baseline of the revealed-points suite (`train.evaluation.points`). Kept of the method: it learns
from nothing but the painted pixels of the one photo; a visual branch (convolutions over the patch
around a pixel) and a spatial one (the pixel's place) meet in fully connected layers; the output is
the likelihood of each painted colour, by which every other pixel mixes them. Made smaller: fewer
channels and a few hundred steps in place of thousands; colours beyond `MAX_COLORS` are merged by
k-means; an edge-aware filter afterwards is left out.

Source: Endo, Iizuka, Kanamori, Mitani 2016, "DeepProp: Extracting Deep Features from a Single
Image for Edit Propagation".
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from torch import Tensor, nn
from torch.nn import functional

from train.baselines.known import check_known

FloatArray = NDArray[np.float32]

# Chosen on 8 validation photos at 256 x 256, mean PSNR at 10, 50, 100 and 500 points: 25.35 dB;
# with 64 colours 25.23, with 100 steps and 64 colours 24.84.
PATCH = 9  # pixels, of the visual branch
WIDTH = 32
NUM_STEPS = 300
BATCH = 256
LEARNING_RATE = 4e-3
MAX_COLORS = 16
_PIXELS_AT_ONCE = 8192


class DeepProp(nn.Module):
    """Logits of the painted colours from the patch around a pixel and the pixel's place."""

    def __init__(self, num_colors: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(1, WIDTH // 2, 3, stride=2)  # 9 -> 4
        self.wide = nn.Conv2d(WIDTH // 2, WIDTH, 4)  # 4 -> 1
        self.seen = nn.Linear(WIDTH + 1, WIDTH)  # and L of the pixel itself
        self.place = nn.Sequential(
            nn.Linear(2, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, 2 * WIDTH), nn.ReLU()
        )
        self.both = nn.Sequential(
            nn.Linear(3 * WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, num_colors)
        )

    def forward(self, patches: Tensor, places: Tensor) -> Tensor:
        """Returns the logits (N, num_colors).

        Args:
            patches: (N, 1, 9, 9), L about 0.
            places: (N, 2), y and x in -1..1.
        """
        x = functional.relu(self.near(patches))
        x = functional.relu(self.wide(x)).flatten(1)
        own = patches[:, 0, PATCH // 2, PATCH // 2, None]
        x = functional.relu(self.seen(torch.cat([x, own], dim=1)))
        logits: Tensor = self.both(torch.cat([x, self.place(places)], dim=1))
        return logits


def painted_colors(
    colors: NDArray[np.floating], most: int, seed: int
) -> tuple[FloatArray, NDArray[np.int64]]:
    """The colours (K, 2) that painted pixels (n, 2) have, K <= most, and which each has (n,)."""
    distinct, index = np.unique(colors.astype(np.float32), axis=0, return_inverse=True)
    if len(distinct) <= most:
        return distinct, index.reshape(-1)
    centres, merged = kmeans2(distinct, most, minit="++", seed=seed)
    return centres.astype(np.float32), merged[index.reshape(-1)].astype(np.int64)


def colorize(
    lightness: NDArray[np.floating],
    known: NDArray[np.bool_],
    colors: NDArray[np.floating],
    *,
    seed: int = 0,
    num_steps: int = NUM_STEPS,
    max_colors: int = MAX_COLORS,
    learning_rate: float = LEARNING_RATE,
) -> FloatArray:
    """The colours of a whole photo from those of its revealed pixels.

    Args:
        lightness: (H, W) L in 0..100.
        known: (H, W) true where the colour is revealed.
        colors: (H, W, 2) ab; read at the revealed pixels alone.
        seed: Of the weights, the order of the pixels and k-means.
        num_steps: Of the training.
        max_colors: More colours than this are merged.
        learning_rate: Peak of Adam's rate, which falls to 0 by a cosine.

    Returns:
        (H, W, 2) float32 ab; equal to `colors` where `known`, as in Levin's method.

    Raises:
        ValueError: The shapes differ or nothing is revealed.
    """
    check_known(lightness, known, colors)
    height, width = lightness.shape
    palette, index = painted_colors(colors[known], max_colors, seed)
    gray = lightness.astype(np.float32)
    light = torch.from_numpy((gray - gray.mean()) / 25.0)
    half = PATCH // 2
    padded = functional.pad(light[None, None], (half,) * 4, mode="replicate")[0, 0]
    windows = padded.unfold(0, PATCH, 1).unfold(1, PATCH, 1)  # (H, W, 9, 9), a view
    rows = torch.linspace(-1.0, 1.0, height)
    columns = torch.linspace(-1.0, 1.0, width)

    def look(pixels: Tensor) -> tuple[Tensor, Tensor]:
        y, x = pixels // width, pixels % width
        return windows[y, x][:, None], torch.stack([rows[y], columns[x]], dim=1)

    painted = torch.from_numpy(np.flatnonzero(known))
    labels = torch.from_numpy(index)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DeepProp(len(palette))
        _fit(network, *look(painted), labels, num_steps, learning_rate)
    mixed = []
    with torch.no_grad():
        for pixels in torch.split(torch.arange(height * width), _PIXELS_AT_ONCE):
            shares = network(*look(pixels)).softmax(dim=1)
            mixed.append(shares @ torch.from_numpy(palette))
    field = torch.cat(mixed).reshape(height, width, 2).numpy()
    return np.where(known[..., None], colors, field).astype(np.float32)


def _fit(
    network: DeepProp,
    patches: Tensor,
    places: Tensor,
    labels: Tensor,
    num_steps: int,
    learning_rate: float,
) -> None:
    """Trains the network on painted pixels, in random order, torch's generator giving the order."""
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    for _ in range(num_steps):
        chosen = torch.randint(len(labels), (BATCH,))
        logits = network(patches[chosen], places[chosen])
        loss = functional.cross_entropy(logits, labels[chosen])
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        rate.step()
