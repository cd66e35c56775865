"""What a person may want of a file besides its colours: sliders, a visible mark, colour alone.

Called by the workbench for downloads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from huefield.lab import rgb_to_lab
from huefield.tone import Tone
from webapp.forms import ImageFormat

MARK = "colourised"
_CLEAR_CHROMA = 12.0  # chroma from which a colour layer is opaque


@dataclass(frozen=True)
class Finish:
    """How a download is made.

    Attributes:
        format: of the file.
        tone: sliders.
        mark: whether the word stands in the corner.
        layer: whether the colours come alone, transparent where there are none.
    """

    format: ImageFormat
    tone: Tone
    mark: bool = False
    layer: bool = False


def color_layer(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours of a picture (H, W, 3) alone, (H, W, 4): transparent where it is grey.

    To be laid over the grey photo with the blend mode "Color".
    """
    layer = np.empty((*rgb.shape[:2], 4), np.uint8)
    layer[..., :3] = rgb
    rows = max(1, 1_000_000 // rgb.shape[1])
    for first in range(0, len(rgb), rows):
        ab = rgb_to_lab(rgb[first : first + rows])[..., 1:]
        share = np.hypot(ab[..., 0], ab[..., 1]) / _CLEAR_CHROMA
        layer[first : first + rows, :, 3] = np.rint(255 * np.minimum(share, 1))
    return layer


def put_mark(picture: NDArray[np.uint8]) -> None:
    """Writes a small word into the lower right corner of a picture (H, W, 3 or 4), in place."""
    height, width, channels = picture.shape
    font = ImageFont.load_default(max(9.0, 0.018 * max(height, width)))
    left, top, right, bottom = (round(side) for side in font.getbbox(MARK))
    pad = max(2, (bottom - top) // 3)
    box = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad), 0)
    ImageDraw.Draw(box).text((pad - left, pad - top), MARK, fill=255, font=font)
    word = np.asarray(box)[-height:, -width:]
    rows, columns = word.shape
    corner = picture[height - rows :, width - columns :]
    ink = (word / 255.0)[..., None]
    shaded = corner[..., :3] * 0.45
    corner[..., :3] = np.rint(shaded * (1 - ink) + 255 * ink)
    if channels == 4:
        corner[..., 3] = 255
