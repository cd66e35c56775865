"""The earlier methods that follow a person's colours, behind one interface, by name.

`train.evaluation` measures them beside ours; whoever shows or compares colourings of a photo with
strokes calls `recolor`. Levin's and Barron's methods need NumPy and SciPy only, Zhang's network
runs on ONNX Runtime, Endo's is trained anew on each photo and needs torch, imported late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huefield import upsample
from huefield.photo import Photo
from huefield.strokes import Edits, EditsError, coverage
from train.baselines import barron, levin

Floats = NDArray[np.float32]

Colorize = Callable[[Floats, NDArray[np.bool_], Floats], Floats]
"""ab (H, W, 2) from L (H, W), known (H, W) and colors (H, W, 2), as `levin.colorize`."""

LEVIN, ENDO, BARRON, ZHANG = "levin", "endo", "barron", "zhang"
NAMES = (LEVIN, ENDO, BARRON, ZHANG)
TITLES = {
    LEVIN: "Levin 2004",
    ENDO: "Endo 2016",
    BARRON: "Barron & Poole 2016",
    ZHANG: "Zhang 2017",
}
WORKING_PIXELS = 256 * 256


@dataclass(frozen=True)
class Interactive:
    """A method that spreads a few known colours over a photo.

    Attributes:
        title: Its name in tables.
        colorize: What it does at the size that it gets.
        settings: What decides its results beside its input: weights, seed.
    """

    title: str
    colorize: Colorize
    settings: str = ""

    def recolor(self, photo: Photo, edits: Edits) -> Floats:
        """The photo's colours (H, W, 2) float32 ab, at its own size, as the strokes ask.

        The method works at 256 x 256 pixels or as many, where it was tuned; a larger photo gets
        its colours along its own edges, as ours do. Ties, and strokes that keep what is there, are
        left aside: these methods know neither. A stroke of any strength above 0 counts in full.

        Args:
            photo: Any photo.
            edits: Strokes in pixels of `edits.size`.

        Raises:
            EditsError: No stroke that gives a colour covers a pixel of the photo.
        """
        height, width = photo.height, photo.width
        scale = min(1.0, (WORKING_PIXELS / (height * width)) ** 0.5)
        shape = max(2, round(height * scale)), max(2, round(width * scale))
        lightness = upsample.grid_lightness(photo.lightness, shape)
        labels, colors = coverage(edits, shape)
        strength = np.array([stroke.strength for stroke in edits.strokes] + [0.0])
        known = strength[labels] > 0.0  # label -1 reads the last entry
        if not known.any():
            raise EditsError(
                f"strokes: none of the {len(edits.strokes)} gives a colour to a pixel of the photo"
            )
        painted = np.concatenate([colors, np.zeros((1, 2), np.float32)])[labels]
        ab = self.colorize(lightness, known, np.where(known[..., None], painted, np.float32(0)))
        if shape == (height, width):
            return ab
        return upsample.upsample(ab, photo.lightness)


def open_method(name: str, *, seed: int = 0, weights: Path | None = None) -> Interactive:
    """The method of a name.

    Args:
        name: One of `NAMES`.
        seed: Of Endo's training; the others draw nothing.
        weights: Folder of Zhang's network, as `export.zhang` writes it.

    Raises:
        ValueError: An unknown name, or Zhang's method without its folder.
        ModelError: The folder is incomplete or altered.
    """
    if name == LEVIN:
        return Interactive(TITLES[name], levin.colorize, f"{levin.VARIANCE_FACTOR}")
    if name == BARRON:
        settings = f"{barron.SIGMA_PLACE} {barron.SIGMA_LIGHT} {barron.SMOOTHNESS}"
        return Interactive(TITLES[name], barron.colorize, settings)
    if name == ENDO:
        from train.baselines import endo

        settings = f"{seed} {endo.NUM_STEPS} {endo.LEARNING_RATE} {endo.MAX_COLORS}"
        return Interactive(TITLES[name], partial(endo.colorize, seed=seed), settings)
    if name == ZHANG:
        if weights is None:
            raise ValueError("Zhang's method needs the folder of its trained network")
        from train.baselines.zhang_onnx import load_zhang

        network = load_zhang(weights)
        return Interactive(TITLES[name], network.colorize, network.sha256)
    raise ValueError(f"expected one of {', '.join(NAMES)}, got {name!r}")
