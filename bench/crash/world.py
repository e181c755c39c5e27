"""What the stand-in for Discord knows: people, places, messages and interactions, and their JSON."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Json = dict[str, Any]

EPHEMERAL, LOADING = 1 << 6, 1 << 7
"""Flags of a message: only one person sees it; it shows that the bot is thinking."""

SECONDS_TO_ACKNOWLEDGE = 3.0
SECONDS_OF_A_TOKEN = 900.0

_EPOCH = 1_420_070_400_000
_PERMISSIONS = str((1 << 53) - 1 - (1 << 3))  # all but administrator
_UPLOAD_LIMIT = 10 * 2**20
_REPLY, _COMMAND_RESPONSE = 19, 20
_DM, _TEXT, _THREAD = 1, 0, 11

InteractionKind = Literal["command", "button"]
INTERACTION_TYPES: dict[InteractionKind, int] = {"command": 2, "button": 3}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on Discord, or the bot."""

    id: int
    name: str
    bot: bool = False

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def payload(self) -> Json:
        names = {"username": self.name, "global_name": None, "discriminator": "0", "avatar": None}
        return {"id": str(self.id), **names, "bot": self.bot, "public_flags": 0}

    def member(self) -> Json:
        """Return the person as a member of a server."""
        return {
            "user": self.payload(),
            "roles": [],
            "joined_at": _iso(self.id),
            "permissions": _PERMISSIONS,
            **{"nick": None, "avatar": None, "deaf": False, "mute": False, "pending": False, "flags": 0},
        }


@dataclass(slots=True)
class Place:
    """A channel of a server (`guild`), a thread in the channel `parent`, or a direct message `to` a person."""

    id: int
    name: str
    guild: int = 0
    parent: Place | None = None
    to: Person | None = None
    last_message: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file that a message has, or that a person hands in."""

    name: str
    data: bytes
    id: int = 0


@dataclass(eq=False, slots=True)
class Message:
    """A message. `interaction` is the one that it belongs to, `reply_to` the message that it answers."""

    id: int
    place: Place
    author: Person
    content: str = ""
    files: list[File] = field(default_factory=list[File])
    components: list[Json] = field(default_factory=list[Json])
    flags: int = 0
    reply_to: Message | None = None
    interaction: Interaction | None = None
    edited: bool = False
    deleted: bool = False

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    @property
    def public(self) -> bool:
        """Whether everybody sees it."""
        return not self.ephemeral and not self.deleted

    @property
    def buttons(self) -> list[Json]:
        """The components in all rows."""
        return [button for row in self.components for button in row.get("components", ())]


@dataclass(eq=False, slots=True)
class Interaction:
    """A command or a press. `pressed` is the message of the button; `messages` are the bot's, the response first."""

    id: int
    token: str
    kind: InteractionKind
    person: Person
    place: Place
    data: Json
    pressed: Message | None = None
    delivered: bool = False
    acknowledged: bool = False
    seconds_to_acknowledge: float = 0.0
    response: Message | None = None
    messages: list[Message] = field(default_factory=list[Message])
    sent: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        return time.monotonic() - self.sent


class World:
    """Servers with their places and people. `address` is where files can be fetched.

    Each server has a channel; `channel` and `thread` are those of the first.
    """

    def __init__(self, people: Sequence[str], channel: str, thread: str, servers: int = 1) -> None:
        self._last_id = 0
        self.address = ""
        self.guilds = [self.new_id() for _ in range(servers)]
        self.bot = Person(self.new_id(), "Inkling", bot=True)
        self.people = [Person(self.new_id(), name) for name in people]
        self.channels = [Place(self.new_id(), channel, guild) for guild in self.guilds]
        self.channel = self.channels[0]
        self.thread = Place(self.new_id(), thread, self.channel.guild, self.channel)
        self.places = {place.id: place for place in (*self.channels, self.thread)}
        self.messages: dict[int, Message] = {}
        self.files: dict[int, File] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: list[Json] = []

    def new_id(self) -> int:
        """Return an id that holds the time, as Discord's do; each is larger than the one before."""
        self._last_id = max(self._last_id + 1, int(time.time() * 1000 - _EPOCH) << 22)
        return self._last_id

    def add(self, message: Message) -> Message:
        """Put a new message into its place."""
        message.files = [self.uploaded(file) for file in message.files]
        self.messages[message.id] = message
        if not message.ephemeral:
            message.place.last_message = message.id
        return message

    def uploaded(self, file: File) -> File:
        """Return `file` with an id, by which it can be fetched."""
        if file.id:
            return file
        number = self.new_id()
        self.files[number] = File(file.name, file.data, number)
        return self.files[number]

    def history(self, place: Place) -> list[Message]:
        """Return the messages that everybody sees there, oldest first."""
        return [message for message in self.messages.values() if message.place is place and message.public]

    def replies(self, asked: Message) -> list[Message]:
        """Return the bot's messages that answer `asked`."""
        return [message for message in self.messages.values() if message.reply_to is asked and not message.deleted]

    def direct_messages(self, person: Person) -> Place:
        """Return the place of direct messages to `person`."""
        for place in self.places.values():
            if place.to is person:
                return place
        place = Place(self.new_id(), person.name, to=person)
        self.places[place.id] = place
        return place

    def new_interaction(
        self, kind: InteractionKind, person: Person, place: Place, data: Json, pressed: Message | None = None
    ) -> Interaction:
        """Return a command or press of `person`."""
        number = self.new_id()
        interaction = Interaction(number, f"interaction-token-{number}", kind, person, place, data, pressed)
        self.interactions[interaction.token] = interaction
        return interaction

    def command_data(self, name: str, options: Mapping[str, Any], file: File | None) -> Json:
        """Return the data of a slash command with these options, as it was registered. `file` is for an option."""
        command = self._command(name, 1)
        types = {option["name"]: option["type"] for option in command["options"]}
        given = [{"name": option, "type": types[option], "value": value} for option, value in options.items()]
        resolved = {"attachments": {str(file.id): self._file(file)}} if file else {}
        return {"id": command["id"], "name": name, "type": 1, "options": given, "resolved": resolved}

    def menu_data(self, name: str, target: Message) -> Json:
        """Return the data of a command in the menu of a message. Its content is shown to the bot."""
        resolved = {"messages": {str(target.id): self.message(target, hide=False)}}
        command = self._command(name, 3)
        return {"id": command["id"], "name": name, "type": 3, "target_id": str(target.id), "resolved": resolved}

    def _command(self, name: str, kind: int) -> Json:
        return next(each for each in self.commands if (each["name"], each["type"]) == (name, kind))

    def register(self, commands: Iterable[Json]) -> None:
        """Take these commands in place of all before."""
        common = {"application_id": str(self.bot.id), "version": str(self.new_id())}
        self.commands = [
            {"type": 1, "description": "", **command, "options": command.get("options") or [], **common}
            | {"id": str(self.new_id())}
            for command in commands
        ]

    def guild_payload(self, guild: int) -> Json:
        """Return a server as the gateway describes it when the bot connects."""
        everyone = {"id": str(guild), "name": "@everyone", "permissions": _PERMISSIONS, "position": 0, "color": 0}
        lists = ["emojis", "stickers", "features", "voice_states", "presences", "stage_instances"]
        return {
            "id": str(guild),
            "name": "House",
            "owner_id": str(self.people[0].id),
            "member_count": len(self.people) + 1,
            "joined_at": _iso(self.bot.id),
            "preferred_locale": "en-US",
            "roles": [{**everyone, "hoist": False, "managed": False, "mentionable": False, "flags": 0}],
            "members": [self.bot.member()],
            "channels": [self.place(place) for place in self.channels if place.guild == guild],
            "threads": [self.place(self.thread)] if self.thread.guild == guild else [],
            **{name: [] for name in (*lists, "guild_scheduled_events", "soundboard_sounds")},
        }

    def place(self, place: Place) -> Json:
        """Return a channel, a thread or a direct message."""
        last = str(place.last_message) if place.last_message else None
        payload: Json = {"id": str(place.id), "last_message_id": last, "flags": 0}
        if place.to:
            return {**payload, "type": _DM, "recipients": [place.to.payload()]}
        payload |= {"guild_id": str(place.guild), "name": place.name, "rate_limit_per_user": 0}
        if place.parent:
            since = _iso(place.id)
            times = {"archived": False, "archive_timestamp": since, "create_timestamp": since, "locked": False}
            counts = {"message_count": 0, "member_count": 1, "owner_id": str(self.people[0].id)}
            metadata = {**times, "auto_archive_duration": 1440}
            return {
                **payload,
                **counts,
                "type": _THREAD,
                "parent_id": str(place.parent.id),
                "thread_metadata": metadata,
            }
        return {**payload, "type": _TEXT, "position": 0, "nsfw": False, "topic": None, "permission_overwrites": []}

    def message(self, message: Message, *, hide: bool | None = None) -> Json:
        """Return a message. By default its content is hidden where the bot may not read it."""
        hidden = self.hidden(message) if hide is None else hide
        payload: Json = {
            "id": str(message.id),
            "channel_id": str(message.place.id),
            "author": message.author.payload(),
            "type": _REPLY if message.reply_to else _COMMAND_RESPONSE if message.interaction else 0,
            "content": "" if hidden else message.content,
            "attachments": [] if hidden else [self._file(file) for file in message.files],
            "components": [] if hidden else message.components,
            "embeds": [],
            "mentions": [self.bot.payload()] if self.mentions_bot(message) else [],
            "mention_roles": [],
            "mention_everyone": False,
            "timestamp": _iso(message.id),
            "edited_timestamp": _iso(message.id) if message.edited else None,
            "flags": message.flags,
            "pinned": False,
            "tts": False,
        }
        if message.reply_to:
            place = {"channel_id": str(message.place.id), "guild_id": str(message.place.guild)}
            payload["message_reference"] = {"type": 0, "message_id": str(message.reply_to.id), **place}
            shown = None if message.reply_to.deleted else self._referenced(message.reply_to)
            payload["referenced_message"] = shown
        if message.interaction:
            payload |= {"application_id": str(self.bot.id), "webhook_id": str(self.bot.id)}
            payload["interaction_metadata"] = self._metadata(message.interaction)
        return payload

    def message_event(self, message: Message) -> Json:
        """Return a message as the gateway reports it."""
        return {**self.message(message), "guild_id": str(message.place.guild), "member": message.author.member()}

    def interaction_event(self, interaction: Interaction) -> Json:
        """Return an interaction as the gateway reports it."""
        pressed, guild = interaction.pressed, str(interaction.place.guild)
        return {
            "id": str(interaction.id),
            "application_id": str(self.bot.id),
            "type": INTERACTION_TYPES[interaction.kind],
            "token": interaction.token,
            "version": 1,
            "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "locale": "en-US",
            "channel_id": str(interaction.place.id),
            "channel": self.place(interaction.place),
            "member": interaction.person.member(),
            "app_permissions": _PERMISSIONS,
            "attachment_size_limit": _UPLOAD_LIMIT,
            "authorizing_integration_owners": {"0": guild},
            "context": 0,
            "entitlements": [],
            "data": interaction.data,
            **({"message": self.message(pressed, hide=False)} if pressed else {}),
        }

    def mentions_bot(self, message: Message) -> bool:
        return not message.author.bot and self.bot.mention in message.content

    def hidden(self, message: Message) -> bool:
        """Return whether Discord hides the content from a bot without the intent for it."""
        return not message.author.bot and not self.mentions_bot(message)

    def _referenced(self, message: Message) -> Json:
        payload = self.message(message)
        return {key: value for key, value in payload.items() if key != "referenced_message"}

    def _metadata(self, interaction: Interaction) -> Json:
        owners = {"authorizing_integration_owners": {"0": str(interaction.place.guild)}}
        metadata: Json = {"id": str(interaction.id), "type": INTERACTION_TYPES[interaction.kind], **owners}
        if interaction.pressed:
            metadata["interacted_message_id"] = str(interaction.pressed.id)
        return {**metadata, "user": interaction.person.payload()}

    def _file(self, file: File) -> Json:
        url = f"{self.address}/attachments/{file.id}/{file.name}"
        picture = "image/png" if file.name.endswith(".png") else "text/plain; charset=utf-8"
        payload = {"id": str(file.id), "filename": file.name, "size": len(file.data), "url": url, "proxy_url": url}
        return {**payload, "content_type": picture}


def _iso(snowflake: int) -> str:
    return datetime.fromtimestamp(((snowflake >> 22) + _EPOCH) / 1000, UTC).isoformat()
