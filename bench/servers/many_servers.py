"""Thousands of servers of all sizes, as Discord describes them to a bot without privileged intents.

Of a server's members, only the bot itself is sent. Everything about a server follows from its id, and is made when it
is sent, so that this process keeps little.
"""

from __future__ import annotations

from itertools import accumulate
from math import log
from random import Random

from bench.crash.world import Interaction, Json, Message, Person, Place, World

_FIRST_SERVER, _YEARS = 50_000_000_000, 9
"""When the oldest server was made, in Discord's milliseconds since 2015, and for how long new ones have been made."""
_MILLISECONDS_A_YEAR = 365 * 24 * 3_600_000

_ROLES, _CHANNELS, _OTHERS = 100, 1000, 2000
"""What is added to the id of a server for the ids of its roles, channels, and the rest."""

_TEXT, _VOICE, _CATEGORY = 0, 2, 4
_CHANNELS_OF_A_CATEGORY = 6
_VOICE_SHARE, _TOPIC_SHARE = 0.2, 0.4
_ROLES_OF_A_PERSON = 4

_TOPIC = "Everything about {} goes here. Be kind, stay on the topic, and read the pinned messages before you ask. "
_PERMISSIONS = str((1 << 53) - 1 - (1 << 3))  # all but administrator
_READ_ONLY = str(1 << 11)
_SINCE = "2023-05-01T12:00:00+00:00"


class ManyServers(World):
    """So many servers. Somebody writes in one the more often the more members it has."""

    def __init__(self, servers: int, seed: int) -> None:
        super().__init__(["Owner"], "general", "talk")
        random = Random(seed)
        made = sorted(random.sample(range(_YEARS * _MILLISECONDS_A_YEAR), servers))
        self.guilds = [(_FIRST_SERVER + moment) << 22 for moment in made]
        self.channels = [Place(_channel(guild, 0), "general", guild) for guild in self.guilds]
        self.places = {place.id: place for place in self.channels}
        self._weights = [*accumulate(_members(Random(guild)) for guild in self.guilds)]

    def any_place(self, random: Random) -> Place:
        """Return the channel of a server in which the bot is asked for something."""
        return random.choices(self.channels, cum_weights=self._weights)[0]

    def new_person(self) -> Person:
        number = self.new_id()
        return Person(number, f"person {number % 100_000}")

    def guild_payload(self, guild: int) -> Json:
        random = Random(guild)
        members = _members(random)
        channels = [self._channel_payload(random, guild, number) for number in range(_size(random, 25, 200))]
        return {
            "id": str(guild),
            "name": f"House {guild % 9973}",
            "icon": "a_0123456789abcdef0123456789abcdef",
            "owner_id": str(guild + _OTHERS),
            "member_count": members,
            "large": members > 250,
            "joined_at": _SINCE,
            "preferred_locale": random.choice(["en-US", "en-US", "en-US", "de", "fr", "es-ES", "ja"]),
            "features": ["COMMUNITY", "NEWS", "INVITE_SPLASH"] if members > 1000 else ["COMMUNITY"],
            "description": "A place for all who like to be here",
            "verification_level": 1,
            "system_channel_id": str(_channel(guild, 0)),
            "rules_channel_id": str(_channel(guild, 1)),
            "roles": [self._role_payload(guild, number) for number in range(_size(random, 17, 200))],
            "channels": channels,
            "threads": [self._thread_payload(guild, number) for number in range(random.randrange(5))],
            "members": [self.member(self.bot, guild, [guild + _ROLES + 1])],
            "emojis": [self._emoji_payload(guild, number) for number in range(_size(random, 15, 250))],
            **{name: [] for name in ("stickers", "voice_states", "presences", "stage_instances")},
            **{name: [] for name in ("guild_scheduled_events", "soundboard_sounds", "embedded_activities")},
            "unavailable": False,
        }

    def interaction_event(self, interaction: Interaction) -> Json:
        guild = interaction.place.guild
        return {**super().interaction_event(interaction), "member": self.member(interaction.person, guild)}

    def message_event(self, message: Message) -> Json:
        return {**super().message_event(message), "member": self.member(message.author, message.place.guild)}

    def chat_message(self, random: Random) -> tuple[int, Json]:
        """Return a server, and what Discord reports of a message there that has nothing to do with the bot.

        The bot has no intent for its words.
        """
        guild = self.any_place(random).guild
        place = Place(_channel(guild, random.randrange(5)), "", guild)
        message = Message(self.new_id(), place, self.new_person(), "a few words")
        event = {**self.message_event(message), "nonce": str(message.id), "channel_type": _TEXT}
        if random.random() < 0.15:
            before = Message(message.id - 5, place, self.new_person(), "words before")
            ids = {"channel_id": str(place.id), "guild_id": str(guild)}
            event |= {"message_reference": {"type": 0, "message_id": str(before.id), **ids}, "type": 19}
            event |= {"referenced_message": self.message(before), "mentions": [before.author.payload()]}
        return guild, event

    def member(self, person: Person, guild: int, roles: list[int] | None = None) -> Json:
        """Return a person as a member of a server, by default with a few roles."""
        if roles is None:
            roles = [guild + _ROLES + number for number in range(2, 2 + person.id % _ROLES_OF_A_PERSON)]
        return {**person.member(), "roles": [str(role) for role in roles]}

    def _channel_payload(self, random: Random, guild: int, number: int) -> Json:
        kind = _CATEGORY if number % _CHANNELS_OF_A_CATEGORY == 5 else _TEXT
        if number > 5 and kind == _TEXT and random.random() < _VOICE_SHARE:
            kind = _VOICE
        overwrites = [self._overwrite(guild, role) for role in range(random.randrange(4))]
        name = f"{('general', 'pictures', 'music', 'games', 'help')[number % 5]}-{number}"
        payload: Json = {
            "id": str(_channel(guild, number)),
            "type": kind,
            "name": name,
            "position": number,
            "flags": 0,
            "permission_overwrites": overwrites,
        }
        if kind == _CATEGORY:
            return payload
        parent = number // _CHANNELS_OF_A_CATEGORY * _CHANNELS_OF_A_CATEGORY - 1
        payload |= {"parent_id": str(_channel(guild, parent)) if parent > 0 else None, "nsfw": False}
        payload |= {"rate_limit_per_user": 0, "last_message_id": str(self._last_message(random, guild, number))}
        if kind == _VOICE:
            return {**payload, "bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        topic = _TOPIC.format(name) if random.random() < _TOPIC_SHARE else None
        return {**payload, "topic": topic, "last_pin_timestamp": _SINCE, "default_auto_archive_duration": 4320}

    def _last_message(self, random: Random, guild: int, number: int) -> int:
        """Return the last message of a channel: in some minutes' time in a few, long ago in most."""
        recent = number == 0 and random.random() < 0.1
        return self.new_id() - (random.randrange(600_000) << 22) if recent else guild + (random.randrange(10**9) << 22)

    def _overwrite(self, guild: int, role: int) -> Json:
        return {"id": str(guild + _ROLES + role if role else guild), "type": 0, "allow": "0", "deny": _READ_ONLY}

    def _role_payload(self, guild: int, number: int) -> Json:
        tags: Json = {"tags": {"bot_id": str(self.bot.id)}} if number == 1 else {}
        return {
            "id": str(guild + _ROLES + number if number else guild),
            "name": f"role {number}" if number else "@everyone",
            "permissions": _PERMISSIONS,
            "position": number,
            "color": 0x3498DB + number,
            "colors": {"primary_color": 0x3498DB + number, "secondary_color": None, "tertiary_color": None},
            "hoist": number % 2 == 0,
            "managed": number == 1,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
            **tags,
        }

    def _thread_payload(self, guild: int, number: int) -> Json:
        metadata = {"archived": False, "archive_timestamp": _SINCE, "create_timestamp": _SINCE, "locked": False}
        return {
            "id": str(guild + _OTHERS + 500 + number),
            "type": 11,
            "guild_id": str(guild),
            "parent_id": str(_channel(guild, 0)),
            "owner_id": str(guild + _OTHERS + number),
            "name": f"a thread about number {number}",
            "last_message_id": str(guild + (10**8 << 22)),
            "rate_limit_per_user": 0,
            "message_count": 20,
            "member_count": 5,
            "flags": 0,
            "thread_metadata": {**metadata, "auto_archive_duration": 4320},
        }

    def _emoji_payload(self, guild: int, number: int) -> Json:
        switches = {"require_colons": True, "managed": False, "animated": False, "available": True}
        return {"id": str(guild + _OTHERS + 1000 + number), "name": f"emoji_{number}", "roles": [], **switches}


def _channel(guild: int, number: int) -> int:
    return guild + _CHANNELS + number


def _members(random: Random) -> int:
    return _size(random, 400, 500_000, spread=1.5)


def _size(random: Random, median: int, most: int, spread: float = 0.6) -> int:
    return min(most, max(5, round(random.lognormvariate(log(median), spread))))
