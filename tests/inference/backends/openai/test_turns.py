"""Places that are taken in turn, in a number that changes."""

from __future__ import annotations

import asyncio

from inference.backends.openai.turns import Turns


class Guest:
    """Wants a place, and stays there until it `may_leave`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.is_in = False
        self.may_leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit())

    async def _visit(self) -> None:
        async with self._turns:
            self.is_in = True
            await self.may_leave.wait()
        self.is_in = False


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_lower_limit_lets_nobody_in_until_enough_have_left() -> None:
    turns = Turns(2)
    guests = [Guest(turns) for _ in range(4)]
    await settle()
    turns.apply(1)
    seen: list[list[bool]] = []
    for guest in guests:
        seen.append([each.is_in for each in guests])
        guest.may_leave.set()
        await settle()
    assert seen == [
        [True, True, False, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]


async def test_a_higher_limit_lets_those_in_who_wait() -> None:
    turns = Turns(1)
    guests = [Guest(turns) for _ in range(3)]
    await settle()
    turns.apply(2)
    await settle()
    assert [guest.is_in for guest in guests] == [True, True, False]
    for guest in guests:
        guest.task.cancel()
    await settle()


async def test_who_is_cancelled_takes_no_place() -> None:
    turns = Turns(1)
    first, waiting, passed_on, last = (Guest(turns) for _ in range(4))
    await settle()
    waiting.task.cancel()
    await settle()
    first.may_leave.set()
    await asyncio.sleep(0)  # now the place is the next one's, who does not know it yet
    passed_on.task.cancel()
    await settle()
    assert not passed_on.is_in
    assert last.is_in
    last.may_leave.set()
    await settle()
