"""The helper with which other tests wait."""

from __future__ import annotations

import asyncio

import pytest

from tests.waiting import until


async def test_until_waits_for_a_late_state() -> None:
    states = iter((False, False, True))
    await until(lambda: next(states), "It did not come.")
    assert next(states, None) is None


async def test_until_accepts_an_async_function() -> None:
    async def reached() -> bool:
        await asyncio.sleep(0)
        return True

    await until(reached, "It did not come.")


async def test_until_fails_with_the_given_message() -> None:
    with pytest.raises(pytest.fail.Exception, match="The bot did not answer"):
        await until(lambda: False, "The bot did not answer.", seconds=0.05)
