"""Sliders on a finished colouring: saturation, warmth and strength of colour.

`static/js/core/tone.js` has the same formula, so that the page shows what a download will be.
Called by the renderer for every picture that has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WARM = (4.0, 14.0)  # ab that full warmth adds to a middle grey


@dataclass(frozen=True)
class Tone:
    """What the sliders say; the defaults change nothing.

    Attributes:
        saturation: 0..2, factor of chroma.
        warmth: -1..1, towards blue or towards amber, most in the middle tones.
        strength: 0..1, how much of all colour is left over the grey photo.
    """

    saturation: float = 1.0
    warmth: float = 0.0
    strength: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high in (("saturation", 0, 2), ("warmth", -1, 1), ("strength", 0, 1)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: expected {low} to {high}, got {value!r}")

    def apply(self, ab: Floats, lightness: Floats) -> None:
        """Changes colours in place.

        Args:
            ab: (H, W, 2) float32.
            lightness: (H, W) float32, 0..100; black and white stay as they are.
        """
        if self == Tone():
            return
        ab *= np.float32(self.saturation * self.strength)
        if self.warmth == 0:
            return
        share = lightness * np.float32(0.01)
        middle = share * (1 - share) * np.float32(4 * self.warmth * self.strength)
        for k in range(2):
            ab[..., k] += middle * np.float32(WARM[k])
