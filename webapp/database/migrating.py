"""Tables brought to a version and back, by Alembic; nothing is configured in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

_SCRIPTS = Path(__file__).resolve().parent / "migrations"
_LOCK = 0x48756566  # any fixed number: PostgreSQL's advisory lock wants one


def migrate(engine: Engine, version: str = "head") -> None:
    """Bring the tables up to `version` ("head" for the newest); does nothing when they are."""
    config = _config()
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def migrate_down(engine: Engine, version: str) -> None:
    """Bring the tables back to an older `version` ("base" for no tables at all)."""
    config = _config()
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that waits for other migrations: workers start together."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection
        connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
