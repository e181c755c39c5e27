"""Work that is done again and again as long as a cog is loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, TypeVar

from discord.ext import tasks

C = TypeVar("C")
Work = Callable[[C], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


def every(seconds: float) -> Callable[[Work[C]], tasks.Loop[Work[C]]]:
    """Return a decorator that makes a loop of a cog's method, with this pause.

    It is discord.py's loop, but an error that the method does not expect does not end the loop. It is logged, once as
    long as it stays the same.
    """

    def decorate(work: Work[C]) -> tasks.Loop[Work[C]]:
        failure = ""

        async def logged(cog: C) -> None:
            nonlocal failure
            before, failure = failure, ""
            try:
                await work(cog)
            except Exception as error:
                failure = repr(error)
                if failure != before:
                    log.exception("%s failed; it is tried again every %g s", work.__qualname__, seconds)

        repeated: Work[C] = update_wrapper(logged, work)
        return tasks.loop(seconds=seconds)(repeated)

    return decorate
