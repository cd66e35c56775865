"""The edit file: strokes and ties of a photo, to and from JSON, with the place of a fault named.

Called by the command line, the API and `huefield.colorizer`.  Contract: version 1, points in
pixels of `size` (x to the right, y down, the first pixel from 0 to 1), a stroke with one of
`color` "#rrggbb", of which only the chrominance counts, `ab`, or `"keep": true`, which holds the
colours that the strokes before it made; neutral is `"ab": [0, 0]`. An object `studio` may stand
beside them: the page's own notes (sample, sliders), which change nothing here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from huefield.lab import rgb_to_lab

VERSION = 1
# Far above what a person draws, low enough that a hostile file costs seconds, not minutes.  Ink
# counts the photo's heights that all segments cross, each with its width.
MAX_STROKES = 2_000
MAX_TIES = 100
MAX_POINTS = 20_000
MAX_POINTS_IN_ALL = 200_000
MAX_INK = 5_000
MAX_SIDE = 40_000
MAX_AB = 128.0
# How far from the photo a point may lie, in long sides: pointers leave the page while drawing.
FAR_SIDES = 0.5

Point = tuple[float, float]
_HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class EditsError(ValueError):
    """An edit file breaks its contract; the message begins with the place of the fault."""


@dataclass(frozen=True)
class Region:
    """A thick line with round ends.

    Attributes:
        points: at least one (x, y), pixels.
        radius: half the width, pixels.
    """

    points: tuple[Point, ...]
    radius: float


@dataclass(frozen=True)
class Stroke:
    """A thick line that shall have a colour.

    Attributes:
        points: at least one (x, y), pixels.
        radius: half the width, pixels.
        ab: the colour, ab units.
        strength: 0..1, how much of the pull it gets.
        keep: whether it holds the colours that are there instead of giving `ab`.
    """

    points: tuple[Point, ...]
    radius: float
    ab: tuple[float, float]
    strength: float = 1.0
    keep: bool = False


@dataclass(frozen=True)
class Tie:
    """Two regions that shall have one colour, whatever it is."""

    a: Region
    b: Region


@dataclass(frozen=True)
class Edits:
    """All that a person drew on one photo.

    Attributes:
        size: (width, height) that the points refer to, pixels.
        strokes: later ones cover earlier ones.
        ties: pairs of regions.
    """

    size: tuple[int, int]
    strokes: tuple[Stroke, ...] = ()
    ties: tuple[Tie, ...] = ()

    def __len__(self) -> int:
        return len(self.strokes) + len(self.ties)


def parse_hex_color(text: object) -> npt.NDArray[np.uint8]:
    """The colour (3,) uint8, red, green, blue, of "#rrggbb".

    Raises:
        EditsError: the text is no such colour.
    """
    if not isinstance(text, str) or not _HEX_COLOR.fullmatch(text):
        raise EditsError(f"a colour must be '#rrggbb', got {text!r}")
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.uint8)


def parse_edits(obj: Any) -> Edits:
    """The edits of a parsed JSON object.

    Raises:
        EditsError: it breaks the contract; the message names the place, as in
            `strokes[2].points[0]: ...`.
    """
    top = _mapping(
        obj, "edits", required={"version", "size"}, optional={"strokes", "ties", "studio"}
    )
    if "studio" in top and not isinstance(top["studio"], Mapping):
        raise EditsError(f"studio: expected an object, got {type(top['studio']).__name__}")
    if type(top["version"]) is not int or top["version"] != VERSION:
        raise EditsError(f"version: expected {VERSION}, got {top['version']!r}")
    size = _size(top["size"])
    strokes = _list(top.get("strokes", []), "strokes", MAX_STROKES)
    ties = _list(top.get("ties", []), "ties", MAX_TIES)
    edits = Edits(
        size=size,
        strokes=tuple(_stroke(s, f"strokes[{i}]", size) for i, s in enumerate(strokes)),
        ties=tuple(_tie(t, f"ties[{i}]", size) for i, t in enumerate(ties)),
    )
    regions = [region for tie in edits.ties for region in (tie.a, tie.b)]
    num_points = sum(len(s.points) for s in edits.strokes) + sum(len(r.points) for r in regions)
    if num_points > MAX_POINTS_IN_ALL:
        raise EditsError(f"edits: {num_points} points in all, at most {MAX_POINTS_IN_ALL}")
    ink = sum(_ink(s, size) for s in edits.strokes) + sum(_ink(r, size) for r in regions)
    if ink > MAX_INK:
        raise EditsError(f"edits: {ink:.0f} photo heights of ink in all, at most {MAX_INK}")
    return edits


def edits_to_json(edits: Edits) -> dict[str, Any]:
    """The edit file as an object for `json.dump`; colours as `ab`, so that nothing is lost."""
    return {
        "version": VERSION,
        "size": list(edits.size),
        "strokes": [
            {
                "points": [list(p) for p in stroke.points],
                "radius": stroke.radius,
                **({"keep": True} if stroke.keep else {"ab": list(stroke.ab)}),
                "strength": stroke.strength,
            }
            for stroke in edits.strokes
        ],
        "ties": [
            {
                name: {"points": [list(p) for p in region.points], "radius": region.radius}
                for name, region in (("a", tie.a), ("b", tie.b))
            }
            for tie in edits.ties
        ],
    }


def _ink(region: Region | Stroke, size: tuple[int, int]) -> float:
    """Rows that the segments of a line meet, in photo heights: what painting it costs."""
    y = np.clip(np.array(region.points)[:, 1], 0, size[1])
    reach = min(2 * region.radius, float(size[1]))
    return float(np.abs(np.diff(y)).sum() + len(y) * reach) / size[1]


def _stroke(obj: Any, place: str, size: tuple[int, int]) -> Stroke:
    wishes = {"color", "ab", "keep"}
    keys = _mapping(obj, place, required={"points", "radius"}, optional=wishes | {"strength"})
    if len(wishes & set(keys)) != 1:
        raise EditsError(f"{place}: expected either 'color' or 'ab'")
    if "keep" in keys:
        if keys["keep"] is not True:
            raise EditsError(f"{place}.keep: expected true, got {keys['keep']!r}")
        ab = (0.0, 0.0)
    elif "color" in keys:
        try:
            ab = _hex_ab(keys["color"])
        except EditsError as error:
            raise EditsError(f"{place}.color: {error}") from error
    else:
        pair = _list(keys["ab"], f"{place}.ab", 2)
        if len(pair) != 2:
            raise EditsError(f"{place}.ab: expected [a, b], got {len(pair)} numbers")
        a, b = (_number(v, f"{place}.ab[{i}]", -MAX_AB, MAX_AB) for i, v in enumerate(pair))
        ab = (a, b)
    region = _region(keys, place, size)
    strength = _number(keys.get("strength", 1.0), f"{place}.strength", 0.0, 1.0)
    return Stroke(region.points, region.radius, ab, strength, keep="keep" in keys)


def _hex_ab(text: object) -> tuple[float, float]:
    """The chrominance of "#rrggbb"; people use few colours, so what was said before is kept."""
    if not isinstance(text, str):
        parse_hex_color(text)
    return _text_ab(str(text))


@lru_cache(maxsize=1024)
def _text_ab(text: str) -> tuple[float, float]:
    lab = rgb_to_lab(parse_hex_color(text))
    return float(lab[1]), float(lab[2])


def _tie(obj: Any, place: str, size: tuple[int, int]) -> Tie:
    keys = _mapping(obj, place, required={"a", "b"}, optional=set())
    for name in ("a", "b"):
        _mapping(keys[name], f"{place}.{name}", required={"points", "radius"}, optional=set())
    return Tie(a=_region(keys["a"], f"{place}.a", size), b=_region(keys["b"], f"{place}.b", size))


def _region(keys: Mapping[str, Any], place: str, size: tuple[int, int]) -> Region:
    points = _list(keys["points"], f"{place}.points", MAX_POINTS)
    if not points:
        raise EditsError(f"{place}.points: expected at least one point")
    far = FAR_SIDES * max(size)
    radius = _number(keys["radius"], f"{place}.radius", 0.0, float(max(size)))
    if radius == 0:
        raise EditsError(f"{place}.radius: expected more than 0")
    return Region(
        points=_points(points, f"{place}.points", size, far),
        radius=radius,
    )


def _points(points: list[Any], place: str, size: tuple[int, int], far: float) -> tuple[Point, ...]:
    """Checked points; the place of one is only put into words where it is wrong."""
    wide, high = size[0] + far, size[1] + far
    numbers = (int, float)
    return tuple(
        (float(pair[0]), float(pair[1]))
        if type(pair) is list
        and len(pair) == 2
        and type(pair[0]) in numbers
        and type(pair[1]) in numbers
        and -far <= pair[0] <= wide
        and -far <= pair[1] <= high
        else _point(pair, f"{place}[{i}]", size, far)
        for i, pair in enumerate(points)
    )


def _point(obj: Any, place: str, size: tuple[int, int], far: float) -> Point:
    pair = _list(obj, place, 2)
    if len(pair) != 2:
        raise EditsError(f"{place}: expected [x, y], got {len(pair)} numbers")
    width, height = size
    return (
        _number(pair[0], f"{place}[0]", -far, width + far),
        _number(pair[1], f"{place}[1]", -far, height + far),
    )


def _size(obj: Any) -> tuple[int, int]:
    pair = _list(obj, "size", 2)
    if len(pair) != 2:
        raise EditsError(f"size: expected [width, height], got {len(pair)} numbers")
    for i, value in enumerate(pair):
        if type(value) is not int or not 1 <= value <= MAX_SIDE:
            raise EditsError(f"size[{i}]: expected a whole number in 1..{MAX_SIDE}, got {value!r}")
    return pair[0], pair[1]


def _mapping(obj: Any, place: str, *, required: set[str], optional: set[str]) -> Mapping[str, Any]:
    if not isinstance(obj, Mapping):
        raise EditsError(f"{place}: expected an object, got {type(obj).__name__}")
    unknown = sorted(str(key) for key in obj if key not in required | optional)
    if unknown:
        raise EditsError(f"{place}: unknown key {unknown[0]!r}")
    missing = sorted(required - set(obj))
    if missing:
        raise EditsError(f"{place}: missing key {missing[0]!r}")
    return obj


def _list(obj: Any, place: str, most: int) -> list[Any]:
    if not isinstance(obj, list | tuple):
        raise EditsError(f"{place}: expected a list, got {type(obj).__name__}")
    if len(obj) > most:
        raise EditsError(f"{place}: {len(obj)} entries, at most {most}")
    return list(obj)


def _number(obj: Any, place: str, low: float, high: float) -> float:
    if isinstance(obj, bool) or not isinstance(obj, int | float):
        raise EditsError(f"{place}: expected a number, got {type(obj).__name__}")
    # Compared before it is converted: a JSON integer can be too large for a float.
    if isinstance(obj, float) and not math.isfinite(obj):
        raise EditsError(f"{place}: expected a finite number, got {obj!r}")
    if not low <= obj <= high:
        raise EditsError(f"{place}: expected {low:g} to {high:g}, got {str(obj)[:24]}")
    return float(obj)
