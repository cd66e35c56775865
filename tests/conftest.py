"""What tests share: shipped photos, the photo sets where a machine has them, real small models."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "static" / "examples"


@pytest.fixture(scope="session")
def example_photos() -> Mapping[str, Path]:
    """Shipped photos by name (`mechanic`, `boothbay`, ...); three of them are in colour."""
    listing = json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))
    return {Path(entry["file"]).stem: EXAMPLES / entry["file"] for entry in listing["examples"]}


@pytest.fixture(scope="session")
def color_photos(example_photos: Mapping[str, Path]) -> Mapping[str, Path]:
    """Those of the shipped photos that are in colour."""
    listing = json.loads((EXAMPLES / "examples.json").read_text(encoding="utf-8"))
    names = [Path(entry["file"]).stem for entry in listing["examples"] if entry["color"]]
    return {name: example_photos[name] for name in names}


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder with the photo-set zips (`HUEFIELD_DATA`, else `../shared/data` beside the checkout).

    A test that asks for it is skipped, with the reason, where there is none.
    """
    named = os.environ.get("HUEFIELD_DATA")
    root = Path(named) if named else ROOT.parent / "shared" / "data"
    if not any(root.glob("*.zip")):
        pytest.skip(f"no photo sets under {root}; name their folder in HUEFIELD_DATA")
    return root
