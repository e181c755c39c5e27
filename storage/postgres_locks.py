"""Advisory locks of Postgres, which end with the connection, however that ends.

Source: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import time
import zlib
from typing import Any

import psycopg

from storage.driver import StorageError
from storage.shards import Shards

_MIGRATIONS, _WRITERS, _COUNTS, _SHARDS = range(0x496E6B00, 0x496E6B04)
"""The first number of each kind of lock. The second says which."""

_OTHER_COUNTS = """
SELECT objid::bigint AS count FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database() AND classid::bigint = %s AND objid::bigint != %s
"""

_PAUSE = 0.1
"""Seconds between two tries to lock the shards."""

Session = psycopg.Connection[Any]


def lock_migrations(session: Session) -> None:
    """Wait until no other process migrates tables, up to the end of the transaction."""
    session.execute("SELECT pg_advisory_xact_lock(%s, 0)", (_MIGRATIONS,))


def lock_writers(session: Session, schema: str) -> str:
    """Wait until no other process writes to the tables of this schema, up to the end of the transaction.

    Return the id of the transaction.
    """
    query = "SELECT pg_advisory_xact_lock(%s::int, %s::int), pg_current_xact_id()::text"
    [[_, transaction]] = session.execute(query, (_WRITERS, zlib.crc32(schema.encode()) >> 1)).fetchall()
    return transaction


def claim_shards(session: Session, shards: Shards, seconds: float) -> None:
    """Lock the shards as long as the session lasts. Raise StorageError if another process runs one of them.

    Wait so many seconds for the server to notice that a process which had them has ended.
    """
    end = time.monotonic() + seconds
    while problem := _conflict(session, shards):
        session.execute("SELECT pg_advisory_unlock_all()")
        if time.monotonic() >= end:
            raise StorageError(problem)
        time.sleep(_PAUSE)


def _conflict(session: Session, shards: Shards) -> str:
    """Lock the shards that are free. Return a sentence about one that is not, empty if all are."""
    session.execute("SELECT pg_advisory_lock_shared(%s::int, %s::int)", (_COUNTS, shards.count))
    if others := session.execute(_OTHER_COUNTS, (_COUNTS, shards.count)).fetchall():
        [count, *_] = others[0]
        return (
            f"Another process of the bot counts {_shards(count)} in all, and this one {_shards(shards.count)}. Stop "
            "the others, then start all with the same number behind the / in --shards."
        )
    for shard in shards.ids:
        [[free]] = session.execute("SELECT pg_try_advisory_lock(%s::int, %s::int)", (_SHARDS, shard)).fetchall()
        if not free:
            return (
                f"Another process of the bot runs shard {shard} of {shards.count} with this database. Stop it first, "
                "or start this one with other --shards."
            )
    return ""


def _shards(count: int) -> str:
    return f"{count} shard{'s' * (count != 1)}"
