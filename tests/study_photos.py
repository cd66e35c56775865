"""Folders of small real photos in several colourings, for tests of studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

ROOT = Path(__file__).resolve().parents[1]
SIZE = (96, 72)


def sources(count: int) -> list[Image.Image]:
    """Pieces of the shipped colour photos, all different, SIZE large."""
    found = []
    files = [ROOT / "static/examples" / name for name in ("boothbay.jpg", "bryggen.jpg")]
    rng = np.random.default_rng(5)
    photos = [Image.open(path).convert("RGB") for path in files]
    for photo in photos:
        photo.thumbnail((640, 640))
    for k in range(count):
        photo = photos[k % len(photos)]
        x = int(rng.integers(photo.width - 240))
        y = int(rng.integers(photo.height - 180))
        found.append(photo.crop((x, y, x + 240, y + 180)).resize(SIZE, Image.Resampling.LANCZOS))
    return found


def write_study_folders(base: Path, photos: list[Image.Image]) -> Path:
    """Folders truth, strong (as the truth), pale (half the colour) and gray-blue under `base`."""
    for k, photo in enumerate(photos):
        pale = ImageEnhance.Color(photo).enhance(0.45)
        bluish = Image.merge("RGB", [*(ImageEnhance.Color(photo).enhance(0.1)).split()])
        bluish = Image.blend(bluish, Image.new("RGB", photo.size, (70, 90, 200)), 0.25)
        vivid = ImageEnhance.Color(photo).enhance(1.15)
        for name, picture in (
            ("truth", photo),
            ("strong", vivid),
            ("pale", pale),
            ("bluish", bluish),
        ):
            (base / name).mkdir(parents=True, exist_ok=True)
            picture.save(base / name / f"photo-{k:02d}.png")
    return base
