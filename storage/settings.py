"""Settings of servers and people, held in memory and on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from storage.database import Database
from storage.driver import Row


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Rules of one server. They can restrict what the operator allows, not extend it.

    `models` has the default model's name by task; such a model may have been removed since. With `private`, only the
    person who asked sees an answer. `channels` and `roles` are Discord's ids of where and for whom the bot works; empty
    means everywhere and everyone. The others are limits: `pictures` and `new_tokens` of one request, `messages` that
    one request may read, and `per_person`, the number of one person's concurrent requests. `audit_channel` is
    the id of the channel for reports of messages; without it, nobody can report any. `computing_time` has the
    seconds a day that models work for one person there, and `cooldown` the seconds between two requests of a person.
    `persona` says how the bot talks in conversations, and `channel_personas` how it talks in single channels, by id.
    """

    models: Mapping[str, str] = field(default_factory=dict[str, str])
    private: bool = False
    channels: tuple[int, ...] = ()
    roles: tuple[int, ...] = ()
    pictures: int | None = None
    new_tokens: int | None = None
    messages: int | None = None
    per_person: int | None = None
    audit_channel: int | None = None
    computing_time: int | None = None
    cooldown: int | None = None
    persona: str = ""
    channel_personas: Mapping[int, str] = field(default_factory=dict[int, str])

    def persona_in(self, channel_id: int, parent_id: int | None = None) -> str:
        """Return how the bot talks in a channel, or in a thread of the channel `parent_id`; empty: as usual."""
        return self.channel_personas.get(channel_id) or self.channel_personas.get(parent_id or 0) or self.persona


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """Preferences of one person, on every server.

    `models` is as for servers. `language` is a code such as "de"; empty for Discord's language. With `private`, only
    this person sees the bot's answers.
    """

    models: Mapping[str, str] = field(default_factory=dict[str, str])
    language: str = ""
    private: bool = False


S = TypeVar("S", ServerSettings, PersonSettings)


class SettingsTable(Generic[S]):
    """One table: an id of Discord and its settings as JSON. Default settings have no row."""

    def __init__(self, database: Database, table: str, default: S) -> None:
        self._database = database
        self.name = table
        self._default = default
        self._json: TypeAdapter[S] = TypeAdapter(type(default))
        self._rows: dict[int, S] = {}

    async def load(self) -> None:
        """Read the table into memory."""
        rows = await self._database.read(f"SELECT id, settings FROM {self.name}")
        self._rows = await asyncio.to_thread(
            lambda: {row["id"]: self._json.validate_json(row["settings"]) for row in rows}
        )

    async def refresh(self, number: int) -> None:
        """Read the settings of one id again, since another process may have changed them."""
        rows = await self._database.read(f"SELECT settings FROM {self.name} WHERE id = ?", (number,))
        self._put(number, self._read(rows))

    def get(self, number: int | None) -> S:
        """Return settings from memory; the default for None and for unknown ids."""
        return self._default if number is None else self._rows.get(number, self._default)

    async def change(self, number: int, change: Callable[[S], S]) -> S:
        """Store the result of `change` and return it. Raise StorageError."""
        async with self._database.writing() as connection:
            rows = await connection.fetchall(f"SELECT settings FROM {self.name} WHERE id = ?", (number,))
            settings = change(self._read(rows))
            await connection.execute(f"DELETE FROM {self.name} WHERE id = ?", (number,))
            if settings != self._default:
                row = (number, self._json.dump_json(settings).decode())
                await connection.execute(f"INSERT INTO {self.name} (id, settings) VALUES (?, ?)", row)
        self._put(number, settings)
        return settings

    async def forget(self, number: int) -> None:
        """Restore the default. Raise StorageError."""
        await self.change(number, lambda _: self._default)

    def _read(self, rows: Sequence[Row]) -> S:
        return self._json.validate_json(rows[0]["settings"]) if rows else self._default

    def _put(self, number: int, settings: S) -> None:
        if settings == self._default:
            self._rows.pop(number, None)
        else:
            self._rows[number] = settings


class SettingsTables:
    """Settings of `servers` and `people`, by Discord's ids."""

    def __init__(self, database: Database) -> None:
        self.servers = SettingsTable(database, "server_settings", ServerSettings())
        self.people = SettingsTable(database, "person_settings", PersonSettings())
        self.tables: Mapping[str, SettingsTable[Any]] = {table.name: table for table in (self.servers, self.people)}

    async def load(self) -> None:
        """Read all settings into memory."""
        await self.servers.load()
        await self.people.load()

    def server(self, guild_id: int | None) -> ServerSettings:
        """Return the rules of a server; the default for direct messages (None)."""
        return self.servers.get(guild_id)

    def person(self, user_id: int) -> PersonSettings:
        """Return this person's preferences."""
        return self.people.get(user_id)

    async def export_of(self, owner: int) -> dict[str, Any]:
        """Return this person's settings as plain data."""
        return asdict(self.person(owner))

    async def forget_owner(self, owner: int) -> None:
        """Delete this person's settings."""
        await self.people.forget(owner)
