"""Test what all tables of messages share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from storage.database import Change, Database
from storage.sqlite import SQLiteFile
from storage.table import Table

_TABLE = "CREATE TABLE things (id INTEGER, owner INTEGER, channel INTEGER, message INTEGER);"
_INSERT = "INSERT INTO things VALUES (?, ?, ?, ?)"


class Things(Table):
    name = "things"


class WatchedDatabase(Database):
    """Note what the changes return."""

    def __init__(self, path: Path) -> None:
        super().__init__(SQLiteFile(path, [_TABLE], fast_writes=True))
        self.returned: list[Any] = []

    async def transact(self, change: Change[Any]) -> Any:
        self.returned.append(await super().transact(change))
        return self.returned[-1]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[WatchedDatabase]:
    database = WatchedDatabase(tmp_path / "things.db")
    await database.open()
    yield database
    await database.close()


async def test_rows_are_deleted_with_their_message_and_no_cursor_leaves_the_thread_of_the_file(
    database: WatchedDatabase,
):
    for message in (1, 2, 3):
        row = (message, 7, 8, message)
        await database.transact(lambda connection, row=row: connection.execute(_INSERT, row).rowcount)
    database.returned.clear()
    await Things(database).forget_messages([1, 3])
    assert [row["message"] for row in await database.read("SELECT message FROM things")] == [2]
    assert database.returned == [None]
