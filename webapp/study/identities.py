"""Secrets of one participation, all derived from the study's key: nothing to store but hashes."""

from __future__ import annotations

import hmac
from base64 import b32encode, urlsafe_b64encode

_WITHDRAWN = "withdrawn:"


def participant_token(secret: str, participant: int) -> str:
    """What the participant's page shows with every request."""
    return urlsafe_b64encode(_digest(secret, "token", str(participant))[:24]).decode()


def withdrawal_code(secret: str, participant: int) -> str:
    """The code that deletes this participation, such as K7QM-2XPD-9RTA."""
    letters = b32encode(_digest(secret, "withdrawal", str(participant))[:10]).decode()[:12]
    return "-".join(letters[k : k + 4] for k in (0, 4, 8))


def completion_code(secret: str, participant: int) -> str:
    """The code that proves a finished participation to the researcher."""
    letters = b32encode(_digest(secret, "completion", str(participant))[:5]).decode()[:8]
    return f"{letters[:4]}-{letters[4:]}"


def exported_id(secret: str, source: str, external_id: str | None, participant: int) -> str:
    """A person's name in an export: a keyed hash, 16 hexadecimal digits."""
    known = str(participant) if external_id is None else f"{source}:{external_id}"
    return _digest(secret, "export", known).hex()[:16]


def withdrawn_id(secret: str, source: str, external_id: str) -> str:
    """What is kept of an id after withdrawal, so that it cannot take part again."""
    return _WITHDRAWN + _digest(secret, "withdrawn", f"{source}:{external_id}").hex()


def normalized_code(text: str) -> str:
    """A withdrawal code as typed by hand, in the form in which it was given out."""
    letters = "".join(c for c in text.upper() if c.isalnum())
    letters = letters.replace("0", "O").replace("1", "I").replace("8", "B")
    return "-".join(letters[k : k + 4] for k in range(0, len(letters), 4))


def _digest(secret: str, purpose: str, text: str) -> bytes:
    return hmac.digest(secret.encode(), f"{purpose}:{text}".encode(), "sha256")
