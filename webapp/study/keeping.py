"""Keeps the promise of the consent page: votes are deleted after `keep_days`.

The app asks at its start and then at most once an hour; every `huefield study` command asks too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from webapp.study.leaving import expire
from webapp.study.store import StudyStore

logger = logging.getLogger(__name__)
EVERY = 3600.0  # seconds
_DAY = 86_400.0


class Keeping:
    """Deletes people whose time is over.

    Args:
        store: the studies.
        clock: gives the time, seconds since 1970.
    """

    def __init__(self, store: StudyStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._next = 0.0
        self._lock = Lock()

    def look(self) -> int:
        """How many people were deleted; looks only when an hour has passed since the last time."""
        now = self._clock()
        with self._lock:
            if now < self._next:
                return 0
            self._next = now + EVERY
        count = 0
        for study in self._store.all():
            if study.joined:
                before = now - study.definition.keep_days * _DAY
                with self._store.database.write() as connection:
                    gone = expire(connection, study.id, before)
                if gone:
                    logger.info(
                        "study '%s' version %d: %d people were kept for %d days and are deleted",
                        study.name,
                        study.version,
                        gone,
                        study.definition.keep_days,
                    )
                count += gone
        return count

    def before_request(self) -> None:
        """Looks, and lets the request go on."""
        self.look()
