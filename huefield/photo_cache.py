"""Open photos kept in memory up to a number of bytes; the longest unused one goes first.

An open photo grows while it is used (a factor for strokes, previews), so sizes are taken afresh
after each use rather than once. Called by the web app, one cache a worker.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from huefield.colorizer import OpenPhoto


@dataclass
class _Entry:
    """One key: its photo once it is open, and who is using it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    photo: OpenPhoto | None = None
    users: int = 0


class PhotoCache:
    """Open photos by key; safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        """Number of open photos."""
        with self._lock:
            return sum(entry.photo is not None for entry in self._entries.values())

    @property
    def nbytes(self) -> int:
        """Bytes that the open photos hold now."""
        with self._lock:
            return self._nbytes()

    @contextmanager
    def using(self, key: Hashable, open_photo: Callable[[], OpenPhoto]) -> Iterator[OpenPhoto]:
        """The open photo of a key, opened by the first who asks; others wait for it.

        A photo in use is never dropped. One that is larger than the whole cache is dropped as soon
        as nobody uses it.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.users += 1
        try:
            with entry.lock:
                if entry.photo is None:
                    entry.photo = open_photo()
            yield entry.photo
        finally:
            with self._lock:
                entry.users -= 1
                self._evict()

    def discard(self, key: Hashable) -> None:
        """Forgets a photo; who uses it now may finish."""
        with self._lock:
            self._entries.pop(key, None)

    def _nbytes(self) -> int:
        photos = (entry.photo for entry in self._entries.values())
        return sum(photo.nbytes for photo in photos if photo is not None)

    def _evict(self) -> None:
        """Drops what failed to open, then the longest unused photos until the rest fits."""
        for key, entry in list(self._entries.items()):
            if entry.users:
                continue
            if entry.photo is None or self._nbytes() > self.max_bytes:
                del self._entries[key]
