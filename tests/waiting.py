"""Wait for a state with a time limit. A test that waits in vain fails with a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

TIMEOUT = 60.0
"""The time limit in seconds, far longer than anything should take."""


async def until(state: Callable[[], bool | Awaitable[bool]], failure: str, seconds: float = TIMEOUT) -> None:
    """Check every 10 ms whether `state` is reached. After the time limit, fail the test with the message `failure`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await _reached(state):
        if loop.time() > end:
            pytest.fail(f"{failure} (waited {seconds:g} seconds)")
        await asyncio.sleep(0.01)


async def _reached(state: Callable[[], bool | Awaitable[bool]]) -> bool:
    reached = state()
    return reached if isinstance(reached, bool) else await reached
