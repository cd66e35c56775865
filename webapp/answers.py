"""Answers of the API as JSON: photos, colourings with the addresses of their pictures, streams.

Called by the views in `webapp.api`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import cast

import numpy as np
from flask import current_app, url_for
from numpy.typing import NDArray

from huefield.sample import Sample
from webapp.forms import ColorizationRequest
from webapp.notes import sample_note
from webapp.problems import problem_of
from webapp.storage import StoredColorization, StoredPhoto
from webapp.workbench import Workbench

NDJSON = "application/x-ndjson"
FIELD_STEPS = 200  # whole numbers for one unit of ab, which leaves room for ±163


def photo_json(photo: StoredPhoto, bench: Workbench) -> dict[str, object]:
    """What a page has to know of a photo."""

    def address(endpoint: str) -> str:
        return url_for(f"api.{endpoint}", photo_id=photo.id)

    return {
        "id": photo.id,
        "name": photo.name,
        "size": [photo.width, photo.height],
        "grid": bench.grid_size(photo),
        "format": photo.format,
        "has_color": photo.has_color,
        "lifetime": current_app.config["PHOTO_LIFETIME"],
        "url": address("show_photo"),
        "grey": address("show_grey"),
        "original": address("show_original"),
        "colorizations": address("add_colorization"),
        "comparisons": address("add_comparison"),
        "influence": address("show_influence"),
        "uncertainty": address("show_uncertainty"),
        "palette": address("show_palette"),
    }


def colorization_json(photo: StoredPhoto, made: StoredColorization) -> dict[str, object]:
    """A colouring with the addresses of its samples."""
    samples = cast(list[dict[str, object]], made.document["samples"])
    entries = [
        {**sample, **_addresses(photo, made.key, index)} for index, sample in enumerate(samples)
    ]
    return {**made.document, "id": made.key, "samples": entries}


def field_json(field: NDArray[np.float32]) -> dict[str, object]:
    """A colour field (h, w, 2): ab times `FIELD_STEPS` as 16-bit little-endian, in base64."""
    steps = np.rint(np.clip(field * FIELD_STEPS, -32_767, 32_767)).astype("<i2")
    return {
        "grid": [field.shape[1], field.shape[0]],
        "steps": FIELD_STEPS,
        "ab": base64.b64encode(steps.tobytes()).decode(),
    }


def sample_lines(
    photo: StoredPhoto,
    wanted: ColorizationRequest,
    entries: Iterator[Sample | StoredColorization],
) -> Iterator[str]:
    """One JSON line a sample with its colour field, then one with all addresses.

    A draft ends without addresses. A fault after the first sample is the last line, as a problem.
    """
    try:
        for entry in entries:
            if isinstance(entry, Sample):
                yield _line({"sample": {**sample_note(entry), "field": field_json(entry.field)}})
            elif not wanted.draft:
                yield _line({"colorization": colorization_json(photo, entry)})
    except Exception as error:
        # The status is sent, so the app's handler cannot answer any more.
        yield _line({"problem": problem_of(error).body()})


def _addresses(photo: StoredPhoto, key: str, index: int) -> dict[str, str]:
    names = {"preview": "show_preview", "download": "download", "unary": "show_unary"}
    return {
        name: url_for(f"api.{endpoint}", photo_id=photo.id, key=key, index=index)
        for name, endpoint in names.items()
    }


def _line(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n"
