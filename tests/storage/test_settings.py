"""Test that the settings of servers and people survive a restart and can be deleted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from storage import PersonSettings, ServerSettings, StorageError, Store
from tests.fakes import forget_all_of
from tests.storage.conftest import NewStore

SERVER = replace(
    ServerSettings({"imagine": "dalle-mini"}, True, (10, 2**62), (20,), 2, 100, 50, 1),
    persona="You are a pirate.",
    channel_personas={10: "You are a poet.", 2**62: "You are a “sailor”."},
)
PERSON = PersonSettings({"complete": "gpt2"}, "de", True)


async def rows(store: Store) -> list[int]:
    tables = ("server_settings", "person_settings")
    return [number for table in tables for (number,) in await store.database.read(f"SELECT id FROM {table}")]


async def test_default_settings_are_not_stored(store: Store):
    assert store.settings.server(1) == store.settings.server(None) == ServerSettings()
    assert store.settings.person(1) == PersonSettings()
    await store.settings.people.change(1, lambda _: PERSON)
    await store.settings.people.change(1, lambda _: PersonSettings())
    assert await rows(store) == []


async def test_changed_settings_are_available_immediately_and_after_a_restart(store: Store, new_store: NewStore):
    await store.settings.servers.change(1, lambda _: SERVER)
    await store.settings.people.change(1, lambda _: PERSON)
    assert (store.settings.server(1), store.settings.person(1)) == (SERVER, PERSON)
    await store.close()
    reopened = new_store()
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


async def test_deleted_settings_are_removed_from_memory_and_disk(store: Store):
    await store.settings.servers.change(1, lambda _: SERVER)
    await store.settings.people.change(2, lambda _: PERSON)
    await store.settings.servers.forget(1)
    await forget_all_of(store, 2)
    assert (store.settings.server(1), store.settings.person(2)) == (ServerSettings(), PersonSettings())
    assert await rows(store) == []


async def test_unknown_setting_fields_are_ignored(store: Store):
    async with store.database.writing() as connection:
        row = (1, '{"language": "fr", "colour": "blue"}')
        await connection.execute("INSERT INTO person_settings VALUES (?, ?)", row)
    await store.close()
    await store.open()
    assert store.settings.person(1) == PersonSettings(language="fr")


def test_a_thread_has_its_own_persona_then_that_of_its_channel_then_that_of_the_server():
    settings = ServerSettings(persona="server", channel_personas={1: "thread", 2: "channel"})
    assert settings.persona_in(1, parent_id=2) == "thread"
    assert settings.persona_in(3, parent_id=2) == settings.persona_in(2) == "channel"
    assert settings.persona_in(3, parent_id=4) == settings.persona_in(3) == "server"
    assert ServerSettings().persona_in(1, parent_id=2) == ""
