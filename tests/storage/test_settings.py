"""Test that the settings of servers and people survive a restart and can be deleted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import PersonSettings, ServerSettings, StorageError, Store
from tests.fakes import forget_all_of

SERVER = replace(
    ServerSettings({"imagine": "dalle-mini"}, True, (10, 2**62), (20,), 2, 100, 50, 1),
    persona="You are a pirate.",
    channel_personas={10: "You are a poet.", 2**62: "You are a “sailor”."},
)
PERSON = PersonSettings({"complete": "gpt2"}, "de", True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inkling.db"


@pytest.fixture
async def store(path: Path) -> AsyncGenerator[Store]:
    store = Store(path)
    await store.open()
    yield store
    await store.close()


def rows(path: Path) -> list[int]:
    with sqlite3.connect(path) as connection:
        tables = ("server_settings", "person_settings")
        return [number for table in tables for (number,) in connection.execute(f"SELECT id FROM {table}")]


async def test_default_settings_are_not_stored(store: Store, path: Path):
    assert store.settings.server(1) == store.settings.server(None) == ServerSettings()
    assert store.settings.person(1) == PersonSettings()
    await store.settings.people.change(1, lambda _: PERSON)
    await store.settings.people.change(1, lambda _: PersonSettings())
    assert rows(path) == []


async def test_changed_settings_are_available_immediately_and_after_a_restart(store: Store, path: Path):
    await store.settings.servers.change(1, lambda _: SERVER)
    await store.settings.people.change(1, lambda _: PERSON)
    assert (store.settings.server(1), store.settings.person(1)) == (SERVER, PERSON)
    reopened = Store(path)
    await reopened.open()
    assert (reopened.settings.server(1), reopened.settings.person(1)) == (SERVER, PERSON)
    assert reopened.settings.server(2) == ServerSettings()
    await reopened.close()


async def test_concurrent_changes_are_all_stored(store: Store):
    await asyncio.gather(
        store.settings.servers.change(1, lambda settings: replace(settings, pictures=2)),
        store.settings.servers.change(1, lambda settings: replace(settings, private=True)),
    )
    assert store.settings.server(1) == ServerSettings(pictures=2, private=True)


async def test_settings_that_cannot_be_written_do_not_change_in_memory(store: Store):
    await store.close()
    with pytest.raises(StorageError):
        await store.settings.people.change(1, lambda _: PERSON)
    assert store.settings.person(1) == PersonSettings()


async def test_deleted_settings_are_removed_from_memory_and_disk(store: Store, path: Path):
    await store.settings.servers.change(1, lambda _: SERVER)
    await store.settings.people.change(2, lambda _: PERSON)
    await store.settings.servers.forget(1)
    await forget_all_of(store, 2)
    assert (store.settings.server(1), store.settings.person(2)) == (ServerSettings(), PersonSettings())
    assert rows(path) == []


async def test_unknown_setting_fields_are_ignored(store: Store, path: Path):
    with sqlite3.connect(path) as connection:
        connection.execute('INSERT INTO person_settings VALUES (1, \'{"language": "fr", "colour": "blue"}\')')
    connection.close()
    await store.close()
    await store.open()
    assert store.settings.person(1) == PersonSettings(language="fr")


def test_a_thread_has_its_own_persona_then_that_of_its_channel_then_that_of_the_server():
    settings = ServerSettings(persona="server", channel_personas={1: "thread", 2: "channel"})
    assert settings.persona_in(1, parent_id=2) == "thread"
    assert settings.persona_in(3, parent_id=2) == settings.persona_in(2) == "channel"
    assert settings.persona_in(3, parent_id=4) == settings.persona_in(3) == "server"
    assert ServerSettings().persona_in(1, parent_id=2) == ""
