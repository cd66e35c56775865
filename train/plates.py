"""Photos as the plates of their time would have shown them: old photos are no L of a new one.

Until about 1925 plates saw blue well, green less and red hardly, so that skies came out white, lips
and foliage dark; then paper, fading and scanners bent the tones. `Batches` shows some training
photos in this way, their colours as they were, so that the networks know such a gray when they
meet it, and `train.evaluate --plates` measures on them. A departure from the paper, whose photos
are all of today.

Source: Mees, “The Theory of the Photographic Process”, 1942 (the sensitivity of ordinary,
orthochromatic and panchromatic emulsions); the numbers here are round ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from huefield import lab

NUM_DRAWS = 4  # numbers that decide on one plate
BLUE_PLATE = np.array([0.03, 0.32, 0.65], np.float32)  # shares of linear red, green and blue
CONTRAST = 0.5  # the most that the logarithm of the exponent of light departs from 0
FOG = 0.2  # the most of white that black has become
DULLNESS = 0.2  # the most of white that white has lost


def expose(rgb: npt.NDArray[np.uint8], draws: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Returns what plates show of photos: L (N, h, w), float32, 0 to 100.

    Args:
        rgb: (N, h, w, 3) sRGB.
        draws: (N, NUM_DRAWS) numbers from 0 to 1: how blind to red, contrast, fog, dullness.
    """
    blind, contrast, fog, dullness = draws.astype(np.float32).T[..., None, None]
    light = lab.rgb_to_light(rgb)
    seen = (1 - blind) * lab.light_to_luminance(light) + blind * (light @ BLUE_PLATE)
    seen **= np.exp(CONTRAST * (2 * contrast - 1))
    black, white = 100 * FOG * fog, 100 * (1 - DULLNESS * dullness)
    tones = lab.luminance_to_lightness(seen)
    exposed: npt.NDArray[np.float32] = black + (white - black) / 100 * tones
    return exposed
