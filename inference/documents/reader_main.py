"""The program of a reader process: it reads one document from stdin, and writes its text or the error to stdout."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
from contextlib import suppress

from inference.documents import document_text
from inference.types.errors import InferenceError


def main() -> None:
    """Read the arguments of `document_text` after the maximum of memory in bytes; all are pickled."""
    logging.disable()  # libraries warn about every oddity of a file
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # what a library prints is no result
        max_memory, max_seconds, *document = pickle.load(sys.stdin.buffer)
        _limit(max_memory, max_seconds)
        threading.Thread(target=_end_with_the_bot, daemon=True).start()
        try:
            result = document_text(*document, max_seconds=max_seconds)
        except InferenceError as error:
            result = error
        pickle.dump(result, output)


def _end_with_the_bot() -> None:
    """End this process when its input ends: then the bot was killed, and nobody waits for the text."""
    os.read(0, 1)  # not by sys.stdin, whose lock would disturb the end of the interpreter
    os._exit(1)


def _limit(max_memory: int, max_seconds: float) -> None:
    """Limit memory and computing time, and let models go first. Not every system can do so."""
    if hasattr(os, "nice"):
        os.nice(5)
    with suppress(ImportError, OSError, ValueError):
        import resource

        seconds = max(1, round(max_seconds)) + 10  # if a parser does not let the thread above run
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
