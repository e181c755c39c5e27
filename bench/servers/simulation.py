"""One run of the simulation: the bot in this process, its event loop and memory measured from inside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.crash.redirected_bot import redirect
from bench.servers.discord_process import DiscordProcess, Size
from bench.servers.load import Phase, PhaseReport
from bench.servers.loop_probe import LoopProbe
from bench.servers.paced_backend import PacedBackend
from bot import create_bot
from inference import Engine, load_config

_SETTINGS = Path(__file__).parents[2] / "config.yaml"


@dataclass(frozen=True, slots=True)
class Measured:
    """A part of the run: its seconds, those of the processor, the lags of the loop, and the memory at its end."""

    seconds: float
    processor: float
    lags: Sequence[float]
    nbytes: int


@dataclass(frozen=True, slots=True)
class MeasuredPhase:
    """A phase while people act, then until all is answered, and what they had of it."""

    acting: Measured
    rest: Measured
    report: PhaseReport


@dataclass(frozen=True, slots=True)
class Report:
    """The memory before the login, the start until all servers are there, and each phase."""

    nbytes_before: int
    start: Measured
    phases: Sequence[MeasuredPhase]


async def simulate(size: Size, phases: Sequence[Phase], folder: Path, speed: float = 1.0) -> Report:
    """Run the bot with its data in `folder`. The models answer `speed` times as fast as usual."""
    discord = DiscordProcess(size)
    try:
        redirect(await discord.address())
        config = load_config(_SETTINGS).model_copy(update={"data": folder})
        backend: Any = PacedBackend(speed)
        bot, meter = create_bot(Engine(config, backend)), _Meter()
        before = meter.nbytes
        async with bot:
            running = asyncio.create_task(bot.start("token"))
            ready = asyncio.create_task(bot.wait_until_ready())
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running  # it has failed
            start = meter.take()
            measured = [await _phase(discord, meter, phase) for phase in phases]
        await running
        meter.stop()
        return Report(before, start, measured)
    finally:
        await discord.stop()


async def _phase(discord: DiscordProcess, meter: _Meter, phase: Phase) -> MeasuredPhase:
    await discord.act(phase)
    acting = meter.take()
    report = await discord.report()
    return MeasuredPhase(acting, meter.take(), report)


class _Meter:
    """Measures this process in parts that follow each other."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._probe = LoopProbe()
        self._begin()

    @property
    def nbytes(self) -> int:
        return self._process.memory_info().rss

    def take(self) -> Measured:
        """Return the part that ends now; the next one begins."""
        seconds, processor = time.perf_counter() - self._began, time.process_time() - self._used
        measured = Measured(seconds, processor, self._probe.take(), self.nbytes)
        self._begin()
        return measured

    def stop(self) -> None:
        self._probe.stop()

    def _begin(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()
