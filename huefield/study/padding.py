"""Picture files of equal length: what a file weighs must not tell which method made it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from huefield.lab import Bytes
from huefield.png import chunk

STEP = 4096
_JPEG_QUALITY = 95
_COMMENT = 65_533  # most bytes in one JPEG comment
_PNG_HEADER = 33  # signature and IHDR


def encode_plain(rgb: Bytes, file_format: str) -> bytes:
    """A file of the picture without any metadata, the same encoder for every method.

    Args:
        rgb: (H, W, 3) uint8.
        file_format: "jpeg" (4:4:4, quality 95) or "png".
    """
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(rgb))
    if file_format == "jpeg":
        image.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    else:
        image.save(stream, "PNG", optimize=False, compress_level=6)
    return stream.getvalue()


def padded(files: list[bytes]) -> list[bytes]:
    """The files, all JPEG or all PNG, brought to one length that is a multiple of 4096 bytes.

    The filling stands in a JPEG comment or a PNG chunk that viewers skip.
    """
    longest = max(map(len, files)) + 16  # room for the smallest filling
    length = -(-longest // STEP) * STEP
    return [_filled(data, length - len(data)) for data in files]


def _filled(data: bytes, gap: int) -> bytes:
    if data.startswith(b"\x89PNG"):
        filling = chunk(b"paDd", bytes(gap - 12))
        return data[:_PNG_HEADER] + filling + data[_PNG_HEADER:]
    comments = b""
    while gap:
        # What is left must hold another comment of at least 4 bytes, or nothing.
        size = gap if gap <= _COMMENT else min(_COMMENT, gap - 4)
        comments += b"\xff\xfe" + (size - 2).to_bytes(2, "big") + bytes(size - 4)
        gap -= size
    return data[:2] + comments + data[2:]
