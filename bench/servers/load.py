"""What people do on many servers: commands, presses and mentions at random, and all their other messages.

Each request is followed until it is answered, once.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from bench.crash.accounting import shows_progress, variants
from bench.crash.discord_server import DiscordServer
from bench.crash.people import Shown, action_of
from bench.crash.world import SECONDS_TO_ACKNOWLEDGE, Interaction, Json, Message
from bench.servers.many_servers import ManyServers
from bench.servers.paced_backend import ANSWER, TEXT

State = Literal["answered", "doubled", "late", "refused", "lost"]
"""A `late` request was not acknowledged in time, a `refused` one ended with another message than the answer, and a
`lost` one shows progress, or nothing, a minute after the last request."""

Kind = Literal["complete", "ask", "imagine", "help", "another", "help page", "mention"]

_SHARES: Mapping[Kind, int] = {"complete": 30, "ask": 25, "imagine": 10, "help": 15, "another": 15, "help page": 5}
_KINDS: Sequence[Kind] = tuple(_SHARES)

_PRESSED_BELOW: Mapping[Kind, Kind] = {"another": "complete", "help page": "help"}
"""Presses, and the command whose answer has the button. Each answer is pressed once at most."""

Act = Callable[[], Coroutine[Any, Any, None]]

_DELETED_SHARE, _EDITED_SHARE, _MENTION_SHARE = 0.03, 0.05, 0.002
"""Of other people's messages: how many are deleted or edited, and how many more mention the bot."""

_CONTEXT = f"Ann keeps the keys, and Ben keeps the books. They meet at {ANSWER} at nine. " * 5
_LOOK = 0.25
_SHOWN = 300
_MOST_SECONDS_TO_ANSWER = 60.0


@dataclass(frozen=True, slots=True)
class Phase:
    """For so many seconds, so many interactions and other messages a second."""

    seconds: float
    interactions: float
    messages: float


@dataclass(slots=True)
class PhaseReport:
    """What became of the requests of a phase, in numbers; `faults` says what those show that were refused or lost.

    `messages` are those of other people, `calls` the bot's while people acted.
    """

    states: Counter[State] = field(default_factory=Counter[State])
    seconds_to_acknowledge: list[float] = field(default_factory=list[float])
    seconds_to_answer: list[float] = field(default_factory=list[float])
    faults: list[str] = field(default_factory=list[str])
    messages: int = 0
    calls: int = 0


@dataclass(eq=False, slots=True)
class Asked:
    """A request: an interaction, or a message that mentions the bot. `before` is what a pressed message showed."""

    kind: Kind
    interaction: Interaction | None = None
    mention: Message | None = None
    before: Shown | None = None
    sent: float = field(default_factory=time.monotonic)

    @property
    def is_late(self) -> bool:
        interaction = self.interaction
        return interaction is not None and not interaction.acknowledged and interaction.age > SECONDS_TO_ACKNOWLEDGE


class Load:
    """Lets people act, as a Poisson process: nobody waits for the bot."""

    def __init__(self, discord: DiscordServer, world: ManyServers, seed: int) -> None:
        self._discord = discord
        self._world = world
        self._random = Random(seed)
        self._open: set[Asked] = set()
        self._answered: list[Asked] = []
        self._pressable: dict[Kind, list[Interaction]] = {command: [] for command in _PRESSED_BELOW.values()}
        self._report = PhaseReport()

    async def act(self, phase: Phase) -> None:
        """Let people act until the end of this phase."""
        self._report, calls = PhaseReport(), self._discord.calls
        self._following = asyncio.create_task(self._follow())
        async with asyncio.TaskGroup() as streams:
            for rate, act in (
                (phase.interactions, self._ask),
                (phase.messages * _MENTION_SHARE, self._mention),
                (phase.messages, self._chat),
            ):
                streams.create_task(self._arrivals(self._random, rate, phase.seconds, act))
        self._report.calls = self._discord.calls - calls

    async def report(self) -> PhaseReport:
        """Return what became of all requests of this phase, when they are answered."""
        end = time.monotonic() + _MOST_SECONDS_TO_ANSWER
        while self._open and time.monotonic() < end:  # noqa: ASYNC110  # `_follow` looks as often
            await asyncio.sleep(_LOOK)
        self._following.cancel()
        self._settle()
        return self._report

    @staticmethod
    async def _arrivals(random: Random, rate: float, seconds: float, act: Act) -> None:
        due, end = time.monotonic(), time.monotonic() + seconds
        async with asyncio.TaskGroup() as acts:
            while rate and (due := due + random.expovariate(rate)) < end:
                if (pause := due - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                acts.create_task(act())

    # What people do

    async def _ask(self) -> None:
        [kind] = self._random.choices(_KINDS, [*_SHARES.values()])
        if command := _PRESSED_BELOW.get(kind):
            if self._pressable[command]:
                await self._press(kind, self._pressable[command])
                return
            kind = command
        person, place = self._world.new_person(), self._world.any_place(self._random)
        data = self._world.command_data(kind, self._options(kind), None)
        interaction = self._world.new_interaction("command", person, place, data)
        self._open.add(Asked(kind, interaction))
        await self._discord.gateway.deliver(interaction)

    def _options(self, kind: Kind) -> Json:
        match kind:
            case "complete":
                return {"prompt": f"On a hill number {self._random.randrange(1000)}, a", "seed": 1}
            case "ask":
                return {"question": "Where do they meet?", "text": _CONTEXT}
            case "imagine":
                return {"prompt": f"a boat with {self._random.randrange(1000)} sails", "seed": 1}
            case _:
                return {}

    async def _press(self, kind: Kind, choices: list[Interaction]) -> None:
        """Press a button, or use a menu, below one of these answers."""
        before = choices.pop(self._random.randrange(len(choices)))
        message = before.response
        assert message is not None, "it is answered"
        control = _control(message, kind)
        data: Json = {"component_type": 2, "custom_id": control["custom_id"]}
        if kind == "help page":
            data = {**data, "component_type": 3, "values": ["imagine"]}
        press = self._world.new_interaction("button", before.person, before.place, data, message)
        self._open.add(Asked(kind, press, before=Shown.of(message)))
        await self._discord.gateway.deliver(press)

    async def _mention(self) -> None:
        person, place = self._world.new_person(), self._world.any_place(self._random)
        message = Message(self._world.new_id(), place, person, f"{self._world.bot.mention} complete On a hill, a")
        self._open.add(Asked("mention", mention=message))
        await self._discord.gateway.report("MESSAGE_CREATE", self._world.add(message))

    async def _chat(self) -> None:
        guild, event = self._world.chat_message(self._random)
        self._report.messages += 1
        await self._discord.gateway.dispatch("MESSAGE_CREATE", event, guild)
        chance = self._random.random()
        if chance < _DELETED_SHARE:
            ids = {"id": event["id"], "channel_id": event["channel_id"], "guild_id": event["guild_id"]}
            await self._discord.gateway.dispatch("MESSAGE_DELETE", ids, guild)
        elif chance < _DELETED_SHARE + _EDITED_SHARE:
            await self._discord.gateway.dispatch("MESSAGE_UPDATE", event, guild)

    # What becomes of it

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            replies = self._replies()
            for asked in list(self._open):
                if _answers(asked, replies):
                    self._note_answer(asked)
                elif asked.is_late:
                    self._open.discard(asked)
                    self._report.states["late"] += 1

    def _note_answer(self, asked: Asked) -> None:
        """Note the first answer to a request. Whether it stays the only one is seen at the end of the phase."""
        self._open.discard(asked)
        self._answered.append(asked)
        self._report.seconds_to_answer.append(time.monotonic() - asked.sent)
        if asked.interaction and asked.kind in self._pressable:
            self._pressable[asked.kind].append(asked.interaction)

    def _replies(self) -> Mapping[Message, Sequence[Message]]:
        """Return the bot's replies to each message that mentions it."""
        replies: dict[Message, list[Message]] = {}
        mentions = {asked.mention for asked in (*self._open, *self._answered) if asked.mention}
        for message in self._world.messages.values() if mentions else ():
            if message.reply_to in mentions:
                replies.setdefault(message.reply_to, []).append(message)
        return replies

    def _settle(self) -> None:
        """Note what became of all requests that were not late."""
        replies, report = self._replies(), self._report
        for asked in self._answered:
            report.states["answered" if _answers(asked, replies) == 1 else "doubled"] += 1
        for asked in self._open:
            messages = _messages(asked, replies)
            is_refused = bool(messages) and not any(map(shows_progress, messages))
            report.states["refused" if is_refused else "lost"] += 1
            shown = " | ".join(message.content for message in messages) or "nothing"
            report.faults.append(f"{asked.kind}: {shown}"[:_SHOWN])
        interactions = [asked.interaction for asked in (*self._answered, *self._open) if asked.interaction]
        report.seconds_to_acknowledge = [each.seconds_to_acknowledge for each in interactions if each.acknowledged]
        self._answered.clear()
        self._open.clear()


def _answers(asked: Asked, replies: Mapping[Message, Sequence[Message]]) -> int:
    """Return how many answers the request has."""
    messages = _messages(asked, replies)
    return sum(_is_answer(asked, message) for message in messages if not shows_progress(message))


def _messages(asked: Asked, replies: Mapping[Message, Sequence[Message]]) -> list[Message]:
    if asked.mention:
        messages = replies.get(asked.mention, ())
    else:
        assert asked.interaction is not None, "it is no mention"
        pressed = asked.interaction.pressed
        messages = [*([pressed] if pressed else []), *asked.interaction.messages]
    return [message for message in messages if not message.deleted]


def _is_answer(asked: Asked, message: Message) -> bool:
    match asked.kind:
        case "complete" | "mention":
            return TEXT in message.content and any(action_of(button) == "another" for button in message.buttons)
        case "ask":
            return ANSWER in message.content
        case "imagine":
            return bool(message.files)
        case "help":
            return "/imagine" in message.content
        case "help page":
            assert asked.before is not None, "it is a press"
            return "/imagine" in message.content and message.content != asked.before.text
        case "another":
            assert asked.before is not None, "it is a press"
            return variants(Shown.of(message)) == variants(asked.before) + 1


def _control(message: Message, kind: Kind) -> Json:
    if kind == "another":
        return next(button for button in message.buttons if action_of(button) == "another")
    return next(button for button in message.buttons if "custom_id" in button)
