"""Requests of the API as checked values: what was sent, or a problem that names the fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flask import request

from huefield.picks import Pick
from huefield.strokes import Edits, edits_to_json, parse_edits
from huefield.tone import Tone
from webapp.problems import ProblemError

MAX_SAMPLES = 12
MAX_SEED = 2**31 - 1
MAX_DRAW = 59  # last place in a set that a pick may name
MAX_NEAR = 8  # steps of a way
MAX_JSON_BYTES = 4_000_000
SIDES = (256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
ImageFormat = Literal["png", "jpg", "webp"]
FORMATS: dict[ImageFormat, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True)
class ColorizationRequest:
    """What ``POST …/colorizations`` asks for; ``edits`` is None when nothing was painted.

    ``picks`` names every sample; a set of ``samples`` from ``seed`` is a short way to say some.
    A ``draft`` is not kept: it is what a page shows while a stroke is drawn.
    """

    model: str
    samples: int
    seed: int
    condition: bool
    edits: Edits | None
    picks: tuple[Pick, ...]
    draft: bool

    def identity(self) -> dict[str, object]:
        """All that the answer depends on besides photo and weights, as JSON values."""
        return {
            "model": self.model,
            "samples": self.samples,
            "seed": self.seed,
            "condition": self.condition,
            "picks": [pick_to_json(pick) for pick in self.picks],
            "edits": None if self.edits is None else edits_to_json(self.edits),
        }


def read_colorization(default_model: str, size: tuple[int, int]) -> ColorizationRequest:
    """The body of the current request, for a photo of ``size`` (width, height).

    Raises:
        ProblemError: 400, 413 or 415 for a body that is no JSON object, 422 for a wrong member.
        EditsError: the edits are not valid; names the place.
    """
    body = read_json_object()
    _check_known(body, {"model", "samples", "seed", "condition", "edits", "picks", "draft"})
    model = body.get("model", default_model)
    if not isinstance(model, str):
        raise wrong("model", "expected a name")
    condition, draft = (body.get(name, False) for name in ("condition", "draft"))
    for name, value in (("condition", condition), ("draft", draft)):
        if not isinstance(value, bool):
            raise wrong(name, "expected true or false")
    edits = _edits(body, size)
    samples = _whole_number(body, "samples", 6, 1, MAX_SAMPLES)
    seed = _whole_number(body, "seed", 0, 0, MAX_SEED)
    picks = _picks(body["picks"]) if "picks" in body else ()
    if picks and condition:
        raise wrong("condition", "expected false where picks are given")
    if picks and not {"samples", "seed"}.isdisjoint(body):
        raise wrong("picks", "expected either picks or samples and seed")
    return ColorizationRequest(
        model=model,
        samples=len(picks) or samples,
        seed=seed,
        condition=bool(condition),
        edits=edits,
        picks=picks or tuple(Pick(seed, index) for index in range(samples)),
        draft=bool(draft),
    )


@dataclass(frozen=True)
class ComparisonRequest:
    """What ``POST …/comparisons`` asks for; ``edits`` is None when nothing was painted."""

    method: str
    samples: int | None
    seed: int
    edits: Edits | None


def read_comparison(size: tuple[int, int]) -> ComparisonRequest:
    """The body of the current request, for a photo of ``size`` (width, height).

    Raises:
        ProblemError: 400, 413 or 415 for a body that is no JSON object, 422 for a wrong member.
        EditsError: the edits are not valid; names the place.
    """
    body = read_json_object()
    _check_known(body, {"method", "samples", "seed", "edits"})
    method = body.get("method")
    if not isinstance(method, str):
        raise wrong("method", "expected a name")
    samples = _whole_number(body, "samples", 6, 1, MAX_SAMPLES)
    seed = _whole_number(body, "seed", 0, 0, MAX_SEED)
    given = samples if "samples" in body else None
    return ComparisonRequest(method, given, seed, _edits(body, size))


def pick_to_json(pick: Pick) -> dict[str, object]:
    """A pick as the API says it."""
    near = [list(step) for step in pick.near]
    return {"seed": pick.seed, "index": pick.index, "near": near, "wide": pick.wide}


def read_tone() -> Tone:
    """The query's ``saturation``, ``warmth`` and ``strength``.

    Raises:
        ProblemError: 422 for a value that is no number or outside its range.
    """
    values = {}
    for name in ("saturation", "warmth", "strength"):
        text = request.args.get(name)
        if text is None:
            continue
        try:
            values[name] = float(text)
        except ValueError:
            raise wrong(name, "expected a number") from None
    try:
        return Tone(**values)
    except ValueError as error:
        name, _, reason = str(error).partition(": ")
        raise wrong(name, reason) from None


def read_flag(name: str) -> bool:
    """A flag of the query: 1, or 0 as when it is not there.

    Raises:
        ProblemError: 422 for any other value.
    """
    text = request.args.get(name, "0")
    if text not in ("0", "1"):
        raise wrong(name, "expected 0 or 1")
    return text == "1"


def _check_known(body: Mapping[str, object], known: set[str]) -> None:
    for name in body:
        if name not in known:
            raise wrong(name, f"unknown; known are {', '.join(sorted(known))}")


def _edits(body: Mapping[str, object], size: tuple[int, int]) -> Edits | None:
    """The member ``edits``, made for a photo of ``size``; None where it says nothing."""
    given = body.get("edits")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise wrong("edits", "expected an edit file (a JSON object)")
    edits = parse_edits(given)
    if tuple(edits.size) != size:
        made_for = " × ".join(str(side) for side in edits.size)
        raise wrong("edits", f"made for a photo of {made_for}, this one has {size[0]} × {size[1]}")
    return edits if edits.strokes or edits.ties else None


def _picks(given: object) -> tuple[Pick, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_SAMPLES:
        raise wrong("picks", f"expected a list of 1 to {MAX_SAMPLES}")
    return tuple(read_pick(entry, f"picks[{place}]") for place, entry in enumerate(given))


def read_pick(entry: object, name: str = "pick") -> Pick:
    """A pick from its JSON form.

    Raises:
        ProblemError: 422 naming the member that is wrong.
    """
    if not isinstance(entry, dict) or not {"seed", "index"} <= entry.keys():
        raise wrong(name, "expected an object with seed and index")
    for key in entry:
        if key not in ("seed", "index", "near", "wide"):
            raise wrong(name, f"unknown: {key}")
    wide = entry.get("wide", False)
    if not isinstance(wide, bool):
        raise wrong(f"{name}.wide", "expected true or false")
    near = entry.get("near", [])
    if not isinstance(near, list) or len(near) > MAX_NEAR:
        raise wrong(f"{name}.near", f"expected a list of at most {MAX_NEAR} steps")
    return Pick(
        *_step([entry["seed"], entry["index"]], name),
        tuple(_step(step, f"{name}.near[{k}]") for k, step in enumerate(near)),
        wide,
    )


def _step(given: object, name: str) -> tuple[int, int]:
    if not isinstance(given, list) or [type(value) for value in given] != [int, int]:
        raise wrong(name, "expected two whole numbers, seed and index")
    seed, index = given
    if not (0 <= seed <= MAX_SEED and 0 <= index <= MAX_DRAW):
        raise wrong(name, f"expected a seed of 0 to {MAX_SEED} and an index of 0 to {MAX_DRAW}")
    return seed, index


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
        raise wrong("side", f"expected one of {', '.join(map(str, SIDES))}")
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
    raise wrong("format", f"expected one of {', '.join(FORMATS)}")


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
            raise wrong(name, "expected a number") from None
        if not 0 <= value <= limit:
            raise wrong(name, f"expected 0 to {limit}, got {value:g}")
        place.append(value)
    return place[0], place[1]


def _whole_number(
    body: Mapping[str, object], name: str, default: int, least: int, most: int
) -> int:
    value = body.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise wrong(name, f"expected a whole number from {least} to {most}")
    return value


def wrong(name: str, reason: str) -> ProblemError:
    """A member of the request that cannot be taken, by name."""
    return ProblemError(
        422, "request-refused", "The request is not valid", f"{name}: {reason}", {"member": name}
    )
