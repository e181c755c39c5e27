"""The deletion of stored data goes on for as long as the bot runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from cogs.client import Inkling
from storage import DeviceUseTable, JobTable, Store
from tests.cogs.stage import Stage


class BrokenJobTable(JobTable):
    """A table that fails in a way that nobody expects."""

    tries = 0

    async def end_again(self) -> None:
        self.tries += 1
        raise ZeroDivisionError


class BrokenDeviceUseTable(DeviceUseTable):
    """A table that fails in a way that nobody expects."""

    tries = 0

    async def forget_before(self, now: float) -> None:
        self.tries += 1
        raise ZeroDivisionError


def break_jobs(store: Store) -> BrokenJobTable:
    store.jobs = broken = BrokenJobTable(store.job_database)
    return broken


def break_device_use(store: Store) -> BrokenDeviceUseTable:
    store.device_use = broken = BrokenDeviceUseTable(store.database)
    return broken


@pytest.mark.parametrize(
    ("break_table", "pause", "loop"), [(break_jobs, 10, "forget_ended"), (break_device_use, 600, "forget_expired")]
)
async def test_a_loop_goes_on_after_an_unexpected_error_and_logs_it_once(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    break_table: Callable[[Store], BrokenJobTable | BrokenDeviceUseTable],
    pause: int,
    loop: str,
):
    broken = break_table(cast(Inkling, stage.bot).store)
    for _ in range(2):
        await stage.env.advance_time(pause)
    assert broken.tries == 2
    assert caplog.text.count(f"Retention.{loop} failed; it is tried again every {pause} s") == 1
    assert "ZeroDivisionError" in caplog.text
