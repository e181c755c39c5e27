"""A file of every earlier version is brought up to date, with what is in it.

`versions/` holds such files as text, with rows, as the bot of that version left them. They are data, never made by
today's code: whoever adds a step writes the tables down in `current.sql`, and adds a file of the new version.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import Lineage, PersonSettings, ServerSettings, Store
from storage.migrations import VERSION
from tests.fakes import forget_all_of

_FROZEN = Path(__file__).parent / "versions"
_VERSIONS = range(1, VERSION + 1)
_COMMENT = re.compile(r"--[^\n]*")
_LONG_AFTER = 4e9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inkling.db"


def thaw(name: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((_FROZEN / f"{name}.sql").read_text())


def structure(path: Path) -> dict[tuple[str, str], list[object]]:
    """What is in the file besides rows, however its SQL is laid out: columns, what they refer to, indexes, triggers."""
    found: dict[tuple[str, str], list[object]] = {}
    with closing(sqlite3.connect(path)) as connection:
        for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
            about = {
                "table": (f"PRAGMA table_xinfo({name})", f"PRAGMA foreign_key_list({name})"),
                "index": (f"PRAGMA index_xinfo({name})",),
            }.get(kind, ())
            rows = [row for query in about for row in connection.execute(query)]
            written = "" if kind == "table" else " ".join(_COMMENT.sub("", sql or "").split())
            found[kind, name] = [*rows, written]
    return found


def rows_of(path: Path, columns: dict[str, str]) -> dict[str, list[object]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {names} FROM {table}").fetchall() for table, names in columns.items()
        }


def columns_of(path: Path) -> dict[str, str]:
    """The names of each table's columns, as a query takes them."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {t: ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({t})")) for t in tables}


async def brought_up_to_date(path: Path) -> None:
    store = Store(path)
    await store.open()
    await store.close()


def test_there_is_a_frozen_file_of_every_version():
    assert {file.stem for file in _FROZEN.iterdir()} == {"current", *map(str, _VERSIONS)}


async def test_a_new_file_has_the_tables_that_are_written_down(path: Path, tmp_path: Path):
    await brought_up_to_date(path)
    thaw("current", tmp_path / "current.db")
    assert structure(path) == structure(tmp_path / "current.db")


@pytest.mark.parametrize("version", _VERSIONS)
async def test_a_file_of_an_earlier_version_gets_the_tables_that_are_written_down(
    path: Path, tmp_path: Path, version: int
):
    thaw(str(version), path)
    await brought_up_to_date(path)
    thaw("current", tmp_path / "current.db")
    assert structure(path) == structure(tmp_path / "current.db")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


@pytest.mark.parametrize("version", _VERSIONS)
async def test_a_file_of_an_earlier_version_keeps_every_row_as_it_was(path: Path, version: int):
    thaw(str(version), path)
    columns = columns_of(path)
    before = rows_of(path, columns)
    assert all(before.values())
    await brought_up_to_date(path)
    assert rows_of(path, columns) == before


@pytest.mark.parametrize("version", _VERSIONS)
async def test_what_an_earlier_version_kept_is_understood_today(path: Path, version: int):
    thaw(str(version), path)
    store = Store(path)
    await store.open()
    fox, hare = [await store.images.get(name) for name in ("fox", "hare")]
    assert fox is not None
    assert hare is not None
    assert (fox.owner, fox.channel, fox.message, fox.created) == (1, 2, 3, 1750000000.5)
    assert (fox.request.prompt, fox.request.image, fox.request.mask) == ("a fox", b"a picture", b"a mask")
    assert (fox.result.width, fox.result.height, len(fox.result.pictures)) == (512, 768, 2)
    assert fox.lineage == Lineage("parent", "variations", 2)
    assert (hare.request.prompt, hare.request.image, hare.lineage) == ("a hare", b"", None)
    rules = ServerSettings({"imagine": "dalle-mini"}, True, (10, 2**62), (20,), 2, 100, 50, 1)
    assert store.settings.server(5) == rules
    assert store.settings.person(1) == PersonSettings({"complete": "gpt2"}, "de", True)
    kept = await store.completions.get("once")
    assert kept is not None
    assert (kept.owner, kept.message, kept.history.request.prompt) == (1, 9, "Once")
    assert [variant.text for segment in kept.history.segments for variant in segment.variants] == [
        " upon",
        " there",
        " more",
    ]
    await store.close()


@pytest.mark.parametrize("version", _VERSIONS)
async def test_only_what_had_a_time_to_go_when_it_was_kept_goes_by_itself(path: Path, version: int):
    thaw(str(version), path)
    store = Store(path)
    await store.open()
    await store.forget_expired(_LONG_AFTER)
    assert [await store.images.get(name) is not None for name in ("fox", "hare")] == [True, False]
    assert await store.completions.get("once") is not None
    await store.close()


@pytest.mark.parametrize("version", _VERSIONS)
async def test_of_a_person_who_is_forgotten_an_earlier_versions_file_keeps_nothing(path: Path, version: int):
    thaw(str(version), path)
    store = Store(path)
    await store.open()
    await forget_all_of(store, 1)
    await store.close()
    left = rows_of(path, {"files": "hash", "images": "owner", "completions": "owner", "person_settings": "id"})
    assert left == {"files": [], "images": [(6,)], "completions": [], "person_settings": []}
