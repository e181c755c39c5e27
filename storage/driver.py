"""What a database is to the tables and to `Database`: statements and transactions, on the thread of its connection.

Tables write SQL that SQLite and Postgres both understand, with `?` for values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

Values = Sequence[Any]


class StorageError(Exception):
    """The database can't be used. The message has the reason and the next step."""


class DatabaseUnavailable(StorageError):
    """Nothing can be read or written now: the database is away, or its file is broken or read-only."""


class ShardsTaken(StorageError):
    """Another process has claimed the shards of this one while the database was away, and serves them now."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error, which says enough."""
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


class Row(Protocol):
    """A row: its values in order, or by the names of their columns."""

    def keys(self) -> Iterable[str]: ...

    def __getitem__(self, column: int | str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Cursor(Protocol):
    """The outcome of a statement."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Statements(Protocol):
    """An open transaction. `fetchone` and `fetchall` of what it returns give a `Row`, or several."""

    def execute(self, query: str, values: Values = (), /) -> Cursor: ...

    def executemany(self, query: str, rows: Iterable[Values], /) -> None: ...

    def notify(self, notice: str, /) -> None:
        """Add a notice of this transaction, which all processes get; see `Driver.notices`."""
        ...


class Driver(Statements, Protocol):
    """A database of one kind. All its methods may wait, so they are called on a thread, one after the other."""

    @property
    def name(self) -> str:
        """What its sentences call it."""
        ...

    @property
    def errors(self) -> type[Exception]:
        """The errors that its methods raise."""
        ...

    def open(self) -> None:
        """Connect, and migrate the tables. Raise StorageError."""
        ...

    def close(self) -> None: ...

    def begin(self) -> None:
        """Begin a transaction. It is the only one that writes, also of several processes, until it ends."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def read(self, query: str, values: Values = (), /) -> Sequence[Row]:
        """Return all rows that `query` finds."""
        ...

    def compact(self) -> None:
        """Remove the last traces of deleted rows, as far as that is not the database's own work."""
        ...

    def notices(self) -> list[str] | None:
        """Return a text for each row of certain tables that was changed; None: any may have changed.

        The text has the name of the table, and what its class needs to know; see `storage/postgres_schema.py`. The
        notices of `notify` are among them.
        """
        ...

    def is_down(self, error: Exception) -> bool:
        """Return whether every change would have this error, whatever it writes."""
        ...
