"""Pictures for the screen, as WebP: small and quick to make rather than exact."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huefield.lab import render_rgb8

_QUALITY = 84


def to_webp(rgb: NDArray[np.uint8]) -> bytes:
    """An sRGB picture (H, W, 3) uint8 as WebP, encoded the quick way."""
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "WEBP", quality=_QUALITY, method=0)
    return stream.getvalue()


def color_preview(rgb: NDArray[np.uint8], side: int) -> bytes:
    """A photo's own colours (H, W, 3) uint8 as WebP, its longer side ``side`` at most."""
    image = Image.fromarray(rgb)
    image.thumbnail((side, side), Image.Resampling.BOX)
    return to_webp(np.asarray(image))


def grey_preview(lightness: NDArray[np.float32], side: int) -> bytes:
    """A photo's lightness (H, W) float32 in 0..100 as WebP, its longer side ``side`` at most."""
    height, width = lightness.shape
    longest = max(height, width)
    if longest > side:
        size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
        small = Image.fromarray(lightness).resize(size, Image.Resampling.BOX)
        lightness = np.asarray(small, dtype=np.float32)
    return to_webp(render_rgb8(lightness, np.zeros((*lightness.shape, 2), np.float32)))
