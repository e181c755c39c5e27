"""/models and /queue, which only the person who asks sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.about.models import models_page
from inference import ModelSpec, ModelStatus
from inference.backends.base import QueueStatus
from inference.cards import Card
from tests.cogs.stage import Stage, refusal
from tests.fakes import FakeBackend

_SMALL = ModelSpec(name="smollm2", task="complete", repo="HuggingFaceTB/SmolLM2-135M-Instruct")


def _status(spec: ModelSpec, card: Card | None = None) -> ModelStatus:
    return ModelStatus(spec, "on disk", 270 * 10**6, card or Card())


async def test_models_are_listed_with_state_size_and_the_command_they_are_the_default_of(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "models"))
    assert said.startswith(
        "`gpt2-large`: on disk, 500 MB\n-# default of /complete\n\n`distilgpt2`: on disk, 500 MB\n-# for /complete\n"
    )
    assert "default of /imagine" in said


def test_a_model_that_several_commands_share_is_listed_once_with_its_licence():
    card = Card("Apache-2.0", "Chats.")
    statuses = [_status(_SMALL, card), _status(replace(_SMALL, task="ask"), card)]
    assert models_page(statuses).text == (
        "`smollm2`: on disk, 270 MB, licence Apache-2.0\n-# default of /complete, default of /ask\n-# Chats."
    )


async def test_the_queue_tells_when_a_new_request_would_start(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**Processor**: 0 running, 0 waiting; a new request starts at once"
    stage.backend.waiting = 3
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**Processor**: 1 running, 3 waiting; a new request starts in about 36 s"


class TestWithoutForecast:
    @pytest.fixture
    def backend(self) -> FakeBackend:
        class Unforeseeable(FakeBackend):
            def queues(self) -> list[QueueStatus]:
                return [QueueStatus("cuda:1", 0, 1, None)]

        return Unforeseeable()

    async def test_an_unknown_wait_is_called_unknown(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "queue"))
        assert said == "**Graphics card 2**: 1 running, 0 waiting; how long a new request waits is not known yet"
