"""The process of the bot: it is started, killed as by the kernel, and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from bench.crash.discord_server import DiscordServer

_ROOT = Path(__file__).parents[2]
_SECONDS_TO_START = 120.0
_SECONDS_TO_STOP = 30.0
_LINES_SHOWN = 30


class BotFailed(Exception):
    """The bot ended by itself, or did not start. The message has the end of its log."""


class BotProcess:
    """One bot at a time, with the config and the data in `folder`. Its log is in `folder` too."""

    def __init__(self, discord: DiscordServer, folder: Path) -> None:
        self._discord = discord
        self._folder = folder
        self._log = folder / "bot.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the bot, and wait until it is connected, or until a call is held back. Raise BotFailed."""
        arguments = ("-m", "bench.crash.redirected_bot", self._discord.world.address, str(self._folder / "config.yaml"))
        environment = {**os.environ, "DISCORD_TOKEN": "no-secret", "PYTHONPATH": str(_ROOT)}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *arguments), cwd=self._folder, env=environment, stdout=log, stderr=log
            )
        await self._wait_until_connected(self._process)

    async def kill(self) -> None:
        """End the process at once, with no chance to clean up."""
        await self._end(signal.SIGKILL)

    async def kill_if_running(self) -> None:
        """End the process if there is one."""
        if self._process and self._process.returncode is None:
            await self.kill()

    async def stop(self) -> None:
        """Ask the bot to stop, and wait until it has."""
        await self._end(signal.SIGTERM)

    @property
    def errors(self) -> list[str]:
        """The lines of the log that report an error."""
        return [line for line in self._log.read_text(errors="replace").splitlines() if " ERROR " in line]

    def open_jobs(self) -> tuple[int, int]:
        """Return how many accepted requests have not ended, and on how many of them a model works.

        This reads a copy of the table, so that the bot finds the table as it left it.
        """
        with tempfile.TemporaryDirectory() as copy:
            for file in self._job_files():
                shutil.copy(file, copy)
            path = Path(copy, "jobs.db")
            if not path.exists():
                return 0, 0
            with closing(sqlite3.connect(path)) as connection:
                count, at_work = connection.execute("SELECT count(*), coalesce(sum(at_work), 0) FROM jobs").fetchone()
                return int(count), int(at_work)

    def traces(self, texts: list[str]) -> list[str]:
        """Return which of the texts can still be found in the files of the table of requests."""
        data = b"".join(file.read_bytes() for file in self._job_files())
        return [text for text in texts if text.encode() in data]

    def _job_files(self) -> list[Path]:
        return sorted(self._folder.glob("data/jobs.db*"))

    async def _wait_until_connected(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(process.wait())
        started = {asyncio.create_task(event.wait()) for event in (self._discord.gateway.ready, self._discord.holds)}
        try:
            await asyncio.wait({ended, *started}, timeout=_SECONDS_TO_START, return_when=asyncio.FIRST_COMPLETED)
            if not any(event.done() for event in started):
                raise BotFailed(self._last_lines())
        finally:
            for task in (ended, *started):
                task.cancel()

    async def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.returncode is not None:
            raise BotFailed(self._last_lines())
        self._process.send_signal(number)
        async with asyncio.timeout(_SECONDS_TO_STOP):
            await self._process.wait()
        self._process = None
        self._discord.gateway.ready.clear()

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:])
