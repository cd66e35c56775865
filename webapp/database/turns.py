"""Write transactions of SQLite in turns, several of them on disk with one wait.

SQLite has one writer, and a commit that survives a power cut waits for the disk, 5 to 20 ms. So
writers who queue up behind each other in this process join one transaction, each under a savepoint
of its own: whoever finds nobody behind commits for all. Nobody's block is left before that commit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

MOST = 64  # blocks in one transaction


class _Batch:
    """One transaction and who waits for its commit."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.members = 0
        self.over = threading.Event()
        self.error: BaseException | None = None


class Turns:
    """Hands out turns to write.

    Args:
        engine: of SQLite, whose driver opens no transactions by itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._queued = 0
        self._batch: _Batch | None = None  # open, left to the next writer; the turn guards it

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A block of writes that is on disk once it was left, and undone if it raised.

        Raises:
            DBAPIError: the commit failed; then nothing of the block is stored.
        """
        with self._count:
            self._queued += 1
        self._turn.acquire()
        with self._count:
            self._queued -= 1
        try:
            batch = self._batch or self._begin()
            self._batch = None
            batch.members += 1
            try:
                batch.connection.exec_driver_sql("SAVEPOINT block")
                yield batch.connection
                batch.connection.exec_driver_sql("RELEASE block")
            except BaseException as error:
                _undo_block(batch, error)
                raise
            finally:
                with self._count:
                    goes_on = self._queued > 0 and batch.members < MOST and batch.error is None
                if goes_on:
                    self._batch = batch
                else:
                    _finish(batch)
        finally:
            self._turn.release()
        batch.over.wait()
        if batch.error is not None:
            raise batch.error

    def _begin(self) -> _Batch:
        connection = self._engine.connect()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            connection.close()
            raise
        return _Batch(connection)


def _undo_block(batch: _Batch, error: BaseException) -> None:
    """Takes one block back; where the database took back everything, nobody's block holds."""
    try:
        batch.connection.exec_driver_sql("ROLLBACK TO block")
        batch.connection.exec_driver_sql("RELEASE block")
    except DBAPIError:
        batch.error = error


def _finish(batch: _Batch) -> None:
    """Ends the transaction and lets everybody go; what went wrong is for them to raise."""
    try:
        if batch.error is None:
            batch.connection.commit()
        else:
            batch.connection.rollback()
    except BaseException as error:
        batch.error = batch.error or error
        batch.connection.rollback()
    finally:
        batch.connection.close()
        batch.over.set()
