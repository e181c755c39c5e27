"""A number of places that can change while they are taken."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """At most `limit` places are taken at one time; who waits gets one in turn. Used on one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._num_taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def apply(self, limit: int) -> None:
        """Have so many places from now on. Nobody loses one."""
        self.limit = limit
        self._pass_on()

    async def __aenter__(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._pass_on()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it has got a place in the meantime
                await self.__aexit__()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._num_taken -= 1
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and self._num_taken < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():  # cancelled
                turn.set_result(None)
                self._num_taken += 1
