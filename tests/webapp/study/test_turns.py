"""Writers that share one commit: each block stands or falls alone, and none is left too early."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from webapp.database import Database, make_engine


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(make_engine(f"sqlite:///{tmp_path / 'turns.sqlite3'}"))
    with database.write() as connection:
        connection.execute(text("CREATE TABLE number (value INTEGER PRIMARY KEY)"))
    yield database
    database.close()


def insert(connection: Connection, value: int) -> None:
    connection.execute(text("INSERT INTO number VALUES (:value)"), {"value": value})


def stored(tmp_path: Path) -> set[int]:
    """What another process would find on the disk."""
    with sqlite3.connect(tmp_path / "turns.sqlite3") as connection:
        return {row[0] for row in connection.execute("SELECT value FROM number")}


def crowd(database: Database, tmp_path: Path, values: list[int]) -> list[bool]:
    """All values written at once, one thread each; who says that it is stored tells the truth."""
    first = threading.Event()

    def write(place: int) -> bool:
        try:
            with database.write() as connection:
                if place == 0:
                    first.set()
                    time.sleep(0.3)  # the others queue up
                insert(connection, values[place])
        except IntegrityError:
            return False
        assert values[place] in stored(tmp_path)
        return True

    with ThreadPoolExecutor(len(values)) as pool:
        head = pool.submit(write, 0)
        assert first.wait(5)
        rest = pool.map(write, range(1, len(values)))  # begun before the first is waited for
        return [head.result(), *rest]


def test_who_queues_up_shares_a_commit(database: Database, tmp_path: Path) -> None:
    commits = []
    event.listen(database.engine, "commit", lambda connection: commits.append(1))
    assert all(crowd(database, tmp_path, list(range(12))))
    assert stored(tmp_path) == set(range(12))
    assert len(commits) < 6


def test_a_block_that_fails_takes_no_other_with_it(database: Database, tmp_path: Path) -> None:
    results = crowd(database, tmp_path, [0, 1, 1, 2, 1, 3])
    assert sum(results) == 4
    assert results[0]
    assert stored(tmp_path) == {0, 1, 2, 3}


def test_a_commit_that_fails_fails_for_all(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(connection: Connection) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr(Connection, "commit", full)
    with pytest.raises(OperationalError, match="disk full"):
        crowd(database, tmp_path, [7, 8, 9])
    monkeypatch.undo()
    assert stored(tmp_path) == set()
    with database.write() as connection:
        insert(connection, 10)
    assert stored(tmp_path) == {10}


def test_a_transaction_that_the_database_gave_up_holds_for_nobody(
    database: Database, tmp_path: Path
) -> None:
    """As SQLite does when the disk is full: it rolls back by itself."""
    ready = threading.Event()

    def lose() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("ROLLBACK")
            raise OperationalError("INSERT", {}, Exception("disk full"))

    def keep() -> None:
        with database.write() as connection:
            insert(connection, 1)
            ready.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(2) as pool:
        kept = pool.submit(keep)
        assert ready.wait(5)
        lost = pool.submit(lose)
        for result in (kept, lost):
            with pytest.raises(OperationalError, match="disk full"):
                result.result()
    assert stored(tmp_path) == set()
