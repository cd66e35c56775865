"""The admin's password: its hash, how often it may be tried, and how long a login lasts."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from sqlalchemy import delete, func, insert, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from huefield.study.records import StudyError
from webapp.database import Database
from webapp.database.tables import ADMIN, LOGIN_FAILURE

SHORTEST = 10
MOST_FAILURES = 5  # from one place within the window
MOST_FAILURES_ALL = 50  # from everywhere
WINDOW = 900.0  # seconds


def set_password(database: Database, password: str) -> None:
    """Store the hash of a password; sessions of the one before it end.

    Raises:
        StudyError: it is shorter than ten characters.
    """
    if len(password) < SHORTEST:
        raise StudyError(f"password: expected at least {SHORTEST} characters, got {len(password)}")
    digest = generate_password_hash(password)
    with database.write() as connection:
        changed = connection.execute(
            update(ADMIN).values(password_hash=digest, version=ADMIN.c.version + 1)
        )
        if not changed.rowcount:
            connection.execute(insert(ADMIN).values(id=1, password_hash=digest, version=1))


def password_version(database: Database) -> int:
    """Which password is valid; 0 when none was set."""
    with database.read() as connection:
        return connection.execute(select(ADMIN.c.version)).scalar() or 0


class Logins:
    """Compares passwords, and refuses whoever guesses.

    Args:
        database: where the hash and the failures are.
        secret: keys what is kept of addresses.
        clock: gives the time.
    """

    def __init__(
        self, database: Database, secret: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock

    def attempt(self, password: str, address: str) -> int | None:
        """The version of the password if it is right; None if it is wrong or none is set.

        Raises:
            TooManyError: too many failures; the password was not even compared.
        """
        origin = hmac.digest(self._secret.encode(), f"login:{address}".encode(), "sha256").hex()
        since = self._clock() - WINDOW
        with self._database.write() as connection:
            connection.execute(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.at < since))
            everywhere = select(func.count()).select_from(LOGIN_FAILURE)
            here = everywhere.where(LOGIN_FAILURE.c.origin == origin)
            if (
                connection.execute(here).scalar_one() >= MOST_FAILURES
                or connection.execute(everywhere).scalar_one() >= MOST_FAILURES_ALL
            ):
                raise TooManyError
            # Counted before the slow comparison, so that many at once are counted too.
            mark = connection.execute(
                insert(LOGIN_FAILURE)
                .values(at=self._clock(), origin=origin)
                .returning(LOGIN_FAILURE.c.id)
            ).scalar_one()
            row = connection.execute(select(ADMIN.c.password_hash, ADMIN.c.version)).first()
        if row is None or not check_password_hash(row.password_hash, password):
            return None
        with self._database.write() as connection:
            connection.execute(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.id == mark))
        return int(row.version)


class TooManyError(Exception):
    """Too many wrong passwords; later again."""
