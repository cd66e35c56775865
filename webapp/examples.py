"""The photos under ``static/examples`` that a newcomer can try."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from webapp.problems import ProblemError

_SIDE = 360


@dataclass(frozen=True)
class Example:
    """One example photo with its credit; ``name`` is its file name without the ending."""

    name: str
    path: Path
    title: str
    credit: str
    licence: str
    width: int
    height: int


class Examples:
    """The examples listed in ``folder/examples.json``; none when there is no such file."""

    def __init__(self, folder: Path) -> None:
        self._examples = _read_list(folder)
        self._thumbnails: dict[str, tuple[bytes, str]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Example]:
        """Every example in the order of the list."""
        return list(self._examples.values())

    def find(self, name: str) -> Example:
        """The example of that name.

        Raises:
            ProblemError: 404 when there is none.
        """
        if name not in self._examples:
            raise ProblemError(404, "example-not-found", "No such example", "See /api/v1/examples.")
        return self._examples[name]

    def thumbnail(self, name: str) -> tuple[bytes, str]:
        """A small WebP of an example and its entity tag.

        Raises:
            ProblemError: 404 when there is no such example.
        """
        example = self.find(name)
        with self._lock:
            if name not in self._thumbnails:
                stream = io.BytesIO()
                with Image.open(example.path) as image:
                    image.draft("RGB", (2 * _SIDE, 2 * _SIDE))
                    small = image.convert("RGB")
                small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
                small.save(stream, "WEBP", quality=82)
                data = stream.getvalue()
                self._thumbnails[name] = (data, hashlib.sha256(data).hexdigest()[:16])
            return self._thumbnails[name]


def _read_list(folder: Path) -> dict[str, Example]:
    note = folder / "examples.json"
    if not note.is_file():
        return {}
    found = {}
    for entry in json.loads(note.read_text(encoding="utf-8"))["examples"]:
        path = folder / Path(entry["file"]).name
        found[path.stem] = Example(
            name=path.stem,
            path=path,
            title=entry["title"],
            credit=entry["credit"],
            licence=entry["licence"],
            width=int(entry["size"][0]),
            height=int(entry["size"][1]),
        )
    return found
