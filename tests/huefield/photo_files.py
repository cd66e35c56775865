"""Photos in every form that people have them in, and files that are none; for `test_photo`.

The picture is `QUARTERS`: red, green, blue and light gray, 96 x 64. Each good file comes with what
reading it must give, each bad one with words of the line that refuses it.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from huefield.png import chunk

HEIC = Path(__file__).with_name("files") / "quarters.heic"

QUARTERS = np.empty((64, 96, 3), np.uint8)
QUARTERS[:32, :48] = (200, 40, 40)
QUARTERS[:32, 48:] = (40, 180, 60)
QUARTERS[32:, :48] = (40, 60, 200)
QUARTERS[32:, 48:] = (230, 230, 230)
COLORS = Image.fromarray(QUARTERS)
GRAY = COLORS.convert("L")
GRAYS = np.repeat(np.asarray(GRAY)[..., None], 3, axis=2)
LEVELS = np.linspace(0, 65_535, 64 * 96).astype(np.uint16).reshape(64, 96)
LEVELS8 = np.repeat(np.rint(LEVELS / 257).astype(np.uint8)[..., None], 3, axis=2)
HALF = Image.fromarray(np.repeat(np.array([[255], [0]], np.uint8), [32, 32], 0).repeat(96, 1))
ON_WHITE = QUARTERS.copy()
ON_WHITE[32:] = 255

Good = tuple[bytes, NDArray[np.uint8], float]


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """File of an image."""
    file = io.BytesIO()
    # Copies, for a save leaves settings behind in the image.
    if "append_images" in options:
        options["append_images"] = [frame.copy() for frame in options["append_images"]]
    image.copy().save(file, kind, **options)
    return file.getvalue()


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    """File written by tifffile, for what Pillow does not write."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, color: int, rows: bytes, *between: bytes) -> bytes:
    """PNG of given header and raw rows, right or wrong."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *between, chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def _swapped_profile() -> bytes:
    """An RGB profile whose red and blue primaries have changed places."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = data.replace("sRGB".encode("utf-16-be"), "xBGR".encode("utf-16-be"))
    places = {}
    for i in range(struct.unpack(">I", data[128:132])[0]):
        name, start, size = struct.unpack(">4sII", data[132 + 12 * i : 144 + 12 * i])
        places[name] = slice(start, start + size)
    changed = bytearray(data)
    changed[places[b"rXYZ"]] = data[places[b"bXYZ"]]
    changed[places[b"bXYZ"]] = data[places[b"rXYZ"]]
    return bytes(changed)


def _over(image: Image.Image, mode: str) -> Image.Image:
    """The image with its lower half transparent."""
    image = image.convert(mode)
    image.putalpha(HALF)
    return image


def _oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _stored(orientation: int) -> Image.Image:
    """`QUARTERS` as a camera held that way stores it."""
    undo: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    return Image.fromarray(np.ascontiguousarray(undo[orientation](QUARTERS)))


def good_files() -> dict[str, Good]:
    """Name -> (file, pixels it must give, mean error allowed)."""
    frames = [COLORS.transpose(Image.Transpose.ROTATE_180), COLORS.convert("L").convert("RGB")]
    many = {"save_all": True, "append_images": frames}
    on_white_gray = GRAYS.copy()
    on_white_gray[32:] = 255
    rgb16 = b"".join(b"\0" + row.astype(">u2").tobytes() for row in QUARTERS.astype(int) * 257)
    blue_is_white = QUARTERS.copy()
    blue_is_white[32:, :48] = 255
    paletted = COLORS.quantize(8)
    see_through = _over(COLORS, "RGBA").quantize(8)
    line = np.repeat(np.arange(20_000, dtype=np.uint32)[None] % 251, 1, 0).astype(np.uint8)
    lines = np.repeat(line[..., None], 3, axis=2)
    bilevel = GRAY.point(lambda level: 255 * (level > 100)).convert("1")
    bits = np.repeat(np.asarray(bilevel.convert("L"))[..., None], 3, axis=2)
    lab = ImageCms.profileToProfile(
        COLORS, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    files: dict[str, Good] = {
        "jpeg": (saved(COLORS, "JPEG", quality=95), QUARTERS, 2),
        "jpeg progressive": (saved(COLORS, "JPEG", progressive=True), QUARTERS, 3),
        "jpeg gray": (saved(GRAY, "JPEG", quality=95), GRAYS, 1),
        "jpeg cmyk, adobe inverted": (saved(COLORS.convert("CMYK"), "JPEG"), QUARTERS, 4),
        "jpeg multi-picture": (saved(COLORS, "MPO", **many), QUARTERS, 4),
        "jpeg and rubbish after": (saved(COLORS, "JPEG") + b"rubbish" * 99, QUARTERS, 3),
        "jpeg broken exif": (saved(COLORS, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff"), QUARTERS, 3),
        "jpeg broken profile": (saved(COLORS, "JPEG", icc_profile=b"no profile"), QUARTERS, 3),
        "png": (saved(COLORS, "PNG"), QUARTERS, 0),
        "png half a profile": (
            saved(COLORS, "PNG", icc_profile=_swapped_profile()[:200]),
            QUARTERS,
            0,
        ),
        "png swapped profile": (
            saved(COLORS, "PNG", icc_profile=_swapped_profile()),
            QUARTERS[..., ::-1],
            1,
        ),
        "png swapped profile, palette": (
            saved(paletted, "PNG", icc_profile=_swapped_profile()),
            QUARTERS[..., ::-1],
            1,
        ),
        "png color profile on gray": (
            saved(GRAY, "PNG", icc_profile=_swapped_profile()),
            GRAYS,
            0,
        ),
        "png palette": (saved(paletted, "PNG"), QUARTERS, 1),
        "png palette, transparent": (saved(see_through, "PNG"), ON_WHITE, 1),
        "png rgba": (saved(_over(COLORS, "RGB"), "PNG"), ON_WHITE, 0),
        "png gray and alpha": (saved(_over(GRAY, "L"), "PNG"), on_white_gray, 0),
        "png transparent color": (
            saved(COLORS, "PNG", transparency=(40, 60, 200)),
            blue_is_white,
            0,
        ),
        "png 1 bit": (saved(bilevel, "PNG"), bits, 0),
        "png 16-bit gray": (saved(Image.fromarray(LEVELS), "PNG"), LEVELS8, 0.1),
        "png 16-bit color": (png(96, 64, 16, 2, rgb16), QUARTERS, 0),
        "png animated": (saved(COLORS, "PNG", **many), QUARTERS, 0),
        "webp": (saved(COLORS, "WEBP", quality=95), QUARTERS, 4),
        "webp lossless": (saved(COLORS, "WEBP", lossless=True), QUARTERS, 0),
        "webp rgba": (saved(_over(COLORS, "RGB"), "WEBP", lossless=True), ON_WHITE, 0),
        "webp animated": (saved(COLORS, "WEBP", lossless=True, **many), QUARTERS, 0),
        "tiff": (saved(COLORS, "TIFF"), QUARTERS, 0),
        "tiff lzw": (saved(COLORS, "TIFF", compression="tiff_lzw"), QUARTERS, 0),
        "tiff jpeg": (saved(COLORS, "TIFF", compression="jpeg", quality=95), QUARTERS, 3),
        "tiff pages": (saved(COLORS, "TIFF", **many), QUARTERS, 0),
        "tiff fax": (saved(bilevel, "TIFF", compression="group4"), bits, 0),
        "tiff cmyk": (saved(COLORS.convert("CMYK"), "TIFF"), QUARTERS, 1),
        "tiff lab": (saved(lab, "TIFF"), QUARTERS, 2),
        "tiff big": (tiff(QUARTERS, bigtiff=True, photometric="rgb"), QUARTERS, 0),
        "tiff 16-bit gray": (tiff(LEVELS), LEVELS8, 0.1),
        "tiff 16-bit gray, big-endian": (tiff(LEVELS, byteorder=">"), LEVELS8, 0.1),
        "tiff 16-bit gray, white is 0": (
            tiff(LEVELS, photometric="miniswhite"),
            255 - LEVELS8,
            0.1,
        ),
        "tiff 8-bit gray, white is 0": (
            tiff(LEVELS8[..., 0], photometric="miniswhite"),
            255 - LEVELS8,
            0,
        ),
        "tiff 16-bit color": (
            tiff(QUARTERS.astype(np.uint16) * 257, photometric="rgb"),
            QUARTERS,
            0,
        ),
        "gif": (saved(paletted, "GIF"), QUARTERS, 1),
        "gif animated": (saved(COLORS, "GIF", **many), QUARTERS, 1),
        "gif transparent": (
            saved(paletted, "GIF", transparency=np.asarray(paletted)[-1, 0].item()),
            blue_is_white,
            1,
        ),
        "bmp": (saved(COLORS, "BMP"), QUARTERS, 0),
        "bmp palette": (saved(paletted, "BMP"), QUARTERS, 1),
        "avif": (saved(COLORS, "AVIF", quality=95), QUARTERS, 3),
        "avif animated": (saved(COLORS, "AVIF", quality=95, **many), QUARTERS, 3),
        "avif rgba": (saved(_over(COLORS, "RGB"), "AVIF", quality=95), ON_WHITE, 3),
        "heic": (HEIC.read_bytes(), QUARTERS, 3),
        "1 x 1": (saved(COLORS.crop((0, 0, 1, 1)), "PNG"), QUARTERS[:1, :1], 0),
        "1 x 1 jpeg": (saved(COLORS.crop((0, 0, 1, 1)), "JPEG"), QUARTERS[:1, :1], 3),
        "20000 x 1": (saved(Image.fromarray(lines), "PNG"), lines, 0),
        "1 x 20000": (
            saved(Image.fromarray(np.swapaxes(lines, 0, 1).copy()), "PNG"),
            lines.swapaxes(0, 1),
            0,
        ),
    }
    for orientation in range(1, 9):
        held = {"exif": _oriented(orientation)}
        stored = _stored(orientation)
        files[f"jpeg held {orientation}"] = (saved(stored, "JPEG", **held), QUARTERS, 3)
        files[f"tiff held {orientation}"] = (saved(stored, "TIFF", **held), QUARTERS, 0)
    for kind in ("PNG", "WEBP", "AVIF"):
        file = saved(_stored(6), kind, exif=_oriented(6), quality=95)
        files[f"{kind.lower()} held 6"] = (file, QUARTERS, 4)
    odd = saved(COLORS, "JPEG", exif=_oriented(77))
    files["jpeg held 77"] = (odd, QUARTERS, 3)
    return files


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name -> (file, what the line that refuses it says)."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8))
    huge = struct.pack("<I", 16_383)[:3]
    jpeg = saved(COLORS, "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    scan = jpeg.index(b"\xff\xda")
    bmp = saved(noise, "BMP")
    whole = saved(noise, "PNG")
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    wrong = {
        "text": (b"Dear all, the photo is in the other letter.", "begins with 44 65"),
        "one byte": (b"\xff", "begins with ff"),
        "zeros": (bytes(5000), "begins with 00"),
        "pdf": (b"%PDF-1.7 ...", "a PDF document"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        "xml": (b"<?xml version='1.0'?><a/>", "an XML document"),
        "page": (b"\n<!doctype html><title>404</title>", "a web page"),
        "zip": (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
        "gzip": (b"\x1f\x8b\x08" + bytes(40), "a gzip archive"),
        "video": (b"\0\0\0\x18ftypisom" + bytes(40), "a video"),
        "sound": (b"RIFF\x24\0\0\0WAVEfmt ", "a sound"),
        "photoshop": (b"8BPS\0\x01" + bytes(40), "a Photoshop document"),
        "jpeg xl": (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        "jpeg 2000": (saved(COLORS, "JPEG2000"), "a JPEG 2000 picture"),
        "icon": (saved(COLORS, "ICO"), "an icon"),
        "program": (b"\x7fELF" + bytes(60), "a program"),
    }
    bombs = {
        "png bomb": (png(60_000, 60_000, 8, 2, bytes(1000)), "megapixels, got 60000 x 60000"),
        "png strip": (png(70_000, 1, 8, 2, bytes(210_001)), "sides of at most 65535"),
        "png of no width": (png(0, 4, 8, 2, b""), "damaged|at least 1 x 1"),
        "png text bomb": (
            png(4, 4, 8, 2, bytes(52), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9 << 20)))),
            "damaged",
        ),
        "jpeg bomb": (
            jpeg[: frame + 5] + b"\xff\xff\xff\xff" + jpeg[frame + 9 :],
            "megapixels, got 65535 x 65535",
        ),
        "jpeg of many scans": (jpeg + jpeg[scan:-2] * 200, "at most 100 scans"),
        "gif bomb": (b"GIF89a\xff\xff\xff\xff\0\0\0;", "megapixels|damaged"),
        "gif frame bomb": (
            b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x08\x02L\x01\0;",
            "at most 40 megapixels",
        ),
        "bmp bomb": (
            bmp[:18] + struct.pack("<ii", 60_000, 60_000) + bmp[26:],
            "megapixels, got 60000 x 60000",
        ),
        "webp bomb": (
            b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + huge + huge,
            "at most 40 megapixels",
        ),
        "tiff bomb": (
            b"II*\0\x08\0\0\0\x04\0"
            + b"".join(
                struct.pack("<HHII", tag, 4, 1, value)
                for tag, value in ((256, 60_000), (257, 60_000), (262, 1), (273, 8))
            )
            + bytes(4),
            "megapixels, got 60000 x 60000",
        ),
    }
    inside = {
        "tiff of floats": (tiff(LEVELS.astype(np.float32)), "8 or 16 bits"),
        "tiff of 32-bit integers": (tiff(LEVELS.astype(np.int32)), "8 or 16 bits"),
        "tiff loop": (b"II*\0\x08\0\0\0\0\0\x08\0\0\0", "damaged"),
        "png bit flipped": (bytes(damaged), "damaged"),
        "png without pixels": (whole[:33] + chunk(b"IEND", b""), "damaged"),
        "png rows missing": (png(96, 64, 8, 2, bytes(96)), "damaged"),
        "jpeg of marks": (b"\xff\xd8\xff" + b"\xff\xe1\0\x02" * 50, "damaged"),
    }
    cut = {}
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"):
        file = saved(noise, kind)
        cut[f"half a {kind}"] = (file[: len(file) // 2], "damaged or truncated")
        cut[f"head of a {kind}"] = (file[:24], "damaged or truncated")
        rubbish = np.random.default_rng(len(file)).bytes(2000)
        cut[f"{kind} of rubbish"] = (file[:16] + rubbish, "damaged or truncated|megapixels|sides")
    heic = HEIC.read_bytes()
    cut["half a HEIC"] = (heic[: len(heic) - 120], "damaged or truncated")
    cut["head of a HEIC"] = (heic[:40], "damaged or truncated")
    return wrong | bombs | inside | cut
