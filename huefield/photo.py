"""Photos as the rest of the program sees them: bytes in, L and pixels out, and back to bytes.

`colorizer`, `cli` and the web application read with `read_photo` and write with `write_photo`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from huefield.lab import Bytes, Floats, rgb_to_lab
from huefield.photo_decoding import PhotoError, decode
from huefield.photo_encoding import srgb_profile, write_photo

__all__ = ["Photo", "PhotoError", "has_color", "read_photo", "srgb_profile", "write_photo"]

_COLOR_SIDE = 96
_COLOR_CHROMA = 10.0


@dataclass(frozen=True)
class Photo:
    """An upright photo in sRGB.

    Attributes:
        lightness: (H, W) float32, L in 0..100; from all 16 bits where the file has them.
        rgb: (H, W, 3) uint8.
        has_color: whether it has colours of its own, see `has_color`.
        format: what the file was: JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF or BMP.
        exif: serialised tags worth keeping (dates, camera, rights; no place, no orientation).
    """

    lightness: Floats
    rgb: Bytes
    has_color: bool
    format: str
    exif: bytes

    @property
    def height(self) -> int:
        """Rows of the upright photo."""
        return int(self.lightness.shape[0])

    @property
    def width(self) -> int:
        """Columns of the upright photo."""
        return int(self.lightness.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def read_photo(data: bytes, *, max_pixels: int = 40_000_000, max_bytes: int = 30_000_000) -> Photo:
    """Photo of a file's bytes: first picture, colour-managed to sRGB, over white, upright.

    Args:
        data: the file, of any format in `photo_decoding.EXPECTED`.
        max_pixels: most pixels, judged from the header before anything is decoded.
        max_bytes: most bytes.

    Raises:
        PhotoError: one line saying what was expected and what came.
    """
    if not data:
        raise PhotoError("expected a photo, got an empty file (0 bytes)")
    if len(data) > max_bytes:
        raise PhotoError(f"expected at most {max_bytes / 1e6:g} MB, got {len(data) / 1e6:.1f} MB")
    decoded = decode(data, max_pixels)
    return Photo(
        decoded.lightness, decoded.rgb, has_color(decoded.rgb), decoded.format, decoded.exif
    )


def has_color(rgb: Bytes) -> bool:
    """Whether a picture has colours of things, rather than gray or one tone (sepia, cyanotype).

    A tone is a colour that L decides. So what counts is the colour left after ab has been fitted by
    a quadratic in L, on a copy of at most 96 pixels a side whose averaging removes the noise of
    scanners and JPEG: colour is there if that chroma exceeds 10 on more than 1 % of the copy.
    A sheet of one single colour counts as toned. Sepia photos are therefore coloured like gray
    ones, from their L.

    Args:
        rgb: (H, W, 3) uint8.
    """
    step = 1 + max(rgb.shape) // (8 * _COLOR_SIDE)
    sparse = rgb[::step, ::step]
    height, width, _ = sparse.shape
    rows = np.linspace(0, height, min(height, _COLOR_SIDE) + 1).astype(int)
    columns = np.linspace(0, width, min(width, _COLOR_SIDE) + 1).astype(int)
    small = np.add.reduceat(sparse, columns[:-1], axis=1, dtype=np.uint32)
    small = np.add.reduceat(small, rows[:-1], axis=0)
    counts = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    lab = rgb_to_lab(small / (255.0 * counts[..., None])).reshape(-1, 3)
    tone = np.vander(lab[:, 0] / 100, 3)
    ab = lab[:, 1:]
    rest = ab - tone @ np.linalg.lstsq(tone, ab, rcond=None)[0]
    return bool(np.percentile(np.hypot(rest[:, 0], rest[:, 1]), 99) > _COLOR_CHROMA)
