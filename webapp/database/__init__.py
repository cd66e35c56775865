"""The database of studies: where it is, how it is opened and brought up to date.

SQLite in write-ahead mode under the instance folder, or what ``HUEFIELD_DATABASE_URL`` names
(PostgreSQL through psycopg). `open_database` migrates on the way; `Database.write` gives a
transaction in which a read and the write that rests on it cannot be interleaved with another's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from webapp.database.migrating import migrate
from webapp.database.turns import Turns

_WAIT_MS = 20_000


class DatabaseError(ValueError):
    """A database that cannot be opened; the message says which address and why."""


class Database:
    """An engine whose write transactions are serialised per database (SQLite) or row (PostgreSQL).

    Attributes:
        engine: SQLAlchemy's engine; opened by the first use, so a fork before that is harmless.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turns = Turns(engine)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; what it sees is one state."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk once the block was left, and undone if it raised."""
        with self._turns.write() if self.is_sqlite else self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def database_url(setting: str, instance: Path) -> str:
    """The address of the database: the setting, or SQLite under the instance folder."""
    return setting or f"sqlite:///{instance / 'studies.sqlite3'}"


def open_database(url: str) -> Database:
    """The database at an SQLAlchemy address, with its tables up to date.

    Raises:
        DatabaseError: the address is of no kind that Huefield knows, or its driver is missing.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    migrate(engine)
    engine.dispose()
    return Database(engine)


def make_engine(url: str) -> Engine:
    """An engine with the settings that Huefield needs; nothing is connected yet.

    Raises:
        DatabaseError: see `open_database`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"HUEFIELD_DATABASE_URL: not an address: {error}") from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        try:
            return create_engine(parsed, pool_size=8, max_overflow=8, pool_pre_ping=True)
        except ImportError as error:
            raise DatabaseError(
                "PostgreSQL needs its driver: pip install 'huefield[postgres]'"
            ) from error
    if backend != "sqlite":
        raise DatabaseError(f"HUEFIELD_DATABASE_URL: expected sqlite or postgresql, got {backend}")
    engine = create_engine(parsed, connect_args={"timeout": _WAIT_MS / 1000}, pool_size=16)

    @event.listens_for(engine, "connect")
    def prepare(connection: object, record: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: `write` says BEGIN IMMEDIATE.
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for setting in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_WAIT_MS}",
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    return engine
