"""Test that changes which wait for the file share a transaction, and that none of them suffers from another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage import DatabaseUnavailable, StorageError
from storage.database import Database
from storage.driver import Statements
from storage.postgres import PostgresServer
from storage.postgres_schema import in_postgres
from storage.sqlite import SQLiteFile

_TABLE = "CREATE TABLE things (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);"


class CountingFile(SQLiteFile):
    begun = 0

    def begin(self) -> None:
        self.begun += 1
        super().begin()


class CountingServer(PostgresServer):
    begun = 0

    def begin(self) -> None:
        self.begun += 1
        super().begin()


@pytest.fixture
def file(tmp_path: Path) -> CountingFile:
    return CountingFile(tmp_path / "things.db", [_TABLE], fast_writes=True)


@pytest.fixture(params=["file", "server"])
def driver(request: pytest.FixtureRequest, file: CountingFile) -> CountingFile | CountingServer:
    if request.param == "file":
        return file
    return CountingServer(request.getfixturevalue("address"), "things", [in_postgres(_TABLE)])


@pytest.fixture
async def database(driver: CountingFile | CountingServer) -> AsyncGenerator[Database]:
    database = Database(driver)
    await database.open()
    yield database
    await database.close()


def adding(name: str | None) -> Callable[[Statements], int]:
    def add(connection: Statements) -> int:
        return connection.execute("INSERT INTO things (name) VALUES (?) RETURNING id", (name,)).fetchone()["id"]

    return add


def stored(driver: SQLiteFile | PostgresServer) -> list[str]:
    """Return what another process would find."""
    if isinstance(driver, SQLiteFile):
        other = SQLiteFile(Path(driver.name), [_TABLE], fast_writes=True)
    else:
        other = PostgresServer(driver.address, "things", [in_postgres(_TABLE)])
    with closing(other):
        other.open()
        return [row["name"] for row in other.read("SELECT name FROM things ORDER BY id")]


async def test_changes_that_wait_together_share_a_transaction(
    database: Database, driver: CountingFile | CountingServer
):
    names = [f"thing {number}" for number in range(50)]
    rows = await asyncio.gather(*(database.transact(adding(name)) for name in names))
    assert driver.begun == 1
    assert rows == list(range(1, 51)), "each has its own result"
    assert stored(driver) == names


async def test_a_change_that_comes_while_others_are_written_has_the_next_transaction(
    database: Database, driver: CountingFile | CountingServer
):
    late: list[asyncio.Task[int]] = []
    loop = asyncio.get_running_loop()
    there = asyncio.Event()

    def let_another_come(connection: Statements) -> None:
        def come() -> None:
            late.append(asyncio.create_task(database.transact(adding("late"))))
            there.set()

        loop.call_soon_threadsafe(come)

    await asyncio.gather(database.transact(let_another_come), there.wait())
    assert await late[0] == 1
    assert driver.begun == 2


async def test_a_change_is_in_the_file_before_its_caller_goes_on(
    database: Database, driver: CountingFile | CountingServer
):
    await database.transact(adding("first"))
    assert stored(driver) == ["first"]


async def test_a_wrong_change_fails_alone(database: Database, driver: CountingFile | CountingServer):
    changes = [adding("first"), adding(None), adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert "not null" in str(outcomes[1]).lower().replace("-", " ")
    assert stored(driver) == ["first", "last"]


def writing_nowhere(connection: Statements) -> None:
    connection.execute("INSERT INTO nowhere VALUES (1)")


async def test_a_change_of_a_table_that_is_not_there_fails_alone(
    database: Database, driver: CountingFile | CountingServer
):
    changes = [adding("first"), writing_nowhere, adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert stored(driver) == ["first", "last"]


async def test_what_no_longer_fits_fails_alone(file: CountingFile):
    database = Database(file)
    await database.open()
    [(pages,)] = await database.read("PRAGMA page_count")
    await database.read(f"PRAGMA max_page_count = {pages + 1}")  # acts like a disk that is nearly full
    changes = [adding("first"), adding("x" * 100_000), adding("last")]
    outcomes = await asyncio.gather(*map(database.transact, changes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, StorageError, int]
    assert stored(file) == ["first", "last"]
    await database.close()


async def test_a_change_is_stored_as_a_whole_or_not_at_all(database: Database, driver: CountingFile | CountingServer):
    def add_and_fail(connection: Statements) -> None:
        adding("half")(connection)
        raise ValueError("no JSON")

    with pytest.raises(ValueError, match="no JSON"):
        await database.transact(add_and_fail)
    assert stored(driver) == []


async def test_when_the_file_cannot_be_written_each_caller_is_told(file: CountingFile):
    database = Database(file)
    await database.open()
    await database.read("PRAGMA query_only = ON")  # acts like a disk that is read-only
    outcomes = await asyncio.gather(*(database.transact(adding("x")) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [DatabaseUnavailable] * 3
    assert file.begun == 1, "it is not tried again for each"
    await database.read("PRAGMA query_only = OFF")
    await database.transact(adding("later"))
    assert stored(file) == ["later"]
    await database.close()


async def test_a_caller_who_leaves_takes_no_other_along(database: Database, driver: CountingFile | CountingServer):
    leaving, staying = [asyncio.create_task(database.transact(adding(name))) for name in ("leaving", "staying")]
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying
    assert "staying" in stored(driver)


async def test_a_change_is_no_part_of_a_transaction_that_is_open(
    database: Database, driver: CountingFile | CountingServer
):
    async with database.writing() as connection:
        change = asyncio.create_task(database.transact(adding("kept")))
        await connection.execute("INSERT INTO things (name) VALUES ('dropped')")
        await connection.rollback()
    await change
    assert stored(driver) == ["kept"]


async def test_a_closed_file_is_named_in_the_error(database: Database):
    await database.close()
    with pytest.raises(StorageError, match="is not open"):
        await database.transact(adding("x"))
