"""Requests of the API as checked values: what was sent, or a problem that names the fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flask import request

from huefield.strokes import Edits, edits_to_json, parse_edits
from webapp.problems import ProblemError

MAX_SAMPLES = 12
MAX_SEED = 2**31 - 1
MAX_JSON_BYTES = 4_000_000
SIDES = (256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
ImageFormat = Literal["png", "jpg", "webp"]
FORMATS: dict[ImageFormat, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True)
class ColorizationRequest:
    """What ``POST …/colorizations`` asks for; ``edits`` is None when nothing was painted."""

    model: str
    samples: int
    seed: int
    condition: bool
    edits: Edits | None

    def identity(self) -> dict[str, object]:
        """All that the answer depends on besides photo and weights, as JSON values."""
        return {
            "model": self.model,
            "samples": self.samples,
            "seed": self.seed,
            "condition": self.condition,
            "edits": None if self.edits is None else edits_to_json(self.edits),
        }


def read_colorization(default_model: str, size: tuple[int, int]) -> ColorizationRequest:
    """The body of the current request, for a photo of ``size`` (width, height).

    Raises:
        ProblemError: 400, 413 or 415 for a body that is no JSON object, 422 for a wrong member.
        EditsError: the edits are not valid; names the place.
    """
    body = read_json_object()
    known = {"model", "samples", "seed", "condition", "edits"}
    for name in body:
        if name not in known:
            raise _wrong(name, f"unknown; known are {', '.join(sorted(known))}")
    model = body.get("model", default_model)
    if not isinstance(model, str):
        raise _wrong("model", "expected a name")
    condition = body.get("condition", False)
    if not isinstance(condition, bool):
        raise _wrong("condition", "expected true or false")
    edits = None
    if body.get("edits") is not None:
        given = body["edits"]
        if not isinstance(given, Mapping):
            raise _wrong("edits", "expected an edit file (a JSON object)")
        edits = parse_edits(given)
        if tuple(edits.size) != size:
            made_for = " × ".join(str(side) for side in edits.size)
            raise _wrong(
                "edits", f"made for a photo of {made_for}, this one has {size[0]} × {size[1]}"
            )
        if not edits.strokes and not edits.ties:
            edits = None
    return ColorizationRequest(
        model=model,
        samples=_whole_number(body, "samples", 6, 1, MAX_SAMPLES),
        seed=_whole_number(body, "seed", 0, 0, MAX_SEED),
        condition=condition,
        edits=edits,
    )


def read_json_object() -> dict[str, object]:
    """The JSON object in the body of the current request.

    Raises:
        ProblemError: 400 when it is none. Flask answers 413 and 415 for length and type.
    """
    request.max_content_length = MAX_JSON_BYTES
    try:
        body = request.get_json()
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise ProblemError(400, "bad-request", "Bad request", "The body has to be a JSON object.")
    return body


def read_side(default: int = 1024) -> int:
    """The query's ``side`` (longest side of an image in pixels), one of ``SIDES``.

    Raises:
        ProblemError: 422 for any other value.
    """
    text = request.args.get("side")
    if text is None:
        return default
    if not text.isdecimal() or int(text) not in SIDES:
        raise _wrong("side", f"expected one of {', '.join(map(str, SIDES))}")
    return int(text)


def read_format(default: ImageFormat = "png") -> ImageFormat:
    """The query's ``format``: png, jpg or webp.

    Raises:
        ProblemError: 422 for any other value.
    """
    value = request.args.get("format", default)
    for known in FORMATS:
        if value == known:
            return known
    raise _wrong("format", f"expected one of {', '.join(FORMATS)}")


def read_place(width: int, height: int) -> tuple[float, float]:
    """The query's ``x`` and ``y``, in pixels inside the photo.

    Raises:
        ProblemError: 422 when one is missing, no number or outside.
    """
    place = []
    for name, limit in (("x", width), ("y", height)):
        try:
            value = float(request.args[name])
        except (KeyError, ValueError):
            raise _wrong(name, "expected a number") from None
        if not 0 <= value <= limit:
            raise _wrong(name, f"expected 0 to {limit}, got {value:g}")
        place.append(value)
    return place[0], place[1]


def _whole_number(
    body: Mapping[str, object], name: str, default: int, least: int, most: int
) -> int:
    value = body.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise _wrong(name, f"expected a whole number from {least} to {most}")
    return value


def _wrong(name: str, reason: str) -> ProblemError:
    return ProblemError(
        422, "request-refused", "The request is not valid", f"{name}: {reason}", {"member": name}
    )
