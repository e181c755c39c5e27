"""The helper that waits in other tests."""

from __future__ import annotations

import asyncio

import pytest

from tests.waiting import until


async def test_a_state_that_comes_late_is_waited_for() -> None:
    looks = iter((False, False, True))
    await until(lambda: next(looks), "It did not come.")
    assert next(looks, None) is None


async def test_a_state_may_have_to_be_awaited() -> None:
    async def reached() -> bool:
        await asyncio.sleep(0)
        return True

    await until(reached, "It did not come.")


async def test_a_state_that_never_comes_fails_with_its_sentence() -> None:
    with pytest.raises(pytest.fail.Exception, match="The bot did not answer"):
        await until(lambda: False, "The bot did not answer.", seconds=0.05)
