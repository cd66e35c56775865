"""Photos that people bring, kept on disk for their own session and for a short time.

Every photo has a folder ``<instance>/photos/<id>`` with the file as it came (``original``), a note
(``photo.json``), and one pair of files per colouring: ``<key>.json`` (what was asked and what came)
and ``<key>.npz`` (its small colour fields). So any worker, also one just started, can show every
colouring again without asking a model. The age of a photo is that of ``photo.json``, which each
use touches. There is no background thread: whoever asks for a photo sweeps old ones first.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from webapp.problems import ProblemError

_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_KEY = re.compile(r"[0-9a-f]{32}")
_SWEEP_EVERY = 30.0


@dataclass(frozen=True)
class StoredPhoto:
    """What is known about a photo without opening it; ``width`` and ``height`` are upright."""

    id: str
    owner: str
    name: str
    width: int
    height: int
    format: str
    has_color: bool
    created: float


@dataclass(frozen=True)
class StoredColorization:
    """One answer: ``document`` as JSON, ``fields`` (n, h, w, 2) and ``codes`` (n, Z) float32."""

    key: str
    document: dict[str, object]
    fields: NDArray[np.float32]
    codes: NDArray[np.float32]


class PhotoStore:
    """The photos under ``folder``; safe for several threads and processes at once."""

    def __init__(
        self,
        folder: Path,
        *,
        lifetime: float,
        photos_per_session: int,
        colorizations_per_photo: int,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._lifetime = lifetime
        self._photos_per_session = photos_per_session
        self._colorizations_per_photo = colorizations_per_photo
        self._max_bytes = max_bytes
        self._clock = clock
        self._swept = 0.0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(
        self,
        data: bytes,
        *,
        owner: str,
        name: str,
        size: tuple[int, int],
        file_format: str,
        has_color: bool,
    ) -> StoredPhoto:
        """The stored photo; ``size`` is (width, height). The session's oldest one gives way.

        Raises:
            ProblemError: 503 when the disk space set aside for photos is used up.
        """
        self.sweep(force=True)
        if len(data) + self._used_bytes() > self._max_bytes:
            raise ProblemError(
                503, "store-full", "The server is full", "Too many photos are open. Try again soon."
            )
        own = sorted(self._photos_of(owner), key=lambda photo: photo.created)
        for photo in own[: max(0, len(own) + 1 - self._photos_per_session)]:
            self._discard(photo.id)
        photo = StoredPhoto(
            id=secrets.token_urlsafe(24),
            owner=_hashed(owner),
            name=name,
            width=size[0],
            height=size[1],
            format=file_format,
            has_color=has_color,
            created=self._clock(),
        )
        fresh = self._folder / f".new-{photo.id}"
        fresh.mkdir(mode=0o700)
        (fresh / "original").write_bytes(data)
        (fresh / "photo.json").write_text(json.dumps(asdict(photo)))
        os.utime(fresh / "photo.json", (photo.created, photo.created))
        fresh.rename(self._folder / photo.id)
        return photo

    def find(self, photo_id: str, owner: str) -> StoredPhoto:
        """The photo, which counts as used now.

        Raises:
            ProblemError: 404 when it is unknown, expired or another session's, all the same.
        """
        self.sweep()
        photo = self._load(photo_id) if owner else None
        if photo is None or not secrets.compare_digest(photo.owner, _hashed(owner)):
            raise _gone()
        try:
            os.utime(self._folder / photo_id / "photo.json", (self._clock(), self._clock()))
        except FileNotFoundError:
            raise _gone() from None
        return photo

    def read(self, photo: StoredPhoto) -> bytes:
        """The file as it came.

        Raises:
            ProblemError: 404 when it was deleted meanwhile.
        """
        try:
            return (self._folder / photo.id / "original").read_bytes()
        except FileNotFoundError:
            raise _gone() from None

    def remove(self, photo: StoredPhoto) -> None:
        """Delete the photo and all that was made from it."""
        self._discard(photo.id)

    def save_colorization(self, photo: StoredPhoto, answer: StoredColorization) -> None:
        """Keep ``answer``; the oldest ones beyond the limit give way."""
        folder = self._folder / photo.id
        mark = secrets.token_hex(8)
        try:
            with (folder / f".{mark}.npz").open("wb") as stream:
                np.savez(stream, fields=answer.fields, codes=answer.codes)
            (folder / f".{mark}.json").write_text(json.dumps(answer.document))
            # The note comes last: what has a note is whole.
            (folder / f".{mark}.npz").replace(folder / f"{answer.key}.npz")
            (folder / f".{mark}.json").replace(folder / f"{answer.key}.json")
        except FileNotFoundError:
            raise _gone() from None
        notes = sorted(
            (path for path in folder.glob("*.json") if _KEY.fullmatch(path.stem)),
            key=lambda path: path.stat().st_mtime_ns,
        )
        for path in notes[: -self._colorizations_per_photo]:
            path.unlink(missing_ok=True)
            path.with_suffix(".npz").unlink(missing_ok=True)

    def load_colorization(self, photo: StoredPhoto, key: str) -> StoredColorization | None:
        """The colouring of that key, or None when there is none (any more)."""
        if not _KEY.fullmatch(key):
            return None
        note = self._folder / photo.id / f"{key}.json"
        try:
            document = json.loads(note.read_text())
            with np.load(note.with_suffix(".npz")) as arrays:
                return StoredColorization(key, document, arrays["fields"], arrays["codes"])
        except FileNotFoundError:
            return None

    def sweep(self, *, force: bool = False) -> int:
        """The number of expired photos deleted; does nothing when called again within seconds."""
        now = self._clock()
        if not force and now - self._swept < min(_SWEEP_EVERY, self._lifetime / 2):
            return 0
        self._swept = now
        count = 0
        for folder in self._folder.iterdir():
            note = folder / "photo.json" if _ID.fullmatch(folder.name) else folder
            try:
                expired = now - note.stat().st_mtime > self._lifetime
            except FileNotFoundError:
                continue
            if expired:
                self._discard(folder.name)
                count += 1
        return count

    def _load(self, photo_id: str) -> StoredPhoto | None:
        if not _ID.fullmatch(photo_id):
            return None
        note = self._folder / photo_id / "photo.json"
        try:
            if self._clock() - note.stat().st_mtime > self._lifetime:
                self._discard(photo_id)
                return None
            return StoredPhoto(**json.loads(note.read_text()))
        except FileNotFoundError:
            return None

    def _photos_of(self, owner: str) -> list[StoredPhoto]:
        found = [self._load(folder.name) for folder in self._folder.iterdir()]
        return [photo for photo in found if photo is not None and photo.owner == _hashed(owner)]

    def _used_bytes(self) -> int:
        total = 0
        for path in self._folder.glob("*/*"):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue
        return total

    def _discard(self, name: str) -> None:
        # Renamed first, so that nobody finds half a photo.
        doomed = self._folder / f".old-{secrets.token_hex(8)}"
        try:
            (self._folder / name).rename(doomed)
        except FileNotFoundError:
            return
        shutil.rmtree(doomed, ignore_errors=True)


def colorization_key(parts: dict[str, object]) -> str:
    """The key of a request: equal for equal ``parts``, whatever the order of their names."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _hashed(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()


def _gone() -> ProblemError:
    return ProblemError(
        404,
        "photo-not-found",
        "This photo is not here",
        "It was deleted, has expired, or belongs to another session. Open it again.",
    )
