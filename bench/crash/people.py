"""The people of the check: they ask, press buttons and cancel, at random."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.crash.discord_server import DiscordServer
from bench.crash.request_pool import WRITTEN, PooledRequest
from bench.crash.world import Interaction, Json, Message, Person, World

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")

CANCEL = "cancel"
TEXT_ACTIONS = frozenset({"another"})
"""Buttons whose answer replaces the text of their own message."""

PICTURE_ACTIONS = frozenset({"vary", "reroll", "one"})
"""Buttons whose answer is a new message."""

_PRESS_SHARE = 0.25
_CANCEL_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message shows: its text, its files (name, content), and its buttons (label, disabled).

    The descriptions of files are left out: pictures are described only while the model for that is loaded.
    """

    text: str
    files: tuple[tuple[str, bytes], ...]
    buttons: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, message: Message) -> Shown:
        """Return what `message` shows now."""
        files = tuple((file.name, file.data) for file in message.files)
        buttons = tuple((button.get("label", ""), button.get("disabled", False)) for button in message.buttons)
        return cls(message.content, files, buttons)


@dataclass(frozen=True, slots=True)
class Kills:
    """How often the bot was killed, and parts of its cluster."""

    bot: int = 0
    parts: int = 0

    def since(self, earlier: Kills) -> Kills:
        """Return those that came after `earlier`."""
        return Kills(self.bot - earlier.bot, self.parts - earlier.parts)


@dataclass(eq=False, slots=True)
class SentRequest:
    """A request that somebody made: one of the pool, or the press of a button (`action`) of a finished message.

    `interaction` is that of a command or a press, `asked` the message that mentions the bot. `earlier_kills` are
    those before. `before` is what the pressed message showed. `cancelled` says whether the
    person has pressed Cancel.
    """

    person: Person
    earlier_kills: Kills
    pooled: PooledRequest | None = None
    action: str = ""
    interaction: Interaction | None = None
    asked: Message | None = None
    before: Shown | None = None
    cancelled: bool = False
    sent: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        if self.pooled:
            return f"{self.pooled.kind} {self.pooled.name}"
        return f"button {self.action}"

    @property
    def age(self) -> float:
        """The seconds since it was sent."""
        return time.monotonic() - self.sent

    def messages(self, world: World) -> list[Message]:
        """Return the bot's messages that answer it, as far as they are not deleted."""
        if self.asked:
            return world.replies(self.asked)
        assert self.interaction is not None, "a request is an interaction or a message"
        return [message for message in self.interaction.messages if not message.deleted]


class People:
    """All people, who ask for what is in the `pool`. `kills` are those so far."""

    def __init__(self, discord: DiscordServer, random: Random, pool: Sequence[PooledRequest]) -> None:
        self.pool = pool
        self.kills = Kills()
        self._discord = discord
        self._world = discord.world
        self._random = random
        self._written: dict[str, Message] = {}
        self._pressed: set[Message] = set()

    async def write_first_messages(self) -> None:
        """Write the messages whose menus are opened later."""
        author, place = self._world.people[0], self._world.channel
        for name, (text, file) in WRITTEN.items():
            self._written[name] = await self._discord.write(author, place, text, file)

    async def ask(self, pooled: PooledRequest) -> SentRequest:
        """Let somebody make a request of the pool, in the channel or in the thread."""
        person = self._random.choice(self._world.people)
        place = self._random.choice((self._world.channel, self._world.channel, self._world.thread))
        sent = SentRequest(person, self.kills, pooled)
        if pooled.kind == "mention":
            text = f"{self._world.bot.mention} {pooled.name} {pooled.text}"
            sent.asked = await self._discord.write(person, place, text, pooled.file)
        else:
            sent.interaction = await self._discord.command(person, place, self._data(pooled))
        return sent

    async def act(self, running: Iterable[SentRequest], finished: Iterable[SentRequest]) -> SentRequest | None:
        """Let somebody cancel, press a button below a finished answer, or ask. Return the new request, if any."""
        chance = self._random.random()
        if chance < _CANCEL_SHARE and (choices := list(self._buttons(running, {CANCEL}))):
            sent, message, _, button = self._random.choice(choices)
            sent.cancelled |= (await self._discord.press(sent.person, message, button)).delivered
            return None
        if chance < _PRESS_SHARE and (choices := list(self._buttons(finished, TEXT_ACTIONS | PICTURE_ACTIONS))):
            sent, message, action, button = self._random.choice(choices)
            return await self._press(sent.person, message, action, button)
        return await self.ask(self._random.choice(self.pool))

    async def _press(self, person: Person, message: Message, action: str, button: str) -> SentRequest:
        self._pressed.add(message)
        sent = SentRequest(person, self.kills, action=action, before=Shown.of(message))
        sent.interaction = await self._discord.press(person, message, button)
        return sent

    def is_pressed(self, sent: SentRequest) -> bool:
        """Return whether somebody has pressed a button below the answer to `sent`."""
        return not self._pressed.isdisjoint(sent.messages(self._world))

    def _data(self, pooled: PooledRequest) -> Json:
        if pooled.kind == "menu":
            return self._world.menu_data(pooled.name, self._written[pooled.on])
        file = self._world.uploaded(pooled.file) if pooled.file else None
        options = {**pooled.options, pooled.file_option: str(file.id)} if file else pooled.options
        return self._world.command_data(pooled.name, options, file)

    def _buttons(
        self, requests: Iterable[SentRequest], actions: Iterable[str]
    ) -> Iterator[tuple[SentRequest, Message, str, str]]:
        """Yield request, message, action and id of each button with one of these actions.

        Only one button of a message is ever pressed, so that it is known whose answer the message shows.
        """
        for sent in requests:
            for message in sent.messages(self._world) if sent.pooled else ():
                for button in message.buttons if message not in self._pressed else ():
                    action = action_of(button)
                    if action in actions and not button.get("disabled"):
                        yield sent, message, action, button["custom_id"]


def action_of(button: Json) -> str:
    """Return what a button does: `another` for `inkling:complete:another:…`, `cancel` for `inkling:cancel:…`."""
    _, feature, *rest = [*button.get("custom_id", "").split(":"), ""]
    return CANCEL if feature == CANCEL else rest[0] if rest else ""
