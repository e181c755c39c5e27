"""Test that changes which wait for the file share a transaction, and that none of them suffers from another."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import StorageError
from storage.database import Database

_TABLE = "CREATE TABLE things (name TEXT NOT NULL);"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    database = Database(tmp_path / "things.db", [_TABLE], fast_writes=True)
    await database.open()
    yield database
    await database.close()


def adding(name: str | None) -> Callable[[sqlite3.Connection], int]:
    def add(connection: sqlite3.Connection) -> int:
        return connection.execute("INSERT INTO things VALUES (?)", (name,)).lastrowid or 0

    return add


def stored(folder: Path) -> list[str]:
    """Return what another process would find in the file."""
    with closing(sqlite3.connect(folder / "things.db")) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY rowid")]


async def statements_of(database: Database) -> list[str]:
    """Return a list to which all statements from now on are added."""
    statements: list[str] = []
    await database.transact(lambda connection: connection.set_trace_callback(statements.append))
    return statements


async def test_changes_that_wait_together_share_a_transaction(database: Database, tmp_path: Path):
    statements = await statements_of(database)
    names = [f"thing {number}" for number in range(50)]
    rows = await asyncio.gather(*(database.transact(adding(name)) for name in names))
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert rows == list(range(1, 51)), "each has its own result"
    assert stored(tmp_path) == names


async def test_a_change_that_comes_while_others_are_written_has_the_next_transaction(database: Database):
    statements = await statements_of(database)
    late: list[asyncio.Task[int]] = []
    loop = asyncio.get_running_loop()
    there = asyncio.Event()

    def let_another_come(connection: sqlite3.Connection) -> None:
        def come() -> None:
            late.append(asyncio.create_task(database.transact(adding("late"))))
            there.set()

        loop.call_soon_threadsafe(come)

    await asyncio.gather(database.transact(let_another_come), there.wait())
    assert await late[0] == 1
    assert statements.count("BEGIN IMMEDIATE") == 2


async def test_a_change_is_in_the_file_before_its_caller_goes_on(database: Database, tmp_path: Path):
    await database.transact(adding("first"))
    assert stored(tmp_path) == ["first"]


async def test_a_wrong_change_fails_alone(database: Database, tmp_path: Path):
    changes = [adding("first"), adding(None), adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert "NOT NULL" in str(outcomes[1])
    assert stored(tmp_path) == ["first", "last"]


def writing_nowhere(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO nowhere VALUES (1)")


async def test_a_change_of_a_table_that_is_not_there_fails_alone(database: Database, tmp_path: Path):
    changes = [adding("first"), writing_nowhere, adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert stored(tmp_path) == ["first", "last"]


async def test_what_no_longer_fits_fails_alone(database: Database, tmp_path: Path):
    [(pages,)] = await database.read("PRAGMA page_count")
    await database.read(f"PRAGMA max_page_count = {pages + 1}")  # acts like a disk that is nearly full
    changes = [adding("first"), adding("x" * 100_000), adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert stored(tmp_path) == ["first", "last"]


async def test_a_change_is_stored_as_a_whole_or_not_at_all(database: Database, tmp_path: Path):
    def add_and_fail(connection: sqlite3.Connection) -> None:
        adding("half")(connection)
        raise ValueError("no JSON")

    with pytest.raises(ValueError, match="no JSON"):
        await database.transact(add_and_fail)
    assert stored(tmp_path) == []


async def test_when_the_file_cannot_be_written_each_caller_is_told(database: Database, tmp_path: Path):
    statements = await statements_of(database)
    await database.read("PRAGMA query_only = ON")  # acts like a disk that is read-only
    outcomes = await asyncio.gather(*(database.transact(adding("x")) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 3
    assert statements.count("BEGIN IMMEDIATE") == 1, "it is not tried again for each"
    await database.read("PRAGMA query_only = OFF")
    await database.transact(adding("later"))
    assert stored(tmp_path) == ["later"]


async def test_a_caller_who_leaves_takes_no_other_along(database: Database, tmp_path: Path):
    leaving, staying = [asyncio.create_task(database.transact(adding(name))) for name in ("leaving", "staying")]
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying
    assert "staying" in stored(tmp_path)


async def test_a_change_is_no_part_of_a_transaction_that_is_open(database: Database, tmp_path: Path):
    async with database.writing() as connection:
        change = asyncio.create_task(database.transact(adding("kept")))
        await connection.execute("INSERT INTO things VALUES ('dropped')")
        await connection.rollback()
    await change
    assert stored(tmp_path) == ["kept"]


async def test_a_closed_file_is_named_in_the_error(database: Database):
    await database.close()
    with pytest.raises(StorageError, match=r"things\.db is not open"):
        await database.transact(adding("x"))
