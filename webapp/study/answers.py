"""What participants send, as checked values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from webapp.problems import ProblemError

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CHOICES = ("left", "right", "cant-tell", "timeout")
_INPUTS = ("keyboard", "mouse", "touch", "pen", "none")
_VISIONS = ("typical", "deficient", "unsure")


@dataclass(frozen=True)
class Device:
    """What a page says of the screen it is on; sizes in CSS pixels."""

    width: int
    height: int
    pixel_ratio: float
    pointer: str


@dataclass(frozen=True)
class Answer:
    """One vote as sent; times in milliseconds. `client_key` is the same when it is sent again."""

    trial: str
    choice: str
    client_key: str
    response_ms: float
    width: int
    height: int
    pixel_ratio: float
    focus_losses: int
    hidden_ms: float
    pauses: int
    shows: int
    input: str


def read_device(body: Mapping[str, object]) -> Device:
    """The device members of a body.

    Raises:
        ProblemError: 422, names the member.
    """
    return Device(
        width=int(_number(body, "width", 1, 100_000)),
        height=int(_number(body, "height", 1, 100_000)),
        pixel_ratio=_number(body, "pixel_ratio", 0.1, 20),
        pointer=_one_of(body, "pointer", ("fine", "coarse")),
    )


def read_answer(body: Mapping[str, object]) -> Answer:
    """The vote in a body.

    Raises:
        ProblemError: 422, names the member.
    """
    return Answer(
        trial=_key(body, "trial"),
        choice=_one_of(body, "choice", _CHOICES),
        client_key=_key(body, "client_key"),
        response_ms=_number(body, "response_ms", 0, 1e9),
        width=int(_number(body, "width", 1, 100_000)),
        height=int(_number(body, "height", 1, 100_000)),
        pixel_ratio=_number(body, "pixel_ratio", 0.1, 20),
        focus_losses=int(_number(body, "focus_losses", 0, 100_000)),
        hidden_ms=_number(body, "hidden_ms", 0, 1e10),
        pauses=int(_number(body, "pauses", 0, 100_000)),
        shows=int(_number(body, "shows", 1, 100_000)),
        input=_one_of(body, "input", _INPUTS),
    )


def read_screen(body: Mapping[str, object]) -> tuple[str, int]:
    """Colour vision as stated, and how many of 8 grey steps are told apart.

    Raises:
        ProblemError: 422, names the member.
    """
    return _one_of(body, "color_vision", _VISIONS), int(_number(body, "screen_steps", 0, 8))


def read_text(body: Mapping[str, object], name: str, longest: int = 255) -> str:
    """A text member; empty when it is left out.

    Raises:
        ProblemError: 422, names the member.
    """
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise refused(name, f"expected at most {longest} printable characters")
    return value


def refused(name: str, reason: str) -> ProblemError:
    """A 422 that names the member and what was expected."""
    return ProblemError(
        422, "request-refused", "The request is not valid", f"{name}: {reason}", {"member": name}
    )


def _number(body: Mapping[str, object], name: str, least: float, most: float) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused(name, "expected a number")
    if not math.isfinite(value) or not least <= value <= most:
        raise refused(name, f"expected {least:g} to {most:g}")
    return float(value)


def _one_of(body: Mapping[str, object], name: str, options: tuple[str, ...]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in options:
        raise refused(name, f"expected one of {', '.join(options)}")
    return value


def _key(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise refused(name, "expected 8 to 64 of A-Z, a-z, 0-9, - and _")
    return value
