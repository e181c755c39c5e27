"""One run of the check: the bot is killed again and again under load, and started again."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bench.crash.accounting import Accounting, Outcome, comparable, is_explanation, is_notification, shows_progress
from bench.crash.bot_process import BotFailed, BotProcess
from bench.crash.cluster_parts import ClusterParts, Part
from bench.crash.discord_server import DiscordServer
from bench.crash.models import write_settings
from bench.crash.people import NAMES, People, SentRequest, Shown
from bench.crash.request_pool import POOL, PooledRequest
from bench.crash.world import Message, World
from inference.backends.ray.local_cluster import LocalCluster

_LONGEST_WORK = 12.0
"""Seconds after which the bot is killed at the latest, from when it can have loaded its first model."""

_AT_A_CALL_SHARE = 0.33
_MOST_CALLS = 40
"""A third of the kills happen right after one of so many calls to Discord, before its answer arrives."""

_ACTIONS_A_SECOND = 2.0
_WHILE_AWAY_SHARE = 0.05
_MOST_OPEN = 12
"""People wait while so many requests are open."""

_SECONDS_FOR_AN_ANSWER = 120.0
_QUIET_SECONDS = 8.0
_MOST_SECONDS_TO_END = 300.0
_MOST_SECONDS_TO_FORGET = 30.0
_LOOKS_A_SECOND = 10


@dataclass(frozen=True, slots=True)
class Kill:
    """What was going on at a kill: how many accepted requests had not ended, and on how many a model worked.

    `part` is the part of a cluster that was killed; None for the bot.
    """

    open_jobs: int
    at_work: int
    at_a_call: bool
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has found. `rows` and `traces` are left in the table of requests; `unknown` are routes."""

    kills: Sequence[Kill]
    outcomes: Sequence[tuple[SentRequest, Outcome]]
    rows: int
    traces: Sequence[str]
    unknown: Sequence[str]


async def run(
    kills: int,
    seed: int,
    folder: Path,
    pool: Sequence[PooledRequest] = POOL,
    cluster: LocalCluster | None = None,
) -> Report:
    """Kill the bot so often, and report what became of each request. Raise BotFailed.

    Its settings, data and log are in the empty `folder`. With a cluster, models run on it, and most kills are of its
    parts.
    """
    write_settings(folder, cluster.address if cluster else "")
    parts = ClusterParts(cluster, Random(seed)) if cluster else None
    async with DiscordServer(World(NAMES, "general", "a thread")) as discord:
        bot = BotProcess(discord, folder)
        people = People(discord, Random(seed), pool)
        try:
            return await _Run(discord, bot, people, Random(seed), parts).report(kills)
        finally:
            await bot.kill_if_running()


class _Run:
    def __init__(
        self, discord: DiscordServer, bot: BotProcess, people: People, random: Random, parts: ClusterParts | None
    ) -> None:
        self._discord = discord
        self._bot = bot
        self._people = people
        self._random = random
        self._parts = parts
        self._kills: list[Kill] = []
        self._open: list[SentRequest] = []
        self._ended: dict[SentRequest, Outcome] = {}

    async def report(self, kills: int) -> Report:
        await self._bot.start()
        self._longest_life = await self._seconds_to_an_answer() + _LONGEST_WORK
        await self._people.write_first_messages()
        self._accounting = Accounting(self._discord.world, await self._answers())
        await self._bot.stop()
        load = asyncio.create_task(self._act_for_ever())
        while len(self._kills) < kills:
            await self._live_and_die()
            if load.done():
                await load  # it has failed
        load.cancel()
        await self._bot.start()
        await self._until_quiet()
        rows = self._bot.open_jobs()[0]
        traces = await self._traces()
        await self._bot.stop()
        return Report(self._kills, self._outcomes(), rows, traces, sorted(self._discord.unknown))

    async def _answers(self) -> dict[PooledRequest, Shown]:
        """Return the answer of each request of the pool, without a kill."""
        answers: dict[PooledRequest, Shown] = {}
        for pooled in self._people.pool:
            (message,) = await self._ending(await self._people.ask(pooled))
            if is_explanation(message):
                raise BotFailed(f"{pooled.kind} {pooled.name} was not answered: {message.content}")
            answers[pooled] = comparable(pooled, Shown.of(message))
        return answers

    async def _seconds_to_an_answer(self) -> float:
        """Return how long the first answer takes after the login: the import of torch, and the load of a model."""
        started = time.monotonic()
        await self._ending(await self._people.ask(self._people.pool[0]))
        return time.monotonic() - started

    async def _ending(self, sent: SentRequest) -> list[Message]:
        """Return the messages of a request when it has ended."""
        async with asyncio.timeout(_SECONDS_FOR_AN_ANSWER):
            while True:
                await asyncio.sleep(1 / _LOOKS_A_SECOND)
                messages = [each for each in sent.messages(self._discord.world) if not is_notification(each, sent)]
                if messages and not any(map(shows_progress, messages)):
                    return messages

    async def _live_and_die(self) -> None:
        """Start the bot, and kill it after a random time, or at a random call to Discord."""
        at_a_call = self._random.random() < _AT_A_CALL_SHARE
        life = self._longest_life if at_a_call else self._random.uniform(0, self._longest_life)
        if at_a_call:
            self._discord.hold(self._random.randint(1, _MOST_CALLS))
        await self._bot.start()
        await self._kill_parts(life)
        await self._discord.wait_for_hold(life)
        held = self._discord.holds.is_set()
        await self._bot.kill()
        self._discord.release()
        self._people.kills = replace(self._people.kills, bot=self._people.kills.bot + 1)
        self._kills.append(Kill(*self._bot.open_jobs(), held))
        self._show_progress()

    async def _kill_parts(self, life: float) -> None:
        """Kill parts of the cluster, if there is one, one after another until it is the bot's turn."""
        while self._parts and (part := self._parts.next_part()):
            await asyncio.sleep(self._random.uniform(0, life))
            self._kills.append(Kill(*self._bot.open_jobs(), at_a_call=False, part=part))
            self._show_progress()
            self._people.kills = replace(self._people.kills, parts=self._people.kills.parts + 1)
            await self._parts.kill(part)

    async def _act_for_ever(self) -> None:
        """Let people ask, press and cancel, also while the bot is away."""
        while True:
            await asyncio.sleep(self._random.expovariate(_ACTIONS_A_SECOND))
            self._look()
            away = not self._discord.gateway.ready.is_set()
            if len(self._open) < _MOST_OPEN and not (away and self._random.random() > _WHILE_AWAY_SHARE):
                answered = [sent for sent, outcome in self._ended.items() if outcome.state == "answered"]
                if sent := await self._people.act(self._open, answered):
                    self._open.append(sent)

    def _look(self) -> None:
        """Note which of the open requests have ended."""
        for sent in list(self._open):
            outcome = self._accounting.outcome(sent, self._people.kills)
            if outcome.state != "open":
                self._open.remove(sent)
                self._ended[sent] = outcome

    async def _until_quiet(self) -> None:
        """Wait until the bot has said nothing for some seconds."""
        calls, waited = -1, 0.0
        while calls != self._discord.calls and waited < _MOST_SECONDS_TO_END:
            calls = self._discord.calls
            await asyncio.sleep(_QUIET_SECONDS)
            waited += _QUIET_SECONDS

    async def _traces(self) -> list[str]:
        """Return the words of people that remain in the table after the time that the bot takes to forget."""
        texts = [text for pooled in self._people.pool for text in pooled.texts]
        for _ in range(int(_MOST_SECONDS_TO_FORGET)):
            if not self._bot.traces(texts):
                break
            await asyncio.sleep(1)
        return self._bot.traces(texts)

    def _outcomes(self) -> list[tuple[SentRequest, Outcome]]:
        """Return the last outcome of each request. The answer above a pressed button was judged before the press."""
        self._look()
        pressed = {sent: outcome for sent, outcome in self._ended.items() if self._people.is_pressed(sent)}
        others = [sent for sent in [*self._ended, *self._open] if sent not in pressed]
        last = {sent: self._accounting.outcome(sent, self._people.kills) for sent in others}
        return list((pressed | last).items())

    def _show_progress(self) -> None:
        kill = self._kills[-1]
        states = f"{kill.at_work} at work, {kill.open_jobs} not ended{', at a call' if kill.at_a_call else ''}"
        states = f"{kill.part or 'bot'}, {states}"
        print(f"  kill {len(self._kills)}: {states}; {len(self._ended)} requests ended", file=sys.stderr, flush=True)
