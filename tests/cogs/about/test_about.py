"""/models and /queue, whose answers are private."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cogs.about.models_page import models_page
from cogs.about.queue_page import queue_page
from inference import ModelSpec, ModelStatus
from inference.backends.backend import QueueStatus
from inference.hub.model_card import ModelCard
from inference.types import ModelServer
from tests.cogs.stage import Stage, refusal
from tests.fakes import FakeBackend

_SMALL = ModelSpec(name="smollm2", task="complete", repo="HuggingFaceTB/SmolLM2-135M-Instruct")


def _status(spec: ModelSpec, card: ModelCard | None = None) -> ModelStatus:
    return ModelStatus(spec, "on disk", 270 * 10**6, card or ModelCard())


async def test_the_list_of_models_shows_their_state_size_and_commands(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "models"))
    assert said.startswith(
        "`Qwen3-0.6B`: 500 MB on disk\n-# default of /chat\n\n`gpt2-large`: 500 MB on disk\n-# default of /complete\n\n"
        "`distilgpt2`: 500 MB on disk\n-# for /complete\n"
    )
    assert "default of /imagine" in said


def test_a_model_that_several_commands_share_is_listed_once_with_its_licence():
    card = ModelCard("Apache-2.0", "Chats.")
    other = _status(replace(_SMALL, name="other", task="fill", repo="someone/other"))
    statuses = [other, *(_status(replace(_SMALL, task=task), card) for task in ("complete", "ask", "fill"))]
    assert models_page(statuses).text == (
        "`other`: 270 MB on disk\n-# default of /fill\n\n"
        "`smollm2`: 270 MB on disk, licence Apache-2.0\n-# default of /complete, /ask; for /fill\n-# Chats."
    )


def test_a_loaded_model_shows_its_memory_and_a_missing_model_no_size():
    statuses = [
        ModelStatus(_SMALL, "loaded", 1_340 * 10**6),
        ModelStatus(_SMALL, "not downloaded", 0),
        ModelStatus(_SMALL, "device away", 0, problem="The cluster is away."),
    ]
    assert [models_page([status]).text.splitlines()[0] for status in statuses] == [
        "`smollm2`: loaded, 1.3 GB of memory",
        "`smollm2`: not downloaded",
        "`smollm2`: not usable now: its device is away",
    ]


def test_a_model_on_a_server_names_it_and_says_whether_it_answers():
    there = replace(_SMALL, server=ModelServer(url="http://h:8000/v1"))
    other = replace(_SMALL, server=ModelServer(url="http://other/v1"))
    statuses = [ModelStatus(there, "on a server", 0), ModelStatus(other, "on a server", 0, problem="It is away.")]
    assert models_page(statuses).text == (
        "`smollm2`: runs on the server h:8000, where what it gets goes\n-# default of /complete\n\n"
        "`smollm2`: runs on the server other, where what it gets goes (not usable now)\n-# for /complete"
    )


def test_the_queue_of_a_server_names_it():
    page = queue_page([QueueStatus("h:8000", 0, 1, 0.0, on_server=True)])
    assert page.text == "**Server h:8000**: 1 running, 0 waiting; a new request starts at once"


def test_the_queue_counts_those_who_wait_for_a_device_that_is_away():
    assert queue_page([QueueStatus("", 4, 0, None)]).text == "**Device away**: 4 waiting until it is back"


async def test_the_queue_shows_when_a_new_request_would_start(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**Processor**: 0 running, 0 waiting; a new request starts at once"
    stage.backend.waiting = 3
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**Processor**: 1 running, 3 waiting; a new request starts in about 36 s"


class TestWithoutForecast:
    @pytest.fixture
    def backend(self) -> FakeBackend:
        class BackendWithoutForecast(FakeBackend):
            def queues(self) -> list[QueueStatus]:
                return [QueueStatus("cuda:1", 0, 1, None)]

        return BackendWithoutForecast()

    async def test_an_unknown_wait_is_reported_as_unknown(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "queue"))
        assert said == "**Graphics card 2**: 1 running, 0 waiting; how long a new request waits is not known yet"
