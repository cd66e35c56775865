"""Reading any file people may bring, refusing the rest in one line, and what is written."""

from __future__ import annotations

import io
import resource
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile

from huefield import lab, photo, png
from huefield.photo import PhotoError, has_color, read_photo, write_photo
from tests.huefield.photo_files import (
    COLORS,
    GRAY,
    LEVELS,
    QUARTERS,
    bad_files,
    good_files,
    saved,
    tiff,
)

GOOD = good_files()
BAD = bad_files()


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 50
    assert len(GOOD) + len(BAD) >= 120


@pytest.mark.parametrize("name", GOOD)
def test_every_form_of_a_photo_is_read_rightly(name: str) -> None:
    data, expected, tolerance = GOOD[name]
    result = read_photo(data)
    assert result.rgb.shape == expected.shape
    assert np.abs(result.rgb.astype(int) - expected).mean() <= tolerance
    assert (result.height, result.width) == expected.shape[:2]
    assert result.size == expected.shape[1::-1]
    assert result.rgb.flags.c_contiguous
    assert result.lightness.dtype == np.float32
    assert np.abs(result.lightness - lab.rgb_to_lightness(result.rgb)).max() < 0.6
    assert name.lower().startswith(result.format.lower()) or name[0].isdigit()


@pytest.mark.parametrize("name", BAD)
def test_every_other_file_is_refused_in_one_line(name: str) -> None:
    data, words = BAD[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PhotoError, match=words) as caught:
        read_photo(data)
    line = str(caught.value)
    assert line.startswith("expected ")
    assert "got " in line
    assert line.isprintable()
    assert len(line) < 260
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kilobytes: nothing of a bomb's size was allocated


def test_limits_are_judged_before_decoding() -> None:
    with pytest.raises(PhotoError, match=r"got an empty file \(0 bytes\)"):
        read_photo(b"")
    with pytest.raises(PhotoError, match=r"at most 0\.001 MB, got 0\.0 MB"):
        read_photo(saved(COLORS, "BMP"), max_bytes=1000)
    with pytest.raises(PhotoError, match=r"at most 0\.006 megapixels, got 96 x 64 \(0\.0\)"):
        read_photo(saved(COLORS, "PNG"), max_pixels=6_000)
    assert read_photo(saved(COLORS, "PNG"), max_pixels=96 * 64).size == (96, 64)


def test_16_bits_reach_the_lightness() -> None:
    smooth = read_photo(saved(Image.fromarray(LEVELS), "PNG")).lightness
    assert len(np.unique(smooth)) > 5000
    upside_down = read_photo(tiff(LEVELS, photometric="miniswhite")).lightness
    np.testing.assert_allclose(upside_down, smooth[::-1, ::-1], atol=0.05)


def test_gray_profile_changes_both_depths_alike() -> None:
    # A gray profile made of the sRGB one's white point and a straight line as its curve.
    linear = _gray_profile()
    deep = read_photo(saved(Image.fromarray(LEVELS), "PNG", icc_profile=linear))
    eight = Image.fromarray(np.rint(LEVELS / 257).astype(np.uint8))
    shallow = read_photo(saved(eight, "PNG", icc_profile=linear))
    assert np.abs(deep.rgb.astype(int) - shallow.rgb).max() <= 3
    middle = deep.rgb.reshape(-1, 3)[LEVELS.size // 2]
    assert np.abs(middle.astype(int) - 188).max() <= 2  # half the light is sRGB code 188


def _gray_profile() -> bytes:
    white = b"XYZ \0\0\0\0" + bytes.fromhex("0000f6d6 00010000 0000d32d")
    curve = b"curv\0\0\0\0\0\0\0\0"
    text = b"desc\0\0\0\0\0\0\0\x05gray\0" + bytes(78 + 1)
    table, body, start = b"", b"", 128 + 4 + 36
    for name, data in ((b"wtpt", white), (b"kTRC", curve), (b"desc", text)):
        data += bytes(-len(data) % 4)
        place = (start + len(body)).to_bytes(4, "big")
        table += name + place + len(data).to_bytes(4, "big")
        body += data
    size = start + len(body)
    head = size.to_bytes(4, "big") + b"lcms\x02\x10\0\0mntrGRAYXYZ " + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + bytes.fromhex("0000f6d6 00010000 0000d32d")
    return head.ljust(128, b"\0") + (3).to_bytes(4, "big") + table + body


def test_color_is_told_from_gray_and_tone(example_photos: Mapping[str, Path]) -> None:
    rng = np.random.default_rng(0)
    gray = np.asarray(Image.open(example_photos["mechanic"]).convert("RGB"))
    assert not has_color(gray)
    noisy = gray + rng.normal(0, 10, gray.shape)
    assert not has_color(np.clip(noisy, 0, 255).astype(np.uint8))
    sepia = Image.fromarray((gray * [1.0, 0.87, 0.68]).astype(np.uint8))
    for quality in (25, 90):
        assert not read_photo(saved(sepia, "JPEG", quality=quality)).has_color
    tinted = gray.copy()
    tinted[: len(gray) // 4, : len(gray) // 4, 0] //= 2  # one corner coloured by hand
    assert has_color(tinted)
    assert not has_color(QUARTERS[:1, :1])


def test_shipped_photos_know_whether_they_have_color(
    example_photos: Mapping[str, Path], color_photos: Mapping[str, Path]
) -> None:
    for name, path in example_photos.items():
        assert read_photo(path.read_bytes()).has_color == (name in color_photos)


def _tagged() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Zeiss"
    exif[ExifTags.Base.DateTime] = "1999:12:31 23:59:58"
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Software] = "Another"
    exif[ExifTags.Base.Artist] = "x" * 5000
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "1999:12:30 01:02:03"
    details[ExifTags.Base.MakerNote] = b"secret"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return saved(COLORS, "JPEG", exif=exif)


@pytest.mark.parametrize("file_format", ["png", "jpg", "webp"])
def test_written_files_keep_dates_and_say_who_made_the_colours(file_format: str) -> None:
    original = read_photo(_tagged())
    data = write_photo(original.rgb, file_format, exif=original.exif, model="ph<o>tos")
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        exif = image.getexif()
        texts = dict(image.info)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(texts["icc_profile"]))
    assert exif[ExifTags.Base.Make] == "Zeiss"
    assert exif[ExifTags.Base.DateTime] == "1999:12:31 23:59:58"
    assert exif[ExifTags.Base.Software] == "Huefield (model ph<o>tos)"
    assert "made by Huefield (model ph<o>tos)" in exif[ExifTags.Base.ImageDescription]
    assert ExifTags.Base.Orientation not in exif
    assert ExifTags.Base.Artist not in exif
    assert ExifTags.IFD.GPSInfo not in exif
    details = exif.get_ifd(ExifTags.IFD.Exif)
    assert details[ExifTags.Base.DateTimeOriginal] == "1999:12:30 01:02:03"
    assert ExifTags.Base.MakerNote not in details
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert b"model ph&lt;o&gt;tos" in texts["xmp"]
    if file_format == "png":
        assert texts["Software"] == "Huefield (model ph<o>tos)"
    again = read_photo(data)
    assert again.exif == original.exif
    assert again.size == original.size


def test_written_pixels_and_options() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 90, 3), np.uint8)
    np.testing.assert_array_equal(read_photo(write_photo(noise, "png")).rgb, noise)
    np.testing.assert_array_equal(read_photo(write_photo(noise, "png", fast=True)).rgb, noise)
    with Image.open(io.BytesIO(write_photo(QUARTERS, "jpg"))) as image:
        assert isinstance(image, JpegImageFile)
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # 4:4:4
    for kind in ("jpg", "webp"):
        assert len(write_photo(noise, kind, quality=30)) < len(write_photo(noise, kind)) * 0.7
    assert write_photo(noise, "webp", fast=True) != write_photo(noise, "webp")
    assert write_photo(noise, "png", model="a") == write_photo(noise, "png", model="a")


def test_what_cannot_be_written_is_said() -> None:
    with pytest.raises(PhotoError, match="expected png, jpg or webp, got 'gif'"):
        write_photo(QUARTERS, "gif")
    with pytest.raises(PhotoError, match="quality of 1 to 100, got 0"):
        write_photo(QUARTERS, "jpg", quality=0)
    with pytest.raises(PhotoError, match="at most 16383 pixels for webp, got 20000 x 1"):
        write_photo(np.zeros((1, 20_000, 3), np.uint8), "webp")
    assert read_photo(write_photo(np.zeros((1, 20_000, 3), np.uint8), "jpg")).width == 20_000


@pytest.mark.parametrize("shape", [(1, 1), (1300, 1700), (3, 60_000), (60_000, 3)])
def test_png_of_many_bands_is_whole(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 50, (*shape, 3), np.uint8)
    data = png.encode_png(rgb, [])
    with Image.open(io.BytesIO(data)) as image:
        image.load()  # checks the sum of each chunk
        np.testing.assert_array_equal(np.asarray(image), rgb)
    packed, place = b"", 8
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + size]
        place += 12 + size
    assert len(zlib.decompress(packed)) == rgb.size + shape[0]  # and the sum of the stream


def test_photo_names_what_it_offers() -> None:
    assert set(photo.__all__) <= set(dir(photo))
    assert not read_photo(saved(GRAY, "PNG")).has_color
