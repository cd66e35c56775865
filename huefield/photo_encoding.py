"""A colouring to the bytes of a PNG, JPEG or WebP file that says what it is.

Reached through `photo.write_photo`. Each file carries the sRGB profile, dates and camera of the
original, and states in EXIF, XMP and (PNG) text that its colours are Huefield's guess.
"""

from __future__ import annotations

import io
import zlib
from functools import cache
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from huefield.photo_decoding import MAX_SIDE, PhotoError
from huefield.png import chunk, encode_png

_LONGEST = {"png": 2**31 - 1, "jpg": MAX_SIDE, "webp": 16_383}
_DESCRIPTION, _SOFTWARE, _ORIENTATION = 0x010E, 0x0131, 0x0112
# IPTC's term for a photograph that a learned algorithm has altered.
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<xmp:CreatorTool>{tool}</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def write_photo(
    rgb: NDArray[np.uint8],
    file_format: str,
    *,
    exif: bytes = b"",
    model: str = "",
    quality: int | None = None,
    fast: bool = False,
) -> bytes:
    """File of a colouring.

    Args:
        rgb: (H, W, 3) uint8, sRGB; (H, W, 4) with transparency, as `png` or `webp`.
        file_format: `png`, `jpg` (4:4:4) or `webp`.
        exif: tags to keep, as in `Photo.exif`.
        model: name of the model that made the colours.
        quality: 1 to 100 for `jpg` (95 unless told) and `webp` (90).
        fast: spend less time on making `png` and `webp` small.

    Raises:
        PhotoError: an unknown format, a quality outside 1..100, or a picture too long for it.
    """
    if file_format not in _LONGEST:
        raise PhotoError(f"expected png, jpg or webp, got {file_format!r}")
    if quality is not None and not 1 <= quality <= 100:
        raise PhotoError(f"expected a quality of 1 to 100, got {quality}")
    height, width, channels = rgb.shape
    if channels == 4 and file_format == "jpg":
        raise PhotoError("expected png or webp for a picture with transparency, got jpg")
    if max(height, width) > _LONGEST[file_format]:
        raise PhotoError(
            f"expected sides of at most {_LONGEST[file_format]} pixels for {file_format}, "
            f"got {width} x {height}"
        )
    tool = f"Huefield (model {model})" if model else "Huefield"
    text = f"Colours made by {tool}: a guess from a gray photo, not a record."
    tags = _tags(exif, tool, text)
    xmp = _XMP.format(tool=escape(tool), source=_SOURCE_TYPE, text=escape(text)).encode()
    if file_format == "png":
        chunks = [
            chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile())),
            _text_chunk("Software", tool),
            _text_chunk("Description", text),
            _text_chunk("XML:com.adobe.xmp", xmp.decode()),
            chunk(b"eXIf", tags.removeprefix(b"Exif\0\0")),
        ]
        return encode_png(rgb, chunks, fast)
    image = Image.fromarray(rgb)
    file = io.BytesIO()
    shared = {"exif": tags, "icc_profile": srgb_profile(), "xmp": xmp}
    if file_format == "jpg":
        image.save(file, "JPEG", quality=quality or 95, subsampling=0, **shared)
    else:
        image.save(file, "WEBP", quality=quality or 90, method=0 if fast else 2, **shared)
    return file.getvalue()


def _text_chunk(keyword: str, text: str) -> bytes:
    """An uncompressed iTXt chunk, UTF-8."""
    return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def _tags(exif: bytes, tool: str, text: str) -> bytes:
    """Serialised EXIF with the tool and the statement added."""
    tags = Image.Exif()
    if exif:
        tags.load(exif)
    tags.pop(_ORIENTATION, None)
    tags[_SOFTWARE] = tool
    tags[_DESCRIPTION] = text
    return tags.tobytes()


@cache
def srgb_profile() -> bytes:
    """ICC profile of sRGB, the same bytes in every process."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The header's date of creation would otherwise be the time of this call.
    return profile[:24] + bytes.fromhex("07ea00010001000000000000") + profile[36:]
