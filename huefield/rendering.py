"""Colour fields as pictures of any size: upsampled along the photo's edges, strokes laid over.

One renderer an open photo, called by `colorizer`; it keeps what previews share.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from huefield import lab, upsample
from huefield.painting import Paint, paint
from huefield.strokes import Edits
from huefield.tone import Tone

Floats = NDArray[np.float32]

_KEPT_VIEWS = 2  # sizes whose guide is kept, about 25 MB each: a preview and the full size


class Renderer:
    """Pictures of one photo; safe to use from several threads.

    Args:
        lightness: (H, W) float32, the photo's L in 0..100.
    """

    def __init__(self, lightness: Floats) -> None:
        self._lightness = lightness
        self._lock = threading.Lock()
        self._views: OrderedDict[int, upsample.Guide] = OrderedDict()
        self._paint: tuple[Edits, int, Paint | None] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes kept for further pictures, the photo's own lightness not included."""
        with self._lock:
            held = sum(guide.nbytes for guide in self._views.values())
            shared = max(self._lightness.shape) in self._views
            held -= self._lightness.nbytes if shared else 0
            layer = self._paint[2] if self._paint is not None else None
        return held + (layer.nbytes if layer is not None else 0)

    def render(
        self,
        field: Floats,
        edits: Edits | None = None,
        long_side: int | None = None,
        tone: Tone | None = None,
    ) -> NDArray[np.uint8]:
        """A colour field as sRGB (H, W, 3) uint8, the photo's own lightness kept.

        Args:
            field: (h, w, 2) float32, ab.
            edits: strokes that show their own colour.
            long_side: pixels of the longer side; None, or more than the photo has, for its own.
            tone: sliders to apply, if any.
        """
        longest = max(self._lightness.shape)
        side = longest if long_side is None else max(1, min(longest, long_side))
        guide = self._view(side)
        ab = guide.upsample(field)  # (H, W, 2)
        layer = self._painted(edits, side, guide.lightness)
        if layer is not None:
            layer.apply(ab)
        if tone is not None:
            tone.apply(ab, guide.lightness)
        return lab.render_rgb8(guide.lightness, ab)

    def _view(self, side: int) -> upsample.Guide:
        """The guide for a picture whose longer side has `side` pixels."""
        with self._lock:
            if side in self._views:
                self._views.move_to_end(side)
                return self._views[side]
        guide = upsample.Guide(_shrunk(self._lightness, side))
        with self._lock:
            self._views[side] = guide
            while len(self._views) > _KEPT_VIEWS:
                self._views.popitem(last=False)
        return guide

    def _painted(self, edits: Edits | None, side: int, lightness: Floats) -> Paint | None:
        """The strokes at a picture's size; kept, for all samples show the same ones."""
        if edits is None:
            return None
        with self._lock:
            if self._paint is not None and self._paint[:2] == (edits, side):
                return self._paint[2]
        layer = paint(edits, lightness)
        with self._lock:
            self._paint = (edits, side, layer)
        return layer


def _shrunk(lightness: Floats, side: int) -> Floats:
    """The lightness with a longer side of `side` pixels, each the mean of what it covers."""
    longest = max(lightness.shape)
    if side >= longest:
        return lightness
    height, width = (max(1, round(length * side / longest)) for length in lightness.shape)
    small = Image.fromarray(lightness).resize((width, height), Image.Resampling.BOX)
    return np.asarray(small)
