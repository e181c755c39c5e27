"""Reads each document in a process of its own, which can be ended, and which can't take all memory."""

from __future__ import annotations

import asyncio
import logging
import pickle
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

from inference.documents import MAX_SECONDS, damaged, too_large, too_slow
from inference.types.errors import InferenceError, RequestCancelled

log = logging.getLogger(__name__)

_MAX_MEMORY = 2**30
"""The memory of one reader in bytes."""

PROGRAM = f"""
import sys, types
sys.path[:] = {sys.path}
inference = sys.modules["inference"] = types.ModuleType("inference")  # its own module imports much, for over a second
inference.__path__ = [{str(Path(__file__).parents[1])!r}]
from inference.documents.reader_main import main
main()
"""


class ReaderProcesses:
    """Starts reader processes, and ends them. One object serves one event loop."""

    def __init__(self, max_memory: int = _MAX_MEMORY) -> None:
        self._max_memory = max_memory
        self._processes: set[Process] = set()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Return the ids of the processes that are reading now."""
        return [process.pid for process in self._processes]

    async def read(self, data: bytes, name: str, max_characters: int, max_seconds: float = MAX_SECONDS) -> str:
        """Return what `document_text` returns, and raise its errors. Cancelling the task ends the process."""
        task = pickle.dumps((self._max_memory, max_seconds, data, name, max_characters))
        try:
            async with asyncio.timeout(max_seconds):
                status, output = await self._run(task)
        except TimeoutError as error:
            raise too_slow(name) from error
        if self._closed:
            raise RequestCancelled("This request was cancelled.")
        if status:
            log.warning("a process that read a document ended with status %s", status)
            raise damaged(name) if status == -signal.SIGSEGV else too_large(name)
        result = pickle.loads(output)
        if isinstance(result, InferenceError):
            raise result
        return result

    async def close(self) -> None:
        """End all processes. Whoever waits for one gets RequestCancelled."""
        self._closed = True
        for process in self._processes:
            _kill(process)
        await asyncio.gather(*(process.wait() for process in self._processes))

    async def _run(self, task: bytes) -> tuple[int | None, bytes]:
        """Return the exit status and the output of a process. It has ended when this ends, however that is."""
        if self._closed:
            return None, b""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", PROGRAM),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,  # Ctrl-C is for the bot, which then ends its readers
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
        self._processes.add(process)
        try:
            output = await _exchange(process, task)
            return process.returncode, output
        finally:
            _kill(process)
            await process.communicate()
            self._processes.discard(process)


async def _exchange(process: Process, task: bytes) -> bytes:
    """Write the task, and return the output. The reader's input stays open: its end says that the bot has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(task)
    with suppress(ConnectionError):  # it has ended already
        await process.stdin.drain()
    output = await process.stdout.read()
    await process.wait()
    return output


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
