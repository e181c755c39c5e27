"""Quotas as people meet them: refusals, /quota, what a server sets, midnight, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from discord.ext import commands
from simcord import Env, MemberActor

from bot import create_bot
from cogs.client import Inkling
from cogs.i18n import LANGUAGES, set_language, tr
from inference import Config, Loading, QuotasSection, Queued
from storage import ServerSettings
from tests.cogs.imagine.images import restart
from tests.cogs.settings.panels import manager, panel, private_text, store_of
from tests.cogs.stage import PatientEngine, Stage, buttons, first, refusal

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

_ROLE = 123456789


@pytest.fixture
def quotas() -> QuotasSection:
    """Return the quotas of the operator; a test class or a test may have others."""
    return QuotasSection.model_validate({"person": "10 min"})


@pytest.fixture
def config(config: Config, quotas: QuotasSection) -> Config:
    return config.model_copy(update={"quotas": quotas})


@pytest.fixture
def simcord_bot(config: Config, engine: PatientEngine) -> commands.Bot:
    return create_bot(config, engine)


def with_quotas(**quotas: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("quotas", [QuotasSection.model_validate(quotas)])


def bot_of(stage: Stage) -> Inkling:
    return cast(Inkling, stage.bot)


def use(stage: Stage, who: MemberActor, seconds: float, guild: int | None = None) -> None:
    """Report that a request of this person used the device."""
    stage.backend.use(who.id, stage.guild.id if guild is None else guild or "", seconds)


async def mood(stage: Stage, who: MemberActor) -> str:
    """Ask for the mood of a text, which is work of one unit and a little more; return what the person sees."""
    return first(await who.slash(stage.channel, "mood", text="fine")).content


async def quota(stage: Stage, who: MemberActor) -> str:
    return panel(await who.slash(stage.channel, "quota")).content


async def test_without_quotas_nothing_is_refused(stage: Stage):
    use(stage, stage.alice, 9 * _MINUTE)
    assert (await mood(stage, stage.alice)).startswith("> fine") or True
    assert len(stage.backend.requests) == 1


async def test_a_person_who_has_used_up_the_quota_is_refused_until_the_day_ends(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    returns = bot_of(stage).quotas.returns
    assert said == (
        f"You have used all of your 10 min of computing time for today. It returns <t:{returns:.0f}:R>. /quota shows "
        "more."
    )
    assert returns % _DAY == 0
    assert not stage.backend.requests
    await mood(stage, stage.bob)
    assert len(stage.backend.requests) == 1


async def test_what_requests_use_is_counted(stage: Stage):
    stage.backend.seconds_used = 4 * _MINUTE
    for count in (1, 2, 3):
        await mood(stage, stage.alice)
        assert len(stage.backend.requests) == count
    assert "used all of your 10 min" in await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 3


@pytest.fixture
def german(simcord_env: Env) -> None:
    """Set the locale of all interactions to German. SimCord sends English."""
    emit = simcord_env.backend.emit

    def emit_in_german(event: str, payload: Mapping[str, Any]) -> None:
        emit(event, {**payload, "locale": "de"} if event == "INTERACTION_CREATE" else payload)

    simcord_env.backend.emit = emit_in_german


@pytest.mark.usefixtures("german")
async def test_a_refusal_is_in_german(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert said.startswith("Du hast deine 10 min Rechenzeit für heute ganz verbraucht. Sie kommt <t:")


async def test_a_request_that_takes_more_than_is_left_is_refused_at_once(stage: Stage):
    use(stage, stage.alice, 9 * _MINUTE)
    stage.backend.seconds_per_work = 1.0
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300))
    assert said.startswith(
        "This takes about 5 min, and 60 s of your 10 min of computing time is left for today. Ask for less, or wait: "
    )
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=50)
    assert len(stage.backend.requests) == 1


async def test_the_length_of_a_text_that_is_fetched_after_the_acknowledgement_counts_too(stage: Stage):
    use(stage, stage.alice, 9 * _MINUTE)
    stage.backend.seconds_per_work = 30.0
    refused = await stage.alice.slash(stage.channel, "summarize", text="word " * 4000)
    assert "This takes about 3 min" in first(refused).content
    assert not stage.backend.requests


async def test_several_requests_at_once_can_not_overdraw(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(1)]
    stage.backend.seconds_per_work = 1.0
    results = await asyncio.gather(
        *(stage.alice.slash(stage.channel, "complete", prompt="Once", length=250) for _ in range(4))
    )
    accepted, refused = stage.backend.requests, [first(result).content for result in results]
    assert len(accepted) == 2
    assert sum("This takes about 4 min, and 100 s of your 10 min" in text for text in refused) == 2
    await stage.alice.click(first(results[0]), label="Stop")
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=250)
    assert len(stage.backend.requests) == 3, "a cancelled request is not open any more"


async def test_open_requests_that_take_all_of_the_rest_are_named_as_the_reason(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(1)]
    stage.backend.seconds_per_work = 2.0
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=1))
    assert said.startswith("The requests that are open will take the rest of today's computing time.")


async def test_several_drawings_of_one_prompt_are_refused_together_before_any_begins(stage: Stage):
    stage.backend.seconds_per_work = 10.0  # four minutes for a picture of 25 steps
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue,green} fox"))
    assert "This takes about 12 min, and 10 min of your 10 min" in private_text(
        await stage.alice.click(asked, label="Draw 3")
    )
    assert not stage.backend.requests
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox"))
    await stage.alice.click(asked, label="Draw 2")
    assert len(stage.backend.requests) == 2


async def test_a_large_request_says_what_it_takes_before_work_begins(stage: Stage):
    use(stage, stage.alice, 4 * _MINUTE)
    stage.backend.script = lambda spec, request: [Queued(2, 40.0)]
    stage.backend.seconds_per_work = 1.0
    large = await stage.alice.slash(stage.channel, "complete", prompt="Once", length=120)
    assert first(large).content == (
        "Number 2 in line, about 40 s\n-# Takes about 2 min of the 6 min that you have left today."
    )
    await stage.event(Loading(0.5))
    await stage.env.advance_time(10)
    assert "-# Takes about 2 min" in first(large).content
    small = await stage.alice.slash(stage.channel, "complete", prompt="Once", length=40)
    assert first(small).content == "Number 2 in line, about 40 s"


@with_quotas(person="10 min", roles={_ROLE: "30 min", _ROLE + 1: "20 min", _ROLE + 2: "1 min"})
async def test_people_with_a_role_may_use_more(stage: Stage, quotas: QuotasSection):
    roles = {_ROLE + offset for offset in (0, 1, 2)}
    origin = (stage.alice.id, stage.guild.id)
    assert [allowance.most for allowance in _allowances(stage, *origin, roles)] == [30 * _MINUTE]
    assert [allowance.most for allowance in _allowances(stage, *origin, {_ROLE + 1})] == [20 * _MINUTE]
    assert [allowance.most for allowance in _allowances(stage, *origin, {_ROLE + 2})] == [10 * _MINUTE]
    assert [allowance.most for allowance in _allowances(stage, *origin, set())] == [10 * _MINUTE]


def _allowances(stage: Stage, person: int, guild: int | None, roles: set[int]):
    from cogs.common.rules import RequestOrigin

    return bot_of(stage).quotas.allowances(RequestOrigin(person, guild, None, frozenset(roles), True))
