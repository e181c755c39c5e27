"""A file of every earlier version is brought up to date, with what is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage import Store
from storage.migrations import VERSION, steps_from
from storage.plain import drawing_to_json, request_to_json
from tests.storage.test_drawings import DRAWING, REQUEST


def file_of(version: int, path: Path) -> None:
    """As a bot of that version left it, with a drawing where it knew of drawings."""
    with sqlite3.connect(path) as connection:
        for step in steps_from(0)[:version]:
            connection.executescript(step)
        if version >= 1:
            texts = (request_to_json(REQUEST), drawing_to_json(DRAWING))
            names = "id, owner, channel, message, created, request, drawing"
            connection.execute(f"INSERT INTO drawings ({names}) VALUES ('old', 1, 2, 3, 4.0, ?, ?)", texts)
    connection.close()


def columns(path: Path) -> dict[str, list[str]]:
    """Of each table."""
    with sqlite3.connect(path) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables}


@pytest.mark.parametrize("version", range(VERSION + 1))
async def test_a_file_of_an_earlier_version_becomes_like_a_new_one_and_keeps_what_it_has(tmp_path: Path, version: int):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    file_of(version, old)
    for path in (old, new):
        store = Store(path)
        await store.open()
        found = await store.drawings.get("old", pictures=False)
        assert (found is not None) == (path == old and version >= 1)
        await store.close()
    assert columns(old) == columns(new)
