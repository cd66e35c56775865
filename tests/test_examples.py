"""The shipped photos: what examples.json says of them is true, and they are small."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "static" / "examples"
LISTED = json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))["examples"]


def test_every_photo_is_listed() -> None:
    assert sorted(entry["file"] for entry in LISTED) == sorted(
        p.name for p in EXAMPLES.glob("*.jpg")
    )


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_listing_is_true(entry: dict[str, object]) -> None:
    path = EXAMPLES / str(entry["file"])
    assert path.stat().st_size <= 200_000
    with Image.open(path) as picture:
        assert list(picture.size) == entry["size"]
        assert picture.width * picture.height <= 1_000_000
        rgb = np.asarray(picture.convert("RGB")).astype(int)
        assert not picture.getexif()
    assert bool((rgb.max(2) - rgb.min(2)).max() > 30) == entry["color"]
    for key in ("title", "credit", "source", "licence"):
        assert entry[key]
