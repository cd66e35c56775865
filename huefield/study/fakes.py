"""Obvious fakes for practice and attention checks, made from a good picture."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from huefield.lab import Bytes, render_rgb8, rgb_to_lab

_NOISE_CHROMA = 55.0  # root mean square chroma of the coloured noise, ab
_HUE_CHROMA = 40.0  # least root mean square chroma once hues are turned
_BLOTCH = 0.04  # size of a blotch, as a share of the longer side


def obvious_fake(rgb: Bytes, kind: Literal["noise", "hue"], seed: int) -> Bytes:
    """A picture with the same lightness and colours that nobody takes for real, (H, W, 3) uint8.

    Args:
        rgb: (H, W, 3) uint8, sRGB.
        kind: "noise" paints blotches of all colours; "hue" turns every hue by 110 to 180 degrees
            and makes colours stronger where they were weak.
        seed: of the blotches or the angle.
    """
    lab = rgb_to_lab(rgb)
    rng = np.random.default_rng(seed)
    if kind == "noise":
        sigma = _BLOTCH * max(rgb.shape[:2])
        field = rng.standard_normal((2, *rgb.shape[:2])).astype(np.float32)
        ab = np.stack([gaussian_filter(plane, sigma, mode="reflect") for plane in field], -1)
        ab *= _NOISE_CHROMA / _chroma(ab)
    else:
        angle = np.deg2rad(rng.uniform(110, 180) * rng.choice([-1, 1]))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        ab = (lab[..., 1:] + 2.0) @ turn.astype(np.float32)  # +2: greys are turned visibly too
        ab *= max(1.0, _HUE_CHROMA / _chroma(ab))
    return render_rgb8(np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(ab, np.float32))


def _chroma(ab: np.ndarray) -> float:
    return float(np.sqrt(np.square(ab, dtype=np.float64).sum(-1).mean())) + 1e-9
