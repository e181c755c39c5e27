"""Test what happens when Discord can't be reached, or answers late."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.client import Inkling
from cogs.common import delivery
from inference import Completion, Queued, Result
from tests.cogs.stage import Stage, first

_DONE = Result(Completion(" the end", 1))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between the attempts short: three attempts at once."""
    monkeypatch.setattr(delivery, "_PAUSES", (0, 0))


@pytest.mark.usefixtures("impatient")
async def test_the_last_word_is_tried_until_it_arrives(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    stage.env.inject_error("PATCH", "/webhooks/*", status=503, times=2)
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"
    assert await cast(Inkling, stage.bot).store.jobs.open_jobs() == []


@pytest.mark.usefixtures("impatient")
async def test_a_result_that_can_not_be_delivered_is_kept_for_the_next_start(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    stage.env.inject_error("PATCH", "/webhooks/*", status=503, times=None)
    await stage.event(_DONE)
    [kept] = await cast(Inkling, stage.bot).store.jobs.open_jobs()
    assert kept.deaths == 0


async def test_a_token_that_dies_before_its_time_is_replaced_by_the_bots_own(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    stage.env.inject_error("PATCH", "/webhooks/*", status=401, code=50027, times=None)
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"


async def test_an_acknowledgement_whose_answer_was_lost_counts(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(9)]
    result = await stage.alice.slash(stage.channel, "complete", prompt="x")
    session = next(iter(cast(Inkling, stage.bot).sessions._open))  # pyright: ignore[reportPrivateUsage]
    responder = session._responder  # pyright: ignore[reportPrivateUsage]
    stage.env.inject_error("POST", "/interactions/*", status=400, code=40060)
    responder._interaction.response._response_type = None  # type: ignore[union-attr]
    await responder.acknowledge()
    await stage.event(_DONE)
    assert first(result).content == "**x** the end\n-# seed 1"


async def test_a_late_interaction_costs_one_request_and_one_log_line(stage: Stage, caplog: pytest.LogCaptureFixture):
    stage.env.inject_error("POST", "/interactions/*", status=404, code=10062)
    await stage.alice.slash(stage.channel, "complete", prompt="x")
    requests = [request for request in stage.env.http_requests if request.path.startswith("/interactions")]
    assert len(requests) == 1
    assert len([record for record in caplog.records if record.name.startswith("cogs")]) == 1
    assert stage.backend.requests == []
    assert await cast(Inkling, stage.bot).store.jobs.open_jobs() == []
