"""A database that several processes of the bot share: a Postgres server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.driver import Row, ShardsTaken, StorageError, Values, first_line
from storage.postgres_locks import claim_shards, lock_migrations, lock_writers
from storage.postgres_row import PostgresRow, row_factory
from storage.postgres_schema import CHANNEL
from storage.shards import Shards

T = TypeVar("T")
_Session = psycopg.Connection[PostgresRow]

_SECONDS_TO_CONNECT = 2
_SECONDS_TO_CLAIM = 3.0
"""How long a start waits for the shards of a process that has just ended."""
_PAUSES = (0.25, 4.0)
"""Seconds until a lost server is tried again: at first, and at most. Meanwhile nobody waits for it."""

_SECONDS_TO_ASK = 2.0
"""How long a lost server is asked whether it has stored the last transaction. Meanwhile nothing else is read."""

_SECONDS_TO_EXPIRE = 30.0
"""How long the locks of a lost connection may stay: the keepalives below take 25 seconds to notice."""

_SETTINGS = (
    "SET lock_timeout = '20s'",
    "SET idle_in_transaction_session_timeout = '20s'",  # a process that hangs in a transaction blocks the others
    "SET tcp_keepalives_idle = 10",  # the locks of a machine that is gone end soon
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)


class PostgresServer:
    """A set of tables in a database at `address`, a URL or what else libpq takes.

    `schema` names the set and `steps` are its migrations. One process at a time writes to it. `shards` are those for
    which this is the only process, as long as it is connected.

    A lost connection is replaced at the next statement outside a transaction, which is then tried once more. If it was
    lost while a transaction was committed, the server is asked what became of it.
    """

    errors = psycopg.Error

    def __init__(
        self,
        address: str,
        schema: str,
        steps: Sequence[str],
        *,
        shards: Shards | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self._schema = schema
        self._steps = steps
        self._shards = shards
        self._clock = clock
        self._reader: _Session | None = None
        """It holds the locks of the shards, and hears the notices. It reads what is committed."""
        self._writer: _Session | None = None
        self._transaction = ""
        """The id of the last transaction that writes."""
        self._opened = False
        self._notices: list[str] = []
        self._missed_notices = False
        self._pause = 0.0
        self._next_try = 0.0
        self._last_failure = ""
        self._locked_since: float | None = None
        """When a new connection first found shards locked, perhaps still by the lost one."""

    @property
    def name(self) -> str:
        parts = conninfo_to_dict(self.address)
        return f"The database {parts.get('dbname', '')} on {parts.get('host', 'this machine')}"

    def check(self) -> None:
        """Connect, and change nothing. Raise StorageError."""
        with self._explained():
            self._connect(lambda _: None).close()

    def open(self) -> None:
        """Connect, claim the shards, and migrate the tables. Raise StorageError."""
        self._opened = False
        with self._explained():
            self._migrate(self._reading())
            self._writing()
        self._opened = True

    def close(self) -> None:
        for session in (self._reader, self._writer):
            if session:
                session.close()
        self._reader = self._writer = None

    def begin(self) -> None:
        self._retried(self._begin)

    def commit(self) -> None:
        try:
            self._in_transaction.execute("COMMIT")
        except psycopg.OperationalError:
            if not self._is_committed():
                raise

    def rollback(self) -> None:
        if self._writer and not self._writer.closed:
            with contextlib.suppress(psycopg.OperationalError):  # the server rolls back what has no connection
                self._writer.execute("ROLLBACK")

    def execute(self, query: str, values: Values = (), /) -> psycopg.Cursor[PostgresRow]:
        return self._in_transaction.execute(_placeholders(query), _storable(values))

    def executemany(self, query: str, rows: Iterable[Values], /) -> None:
        self._in_transaction.cursor().executemany(_placeholders(query), [_storable(row) for row in rows])

    def read(self, query: str, values: Values = (), /) -> Sequence[Row]:
        return self._retried(lambda: self._reading().execute(_placeholders(query), _storable(values)).fetchall())

    def notify(self, notice: str, /) -> None:
        self._in_transaction.execute("SELECT pg_notify(%s, %s)", (CHANNEL, notice))

    def compact(self) -> None:
        """Do nothing: the server's autovacuum removes deleted rows."""

    def notices(self) -> list[str] | None:
        self.read("SELECT 1")  # they come with the answer
        notices, self._notices = self._notices, []
        missed, self._missed_notices = self._missed_notices, False
        return None if missed else notices

    def is_down(self, error: Exception) -> bool:
        return isinstance(error, psycopg.OperationalError)

    def _begin(self) -> None:
        session = self._writing()
        session.execute("BEGIN")
        try:
            self._transaction = lock_writers(session, self._schema)
        except BaseException:
            self.rollback()
            raise

    def _is_committed(self) -> bool:
        """Return whether the server has committed the last transaction, whose connection was lost at its end.

        Return False if that can't be learned soon.
        """
        end = time.monotonic() + _SECONDS_TO_ASK
        while time.monotonic() < end:
            with contextlib.suppress(psycopg.Error):  # away, or another server, which does not know the transaction
                query = "SELECT pg_xact_status(%s::xid8) AS status"
                row = self._writing().execute(query, (self._transaction,)).fetchone()
                if row and row["status"] != "in progress":
                    return row["status"] == "committed"
            time.sleep(_PAUSES[0])
        return False

    def _retried(self, work: Callable[[], T]) -> T:
        """Do what changes nothing, and do it once more if the connection was lost."""
        try:
            return work()
        except psycopg.OperationalError:
            if all(session and not session.closed for session in (self._reader, self._writer)):
                raise
        return work()

    def _reading(self) -> _Session:
        if self._reader is None or self._reader.closed:
            with self._trying():
                self._reader = self._connect(self._start_reading)
        return self._reader

    def _writing(self) -> _Session:
        if self._writer is None or self._writer.closed:
            with self._trying():
                self._writer = self._connect(lambda _: None)
        return self._writer

    @contextlib.contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (psycopg.Error, StorageError) as error:
            self.close()
            if isinstance(error, StorageError):
                raise
            raise StorageError(
                f"{self.name} can't be used: {first_line(error)}. Check that it runs, `database` in config.yaml, and "
                "the password in PGPASSWORD, then start again."
            ) from error

    @property
    def _in_transaction(self) -> _Session:
        if self._writer is None:
            raise psycopg.OperationalError("it is closed")
        return self._writer

    @contextlib.contextmanager
    def _trying(self) -> Generator[None]:
        """Let a connection be tried; raise the last failure instead if that was a moment ago."""
        if self._clock() < self._next_try:
            raise psycopg.OperationalError(self._last_failure)
        try:
            yield
        except psycopg.OperationalError as error:
            self._last_failure = str(error)
            self._pause = min(max(_PAUSES[0], 2 * self._pause), _PAUSES[1])
            self._next_try = self._clock() + self._pause
            raise
        self._pause = self._next_try = 0.0

    def _connect(self, start: Callable[[_Session], None]) -> _Session:
        session = _Session.connect(
            self.address,
            autocommit=True,
            row_factory=row_factory,
            connect_timeout=_SECONDS_TO_CONNECT,
            fallback_application_name="inkling",
            tcp_user_timeout=5_000,
        )
        try:
            for setting in _SETTINGS:
                session.execute(setting.encode())
            start(session)
        except BaseException:
            session.close()
            raise
        return session

    def _start_reading(self, session: _Session) -> None:
        if self._shards:
            self._claim(session, self._shards)
            session.add_notify_handler(lambda notice: self._notices.append(notice.payload))
            session.execute(f"LISTEN {CHANNEL}".encode())
            self._missed_notices = True

    def _claim(self, session: _Session, shards: Shards) -> None:
        """Lock the shards. Raise StorageError at the start; later OperationalError, so that it is tried again.

        Raise ShardsTaken when they are locked for so long that it can't be by the lost connection.
        """
        try:
            claim_shards(session, shards, 0 if self._opened else _SECONDS_TO_CLAIM)
        except StorageError as error:
            if not self._opened:
                raise
            now = self._clock()
            if self._locked_since is None:
                self._locked_since = now
            if now - self._locked_since > _SECONDS_TO_EXPIRE:
                raise ShardsTaken(f"The database was away, and another process has taken over. {error}") from error
            raise psycopg.OperationalError(
                "its shards are still locked, perhaps by the connection that was lost; they are tried again"
            ) from error
        self._locked_since = None

    def _migrate(self, session: _Session) -> None:
        with session.transaction():
            lock_migrations(session)
            session.execute("CREATE TABLE IF NOT EXISTS schemas (name TEXT PRIMARY KEY, version BIGINT NOT NULL)")
            rows = session.execute("SELECT version FROM schemas WHERE name = %s", (self._schema,)).fetchall()
            version: int = rows[0]["version"] if rows else 0
            if version > len(self._steps):
                raise StorageError(f"{self.name} can't be used: a newer version of the bot wrote it. Update the bot.")
            for step in self._steps[version:]:
                session.execute(step.encode())
            session.execute(
                "INSERT INTO schemas VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                (self._schema, len(self._steps)),
            )


def _placeholders(query: str) -> bytes:
    return query.replace("%", "%%").replace("?", "%s").encode()


def _storable(values: Values) -> list[Any]:
    """Return the values without the character 0, which Postgres keeps in no text."""
    return [value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value for value in values]
