"""Sealed picture addresses: new at every showing, and nothing can be read from them.

An address holds the trial, the slot and the time, encrypted and authenticated with HMAC-SHA256 (a
keystream from a random nonce, then a tag over both), so that two addresses of one picture have
nothing in common.
"""

from __future__ import annotations

import hmac
import secrets
import struct
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Literal

Slot = Literal["left", "right", "gray"]

_SLOTS: tuple[Slot, ...] = ("left", "right", "gray")
_NONCE = 12
_TAG = 12
_PAYLOAD = struct.Struct(">QBI")
LIFETIME = 6 * 3600


class Addresses:
    """Seals and opens picture addresses.

    Args:
        secret: the app's secret key.
        clock: gives the time.
    """

    def __init__(self, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._stream_key = hmac.digest(secret.encode(), b"study picture stream", "sha256")
        self._tag_key = hmac.digest(secret.encode(), b"study picture tag", "sha256")
        self._clock = clock

    def seal(self, trial_id: int, slot: Slot) -> str:
        """A fresh address of the picture in a slot of a trial."""
        nonce = secrets.token_bytes(_NONCE)
        plain = _PAYLOAD.pack(trial_id, _SLOTS.index(slot), int(self._clock()))
        body = nonce + self._xor(nonce, plain)
        tag = hmac.digest(self._tag_key, body, "sha256")[:_TAG]
        return urlsafe_b64encode(body + tag).decode().rstrip("=")

    def open(self, address: str) -> tuple[int, Slot] | None:
        """The trial and slot of an address; None when it is forged, broken or too old."""
        try:
            sealed = urlsafe_b64decode(address + "=" * (-len(address) % 4))
        except ValueError:
            return None
        if len(sealed) != _NONCE + _PAYLOAD.size + _TAG:
            return None
        body, tag = sealed[:-_TAG], sealed[-_TAG:]
        if not hmac.compare_digest(tag, hmac.digest(self._tag_key, body, "sha256")[:_TAG]):
            return None
        trial_id, slot, sealed_at = _PAYLOAD.unpack(self._xor(body[:_NONCE], body[_NONCE:]))
        if self._clock() - sealed_at > LIFETIME:
            return None
        return trial_id, _SLOTS[slot]

    def _xor(self, nonce: bytes, data: bytes) -> bytes:
        stream = hmac.digest(self._stream_key, nonce, "sha256")
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))
