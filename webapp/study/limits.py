"""How often somebody may ask: counts per key in a sliding window, in memory only.

A key that would name a person's address is hashed with a key that dies with the process, and
forgotten with the window.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from webapp.problems import ProblemError

_MOST_KEYS = 20_000


class Limit:
    """At most `count` uses of a key within `seconds`.

    Args:
        count: uses allowed.
        seconds: length of the window.
        clock: gives the time.
    """

    def __init__(
        self, count: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._seconds = seconds
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._uses: OrderedDict[bytes, deque[float]] = OrderedDict()

    def use(self, key: str) -> None:
        """Counts a use.

        Raises:
            ProblemError: 429 when there were too many; says when to come back.
        """
        now = self._clock()
        hidden = hmac.digest(self._salt, key.encode(), "sha256")[:16]
        with self._lock:
            uses = self._uses.setdefault(hidden, deque())
            self._uses.move_to_end(hidden)
            while uses and now - uses[0] >= self._seconds:
                uses.popleft()
            if len(uses) >= self._count:
                wait = max(1, round(self._seconds - (now - uses[0])))
                problem = ProblemError(
                    429, "too-many", "Too many requests", f"Please try again in {wait} seconds."
                )
                problem.headers.append(("Retry-After", str(wait)))
                raise problem
            uses.append(now)
            while len(self._uses) > _MOST_KEYS:
                self._uses.popitem(last=False)
