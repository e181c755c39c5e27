"""A local socket through which the command line speaks to the running bot, and the client's side of it.

The bot listens on a Unix socket in its data folder, which only its own user may open. A call is `POST /` with the words
of a command as a JSON list. The answer has one JSON object a line: {"progress": …} meanwhile, and {"done": …} or
{"error": …} as the last.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web

from cogs.common.error_messages import report
from cogs.operator.actions import OperatorActions
from cogs.operator.text_commands import run_command

log = logging.getLogger(__name__)

_NAME = "operator.sock"


class NoBot(Exception):
    """No bot answers at the socket. The message says what to do."""


class ControlSocket:
    """The bot's side."""

    def __init__(self, actions: OperatorActions, folder: Path) -> None:
        self._actions = actions
        self._path = folder / _NAME
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. If that is not possible, log why; the bot works without."""
        if sys.platform == "win32":
            log.info("bot.py --operator does not work, since asyncio has no Unix sockets on Windows; /operator does")
            return
        application = web.Application()
        application.router.add_post("/", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            # One left over is of a bot that was killed: only one bot at a time uses a data folder.
            await asyncio.to_thread(self._path.unlink, missing_ok=True)
            await web.UnixSite(self._runner, str(self._path)).start()
            await asyncio.to_thread(self._path.chmod, 0o600)
        except OSError as error:  # such as a path that is too long for a socket
            log.warning("bot.py --operator does not work, since %s can't be made: %s", self._path, error)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()
            await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        words = await request.json()
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        latest: asyncio.Queue[float | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        work = asyncio.create_task(
            run_command(self._actions, words, lambda fraction: _put(loop, latest, fraction)),
        )
        work.add_done_callback(lambda _: latest.put_nowait(None))
        try:
            while not work.done():
                fraction = await latest.get()
                if fraction is not None:
                    await _write(response, progress=f"{fraction:.0%}")
            await _write(response, done=work.result())
        except asyncio.CancelledError:
            work.cancel()
            raise
        except ConnectionError:
            log.info("the command line has left before the end of %s", words)
        except Exception as error:
            await _write(response, error=report(error, "operator"))
        return response


def _put(loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[float | None], fraction: float | None) -> None:
    if fraction is not None:
        loop.call_soon_threadsafe(queue.put_nowait, fraction)


async def _write(response: web.StreamResponse, **line: str) -> None:
    await response.write(json.dumps(line).encode() + b"\n")


async def ask_running_bot(folder: Path, words: Sequence[str], show: Callable[[str], None]) -> tuple[bool, str]:
    """Send a command to the bot that uses this data folder. Return whether it succeeded, and the answer.

    `show` is called with the progress. Raise NoBot.
    """
    if sys.platform == "win32":
        raise NoBot("On Windows, use /operator in Discord: there are no Unix sockets for the command line.")
    connector = aiohttp.UnixConnector(str(folder / _NAME))
    last: dict[str, str] = {}
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as session,
            session.post("http://localhost/", json=list(words)) as response,
        ):
            async for line in response.content:
                last = json.loads(line)
                if "progress" in last:
                    show(last["progress"])
    except (OSError, aiohttp.ClientError) as error:
        raise NoBot(f"No bot is running on {folder}. Start it, or name its settings with --config.") from error
    return "done" in last, last.get("done") or last.get("error", "The bot has ended before it answered.")
