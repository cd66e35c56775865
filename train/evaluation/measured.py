"""Figures kept as they are measured, one JSON line each, so that a long table can be resumed.

Called by `train.evaluation.points`. A line is taken over only where photo, protocol and the
method's settings are the same; a line that a crash cut off is measured again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import TracebackType
from typing import TextIO

from train.evaluation.photos import SquarePhoto

Found = tuple[list[float], float]
Key = tuple[int, str, str, str]


class Measured:
    """PSNR and seconds by photo and method; use as a context manager.

    Args:
        path: The file, made where it is missing; None keeps the figures in memory only.
        protocol: What all figures depend on, beside photo and method.
    """

    def __init__(self, path: Path | None, protocol: str) -> None:
        self._protocol = protocol
        self._found: dict[Key, Found] = {}
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Measured:
        if self._path is not None and self._path.exists():
            self._read(self._path.read_text(encoding="utf-8").splitlines())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self, lines: list[str]) -> None:
        for line in lines:
            try:
                entry = json.loads(line)
                key = (int(entry["number"]), entry["photo"], entry["method"], entry["settings"])
                self._found[key] = ([float(v) for v in entry["psnr"]], float(entry["seconds"]))
            except (json.JSONDecodeError, KeyError, TypeError, ValueError):
                continue

    def _key(self, number: int, photo: SquarePhoto, method: str, settings: str) -> Key:
        text = f"{self._protocol} {settings}".encode()
        pixels = hashlib.sha256(photo.rgb.tobytes() + text).hexdigest()[:16]
        return number, photo.name, method, pixels

    def get(self, number: int, photo: SquarePhoto, method: str, settings: str) -> Found | None:
        """PSNR of each count and seconds, where they are known."""
        return self._found.get(self._key(number, photo, method, settings))

    def require(self, number: int, photo: SquarePhoto, method: str, settings: str) -> Found:
        """PSNR of each count and seconds, which have been measured."""
        return self._found[self._key(number, photo, method, settings)]

    def put(
        self, number: int, photo: SquarePhoto, method: str, settings: str, found: Found
    ) -> None:
        """Keeps figures, on disk at once."""
        key = self._key(number, photo, method, settings)
        self._found[key] = found
        if self._path is None:
            return
        if self._file is None:  # a call that measures nothing leaves the file as it is
            self._file = self._path.open("a", encoding="utf-8")
            self._file.write("\n")  # ends a line that was cut off
        names = ("number", "photo", "method", "settings")
        entry = dict(zip(names, key, strict=True)) | {"psnr": found[0], "seconds": found[1]}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
