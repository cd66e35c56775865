"""Bytes of an unknown file to upright sRGB pixels, or one line that says why not.

Called by `photo.read_photo` alone. The decoder is chosen by the file's first bytes from a short
list and called directly: `Image.open` would try every plugin and judge the size only after some of
them have already allocated the picture.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pi_heif import HeifImageFile
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from huefield.lab import Bytes, Floats, rgb_to_lightness

EXPECTED = "a JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF or BMP photo"
MAX_SIDE = 65_535  # what a JPEG can hold, so every photo read can be written
_MAX_SCANS = 100  # a progressive JPEG has about ten; each costs a pass over the picture

_OPENERS: dict[str, Any] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
    "HEIC": HeifImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
}
_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
}
_OTHERS = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x1f\x8b": "a gzip archive",
    b"8BPS": "a Photoshop document",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"\0\0\x01\0": "an icon",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML document",
    b"<": "a web page or XML document",
    b"RIFF": "a sound or video",
    b"ID3": "a sound",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}
# Whatever a decoder raises over foreign bytes is the file's fault. MemoryError is among them
# because the size has been judged before, so that only absurd inner structures run out of memory.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
)
_ORIENTATION, _BITS_PER_SAMPLE, _PHOTOMETRIC = 0x0112, 258, 262
_EXIF_IFD = 0x8769
# Who, when and with which camera; nothing about where, no thumbnails, no maker notes.
_KEPT_TAGS = {0x010F, 0x0110, 0x0132, 0x013B, 0x8298}  # Make Model DateTime Artist Copyright
_KEPT_EXIF_TAGS = {
    *(0x829A, 0x829D, 0x8827, 0x920A, 0xA405),  # exposure time, aperture, ISO, focal lengths
    *(0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292),  # dates, zones, subseconds
    *(0xA432, 0xA433, 0xA434),  # lens
}
_MAX_TEXT = 1000


class PhotoError(ValueError):
    """A file that is not a photo Huefield can read, or a picture it cannot write."""


@dataclass(frozen=True)
class Decoded:
    """Upright pixels of a file.

    Attributes:
        rgb: (H, W, 3) uint8, sRGB.
        lightness: (H, W) float32, L in 0..100.
        format: one of the names in `EXPECTED`.
        exif: the kept tags, serialised; empty if there are none.
    """

    rgb: Bytes
    lightness: Floats
    format: str
    exif: bytes


def sniff(data: bytes) -> str:
    """Format that the first bytes announce.

    Raises:
        PhotoError: none of those that are read.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        brands = data[8 : max(12, min(int.from_bytes(data[:4], "big"), 256))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")):
            return "HEIC"
        raise PhotoError(f"expected {EXPECTED}, got a video or another ISO media file")
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    for magic, name in _OTHERS.items():
        if data.lstrip().startswith(magic) or data.startswith(magic):
            raise PhotoError(f"expected {EXPECTED}, got {name}")
    raise PhotoError(f"expected {EXPECTED}, got a file that begins with {data[:4].hex(' ')}")


def decode(data: bytes, max_pixels: int) -> Decoded:
    """Pixels of the first picture in a file: colour-managed, over white, upright.

    Raises:
        PhotoError: unknown, too large, damaged or of a kind that has no one reading as a photo.
    """
    name = sniff(data)
    if name == "JPEG" and data.count(b"\xff\xda") > _MAX_SCANS:
        raise PhotoError(f"expected a JPEG of at most {_MAX_SCANS} scans, got more")
    with warnings.catch_warnings():
        # Odd metadata is no concern of the person: what counts is whether the pixels come.
        warnings.filterwarnings("ignore", module=r"PIL\.|pi_heif")
        try:
            image: ImageFile.ImageFile = _OPENERS[name](io.BytesIO(data))
        except Image.DecompressionBombError as error:
            megapixels = f"{max_pixels / 1e6:g} megapixels"
            raise PhotoError(f"expected at most {megapixels}, got a {name} of far more") from error
        except _DECODER_ERRORS as error:
            raise PhotoError(_damaged(name, error)) from error
        _judge_size(image.size, max_pixels)
        try:
            return _pixels(image, name)
        except PhotoError:
            raise
        except _DECODER_ERRORS as error:
            raise PhotoError(_damaged(name, error)) from error


def _damaged(name: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return f"expected a whole {name} file, got a damaged or truncated one ({reason})"


def _judge_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise PhotoError(f"expected at least 1 x 1 pixels, got {width} x {height}")
    if width > MAX_SIDE or height > MAX_SIDE:
        raise PhotoError(f"expected sides of at most {MAX_SIDE} pixels, got {width} x {height}")
    if width * height > max_pixels:
        raise PhotoError(
            f"expected at most {max_pixels / 1e6:g} megapixels, "
            f"got {width} x {height} ({width * height / 1e6:.1f})"
        )


def _pixels(image: ImageFile.ImageFile, name: str) -> Decoded:
    tags = getattr(image, "tag_v2", {})  # TIFF only; Pillow forgets some on loading
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    inverted = tags.get(_PHOTOMETRIC) == 0
    image.load()
    if image.mode in ("I", "F"):
        raise PhotoError(f"expected 8 or 16 bits a channel, got a {name} of 32 bits or with signs")
    profile = _open_profile(image)
    if image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint16)
        if bits < 16:
            levels = (levels.astype(np.uint32) * 65_535 // (2**bits - 1)).astype(np.uint16)
        rgb, lightness = _gray16(~levels if inverted else levels, profile)
    else:
        rgb = np.asarray(_flat_rgb(image, profile))
        lightness = None
    exif = image.getexif()
    rgb = _upright(rgb, exif.get(_ORIENTATION, 1))
    if lightness is None:
        lightness = rgb_to_lightness(rgb)
    else:
        lightness = _upright(lightness, exif.get(_ORIENTATION, 1))
    return Decoded(rgb, lightness, name, _kept_exif(exif))


def _open_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The embedded ICC profile where it fits the pixels and is not sRGB itself."""
    data = image.info.get("icc_profile")
    if not isinstance(data, bytes) or not data:
        return None
    spaces = {"L": "GRAY", "1": "GRAY", "LA": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
    space = "GRAY" if image.mode.startswith("I;16") else spaces.get(image.mode, "RGB ")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        # A name that begins so is the profile's promise that nothing has to be done.
        known = str(profile.profile.profile_description or "").startswith("sRGB")
        fits = profile.profile.xcolor_space == space
    except _DECODER_ERRORS:
        return None
    return profile if fits and not known else None


def _managed(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """RGB image in sRGB, or None where the profile turns out to be unusable."""
    try:
        return ImageCms.profileToProfile(
            image,
            profile,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except _DECODER_ERRORS:
        return None


def _flat_rgb(image: Image.Image, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """RGB image in sRGB of an image of up to 8 bits a channel, transparency over white."""
    alpha = None
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
    if image.mode == "LAB":
        profile = profile or ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    plain = image
    if image.mode not in ("RGB", "L", "CMYK", "LAB"):
        plain = image.convert("L" if image.mode in ("1", "LA", "La") else "RGB")
    managed = _managed(plain, profile) if profile is not None else None
    rgb = managed if managed is not None else plain.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        white.paste(rgb, mask=alpha)
        rgb = white
    return rgb


def _gray16(
    levels: NDArray[np.uint16], profile: ImageCms.ImageCmsProfile | None
) -> tuple[Bytes, Floats]:
    """8-bit pixels and L of 16-bit gray; Pillow's own conversion would clip at 255."""
    codes = np.arange(65_536) / 257
    if profile is not None:
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        managed = _managed(ramp, profile)
        if managed is not None:
            codes = np.interp(codes, np.arange(256), np.asarray(managed.convert("L"))[0])
    lightness = rgb_to_lightness(np.repeat(codes[:, None] / 255, 3, axis=1))
    gray = np.rint(codes).astype(np.uint8)[levels]
    return np.repeat(gray[..., None], 3, axis=2), lightness[levels]


def _upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """Pixels (H, W, ...) turned as the EXIF orientation 1..8 asks; other values mean 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _kept_exif(exif: Image.Exif) -> bytes:
    """Dates, camera and rights as serialised EXIF, without place or orientation."""
    kept = Image.Exif()
    for tag in _KEPT_TAGS:
        if _sound(value := exif.get(tag)):
            kept[tag] = value
    details = {
        tag: value for tag, value in exif.get_ifd(_EXIF_IFD).items() if tag in _KEPT_EXIF_TAGS
    }
    details = {tag: value for tag, value in details.items() if _sound(value)}
    if details:
        kept.get_ifd(_EXIF_IFD).update(details)
    if not kept and not details:
        return b""
    try:
        return kept.tobytes()
    except _DECODER_ERRORS:  # a value of a type that its tag cannot have
        return b""


def _sound(value: object) -> bool:
    """Whether a tag's value is a number or a short text."""
    if isinstance(value, str):
        return 0 < len(value.strip("\0 ")) <= _MAX_TEXT
    return isinstance(value, (int, float, TiffImagePlugin.IFDRational))
