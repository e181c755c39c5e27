"""A database in a file: SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from storage.driver import StorageError, Values
from storage.migrations import steps_from

_SECONDS_TO_WAIT = 60.0
"""How long a transaction waits while another process copies the file for a backup."""

_OF_THE_FILE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
"""Codes of errors that every change would have, whatever it writes. A full disk is none: small rows may still fit."""


class SQLiteFile:
    """A file. No deleted data stays in it or beside it.

    `steps` are the migrations of its tables. With `fast_writes` a transaction is in a write-ahead log before it is on
    the disk: it survives the end of the process at any moment, but not always a power cut. Deleted data stays in that
    log until `compact`.
    """

    errors = sqlite3.Error

    def __init__(self, path: Path, steps: Sequence[str], *, fast_writes: bool = False) -> None:
        self._path = path
        self._steps = steps
        self._fast_writes = fast_writes
        self._connection: sqlite3.Connection | None = None

    @property
    def name(self) -> str:
        return str(self._path)

    def open(self) -> None:
        """Open the file and migrate its tables. Create file and folder if missing. Raise StorageError."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # In autocommit mode. `Database` calls from the thread of its connection only.
            self._connection = sqlite3.connect(
                self._path, timeout=_SECONDS_TO_WAIT, isolation_level=None, check_same_thread=False
            )
            self._prepare(self._connection)
        except (OSError, sqlite3.Error, StorageError) as error:
            self.close()
            raise StorageError(
                f"{self._path} can't be used: {error}. Check its folder, or move the file away, and start again."
            ) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def begin(self) -> None:
        self._connected.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connected.commit()

    def rollback(self) -> None:
        self._connected.rollback()

    def execute(self, query: str, values: Values = (), /) -> sqlite3.Cursor:
        return self._connected.execute(query, values)

    def executemany(self, query: str, rows: Iterable[Values], /) -> None:
        # An open cursor would be freed on the event loop, and reset its statement while that runs again on this thread.
        self._connected.executemany(query, rows).close()

    def read(self, query: str, values: Values = (), /) -> list[sqlite3.Row]:
        return self._connected.execute(query, values).fetchall()

    def notify(self, notice: str, /) -> None:
        """Do nothing: one process at a time uses a file."""

    def compact(self) -> None:
        # A script: `execute` would free one page only.
        self._connected.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

    def notices(self) -> list[str]:
        """Return nothing: one process at a time uses a file."""
        return []

    def is_down(self, error: Exception) -> bool:
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _OF_THE_FILE  # the other bits say more

    @property
    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("it is closed")
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file; it must come before the first table
        if self._fast_writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        else:  # a write-ahead log would keep deleted data for long
            connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA secure_delete = ON")  # deleted data is overwritten
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        if version > len(self._steps):
            raise StorageError("a newer version of the bot wrote it")
        for step in steps_from(self._steps, version):
            connection.executescript(step)
