"""Waiting for a state under a limit: a test that waits in vain fails with what did not happen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

PATIENCE = 60.0
"""Seconds; far more than anything takes, so that only what never happens meets it."""


async def until(state: Callable[[], bool | Awaitable[bool]], failure: str, seconds: float = PATIENCE) -> None:
    """Look every hundredth of a second whether `state` is reached; if it never is, fail with the sentence `failure`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await _reached(state):
        if loop.time() > end:
            pytest.fail(f"{failure} (waited {seconds:g} seconds)")
        await asyncio.sleep(0.01)


async def _reached(state: Callable[[], bool | Awaitable[bool]]) -> bool:
    reached = state()
    return reached if isinstance(reached, bool) else await reached
