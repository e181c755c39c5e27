"""The deletion of stored data goes on for as long as the bot runs."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.client import Inkling
from storage import DeviceUseTable, JobTable
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


async def test_traces_of_ended_requests_are_deleted_after_an_unexpected_error_too(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    store = cast(Inkling, stage.bot).store
    store.jobs = broken = BrokenJobTable(store.job_database)
    for _ in range(2):
        await stage.env.advance_time(10)
    assert broken.tries == 2
    assert caplog.text.count("Retention.forget_ended failed; it is tried again every 10 s") == 1
    assert "ZeroDivisionError" in caplog.text


async def test_expired_data_is_deleted_after_an_unexpected_error_too(stage: Stage, caplog: pytest.LogCaptureFixture):
    store = cast(Inkling, stage.bot).store
    store.device_use = broken = BrokenDeviceUseTable(store.database)
    for _ in range(2):
        await stage.env.advance_time(600)
    assert broken.tries == 2
    assert caplog.text.count("Retention.forget_expired failed; it is tried again every 600 s") == 1
    assert "ZeroDivisionError" in caplog.text
