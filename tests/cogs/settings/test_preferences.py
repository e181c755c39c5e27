"""Default models, languages and limits from the settings of people and servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cogs.common.rules import apply_settings, effective_limits
from cogs.i18n import tr
from inference import (
    ChatAnswerRequest,
    CompleteRequest,
    Config,
    Engine,
    Event,
    ImagineRequest,
    InferenceError,
    InvalidRequest,
    ModelSpec,
    Queued,
    Request,
)
from storage import PersonSettings, ServerSettings
from tests.cogs.settings.panels import store_of
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import FakeBackend, plausible

NOBODY = PersonSettings()
EVERYWHERE = ServerSettings()


def model_of(models: Engine, person: PersonSettings, server: ServerSettings, given: str = "") -> str:
    return apply_settings(ImagineRequest(prompt="a fox", model=given), models, server, person).model


@pytest.fixture
def models(config: Config) -> Engine:
    """Return an engine that knows the models but runs nothing."""
    return Engine(config, FakeBackend())


def test_a_model_option_overrides_person_then_server_then_operator(models: Engine):
    person = PersonSettings({"imagine": "dalle-mini"})
    server = ServerSettings({"imagine": "stable-diffusion-v1-4"})
    assert model_of(models, person, server, "given") == "given"
    assert model_of(models, person, server) == "dalle-mini"
    assert model_of(models, NOBODY, server) == "stable-diffusion-v1-4"
    assert model_of(models, NOBODY, EVERYWHERE) == ""
    assert model_of(models, PersonSettings({"complete": "dalle-mini"}), EVERYWHERE) == ""


def test_a_model_that_no_longer_exists_is_ignored(models: Engine):
    person, server = PersonSettings({"imagine": "gone"}), ServerSettings({"imagine": "dalle-mini"})
    assert model_of(models, person, server) == "dalle-mini"
    assert model_of(models, person, EVERYWHERE) == ""


def test_a_server_can_lower_limits_but_not_raise_them(config: Config):
    lower = effective_limits(config.limits, ServerSettings(pictures=2, messages=10**6))
    assert (lower.pictures, lower.messages) == (2, config.limits.messages)
    assert lower.model_copy(update={"pictures": config.limits.pictures}) == config.limits


def test_a_server_can_limit_the_length_of_texts(models: Engine):
    short = ServerSettings(new_tokens=20)
    for request in (CompleteRequest(prompt="Once", max_new_tokens=300), ChatAnswerRequest(question="Why?")):
        assert apply_settings(request, models, short, NOBODY) == replace(request, max_new_tokens=20)
        assert apply_settings(request, models, EVERYWHERE, NOBODY) == request
    endless = CompleteRequest(prompt="Once", max_new_tokens=10**6)
    assert apply_settings(endless, models, EVERYWHERE, NOBODY) == endless, "the engine refuses it"


def test_more_pictures_than_the_server_allows_are_refused(models: Engine):
    with pytest.raises(InvalidRequest, match=r"On this server, 2 is the most pictures at once, not 3. Ask for fewer."):
        apply_settings(ImagineRequest(prompt="a fox", count=3), models, ServerSettings(pictures=2), NOBODY)


async def test_a_default_model_reaches_the_request_by_command_and_by_reply(stage: Stage):
    await store_of(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings({"complete": "gpt2-large"}))
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings({"complete": "opt-1.3b"}))
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    await stage.bob.slash(stage.channel, "complete", prompt="Once")
    await stage.bob.slash(stage.channel, "complete", prompt="Once", model="distilgpt2")
    models = [request.model for request in stage.backend.requests]
    assert models == ["gpt2-large", "gpt2-large", "opt-1.3b", "distilgpt2"]


async def test_a_chosen_language_overrides_the_language_of_discord(stage: Stage):
    formatted: list[str] = []

    def script(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        formatted.append(tr("{count:,}", count=1000))
        return plausible(spec, request)

    stage.backend.script = script
    await store_of(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings(language="de"))
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    await stage.bob.slash(stage.channel, "complete", prompt="Once")
    assert formatted == ["1.000", "1.000", "1,000"], "as Germans write it, twice"


async def test_the_limits_of_the_operator_override_the_limits_of_a_server(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(pictures=10))
    said = refusal(await stage.alice.slash(stage.channel, "imagine", prompt="a fox", count=5))
    assert "4" in said
    assert not stage.backend.requests


async def test_a_server_can_limit_the_simultaneous_requests_of_a_person(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(per_person=1))
    stage.backend.script = lambda spec, request: [Queued(1)]
    running = await stage.alice.slash(stage.channel, "complete", prompt="Once")
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Twice"))
    assert said == (
        "On this server, 1 is the most requests of one person at a time. Wait until one has ended, or cancel one."
    )
    await stage.bob.slash(stage.channel, "complete", prompt="Once")
    await stage.alice.user.slash("complete", prompt="Once")
    assert len(stage.backend.requests) == 3
    await stage.alice.click(first(running), label="Stop")
    await stage.alice.slash(stage.channel, "complete", prompt="Twice")
    assert len(stage.backend.requests) == 4


async def test_a_server_can_limit_the_alternatives_of_a_prompt(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(per_person=2))
    said = refusal(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue,green} fox"))
    assert "3" in said
    assert "2" in said
    asked = await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox")
    await stage.alice.click(first(asked), label="Draw 2")
    assert len(stage.backend.requests) == 2
