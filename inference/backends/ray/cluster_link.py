"""The connection of the bot to its connector (see `connector`): a process, a thread that reads, and one that writes."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from inference.backends.ray.messages import read_frame, write_frame
from inference.config.schema import Config

log = logging.getLogger(__name__)

_PAUSES = (1.0, 30.0)
"""The seconds before the connector is started again: at first, and at most. They double each time it ends early."""

_CODE = Path(__file__).parents[3]
"""The folder of the program, from which the bot need not be started."""

_STOPPING = "The bot is stopping."

Answer = Callable[[dict[str, Any]], bool]
"""Takes a frame of a call, on the reading thread. It returns whether the call has ended."""


class ClusterLink:
    """Keeps a connector running, and passes calls to it. All methods return at once and may be called on any thread.

    `on_frame` gets every frame that is about a device, `on_lost` the reason each time that the connection ends; both
    on the reading thread.
    """

    def __init__(
        self,
        config: Config,
        on_frame: Callable[[dict[str, Any]], None],
        on_lost: Callable[[str], None],
        pauses: tuple[float, float] = _PAUSES,
    ) -> None:
        self._config = config
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._first_pause, self._longest_pause = pauses
        self._bot = uuid4().hex
        self._numbers = count()
        self._answers: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cluster-writer")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep_connected, name="cluster-reader", daemon=True)
        self._thread.start()

    def call(self, device: str, method: str, arguments: Callable[[], list[Any]], answer: Answer) -> str:
        """Call a method of a device's actor, and return the call's id. `answer` gets a frame with `lost` if it fails.

        `arguments` is called on the writing thread, since pictures take a while to be written as JSON.
        """
        call = f"{self._bot}-{next(self._numbers)}"
        with self._lock:
            self._answers[call] = answer
        self._write(lambda: {"call": call, "device": device, "method": method, "arguments": arguments()}, call)
        return call

    def configure(self, config: Config) -> None:
        """Use these settings from now on. Their address must be the same."""
        self._config = config
        self._write(lambda: {"configure": _pickled(config)})

    def close(self) -> None:
        """End the connector, and with it what its devices do for this bot. Blocks until it has ended."""
        self._closing.set()
        if process := self._process:
            with suppress(OSError):
                cast("BinaryIO", process.stdin).close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        self._thread.join()
        self._writer.shutdown(cancel_futures=True)
        self._lose_calls(_STOPPING)  # those that were not written

    def _write(self, frame: Callable[[], dict[str, Any]], call: str = "") -> None:
        try:
            self._writer.submit(self._write_now, frame, call)
        except RuntimeError:  # closed
            if call:
                self._answer({"call": call, "lost": _STOPPING})

    def _write_now(self, frame: Callable[[], dict[str, Any]], call: str) -> None:
        process = self._process
        try:
            if process is None:
                raise BrokenPipeError("there is no connector")
            write_frame(cast("BinaryIO", process.stdin), frame())
        except (OSError, ValueError) as error:  # it has ended
            if call:
                self._answer({"call": call, "lost": str(error)})

    def _keep_connected(self) -> None:
        pause, logged = self._first_pause, ""
        while not self._closing.is_set():
            reason, was_connected = self._connect_once()
            if self._closing.is_set():
                return
            if was_connected or reason != logged:
                log.error("the Ray cluster is not reachable, and is tried again: %s", reason)
            logged = reason
            if was_connected:
                pause = self._first_pause
            self._closing.wait(pause)
            pause = min(self._longest_pause, 2 * pause)

    def _connect_once(self) -> tuple[str, bool]:
        """Run a connector until it ends. Return why it did, and whether there was a connection."""
        command = [sys.executable, "-m", "inference.backends.ray.connector"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, cwd=_CODE)
        threading.Thread(target=_log_lines, args=(process.stderr,), daemon=True).start()
        reason, was_connected = "The connection ended.", False
        with suppress(OSError):
            first = {"address": self._config.ray, "bot": self._bot, "config": _pickled(self._config)}
            write_frame(cast("BinaryIO", process.stdin), first)
        self._process = process
        if self._closing.is_set():  # `close` has not seen this process
            cast("BinaryIO", process.stdin).close()
        while frame := read_frame(cast("BinaryIO", process.stdout)):
            if "refused" in frame:
                reason = frame["refused"]
                continue
            was_connected = True
            self._take(frame)
        self._process = None
        if not self._closing.is_set():
            self._on_lost(reason)
        self._lose_calls(reason)
        process.kill()
        process.wait()
        return reason, was_connected

    def _take(self, frame: dict[str, Any]) -> None:
        try:
            if "call" in frame:
                self._answer(frame)
            else:
                self._on_frame(frame)
        except Exception:
            log.exception("a message of the cluster could not be read")

    def _answer(self, frame: dict[str, Any]) -> None:
        with self._lock:
            answer = self._answers.get(frame["call"])
        if answer and answer(frame):
            with self._lock:
                self._answers.pop(frame["call"], None)

    def _lose_calls(self, reason: str) -> None:
        with self._lock:
            calls = list(self._answers)
        for call in calls:
            self._answer({"call": call, "lost": reason})


def _log_lines(stream: BinaryIO) -> None:
    """Log what the connector and Ray print."""
    for line in stream:
        if text := line.decode(errors="replace").rstrip():
            log.warning("connector: %s", text)


def _pickled(config: Config) -> str:
    return b64encode(pickle.dumps(config)).decode()
