"""What is known about models on servers, before and while they are used."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from inference.backends.openai import server_queue
from inference.types.errors import ModelUnavailable
from tests.inference.backends.openai.conftest import Harness, say
from tests.inference.backends.openai.fake_server import FakeServer, Waiting, refusing, saying
from tests.waiting import until


async def test_a_server_that_is_away_is_no_problem_of_the_settings_but_of_the_devices(tmp_path: Path) -> None:
    harness = Harness("http://127.0.0.1:9/v1", tmp_path)
    assert harness.backend.problems() == []
    problems = await asyncio.to_thread(harness.backend.device_problems)
    assert len(problems) == 5
    assert problems[0].startswith("models.chat[0]: The server 127.0.0.1:9, which runs this model, can't be reached.")
    assert await harness.backend.problems_of(harness.config) == []
    await harness.backend.close()


async def test_a_missing_key_is_a_problem_of_the_settings(harness: Harness) -> None:
    harness.set(api_key_env="NO_SUCH_KEY")
    assert "NO_SUCH_KEY" in harness.backend.problems()[0]


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (web.Response(text="<html>", content_type="text/html"), "does not speak OpenAI's API"),
        (web.Response(text='{"data": 5}', content_type="application/json"), "does not speak OpenAI's API"),
        (web.Response(status=401), "wants a key"),
        ([{"id": "a"}, {"id": "b"}], "does not list the model m. "),
    ],
)
async def test_what_is_wrong_for_certain_keeps_new_settings_from_being_used(
    harness: Harness, server: FakeServer, models: object, words: str
) -> None:
    server.models = models
    assert words in (await harness.backend.problems_of(harness.config))[0]


async def test_a_model_that_the_server_lists_has_no_problem(harness: Harness, server: FakeServer) -> None:
    for models in ([{"id": "m"}, {"id": "n"}], [{"id": "m:latest"}, {"id": "n"}], [{"id": "/models/any.gguf"}], []):
        server.models = models
        assert await asyncio.to_thread(harness.backend.device_problems) == []
        assert [status.problem for status in await harness.backend.statuses([harness.spec("chat")])] == [""]


async def test_a_model_sees_pictures_if_the_operator_says_so_and_under_caption(harness: Harness) -> None:
    assert not harness.backend.answers_about_pictures(harness.spec("chat"))
    assert harness.backend.answers_about_pictures(harness.spec("caption"))
    harness.set(sees_pictures=True)
    assert harness.backend.answers_about_pictures(harness.spec("chat"))


async def test_loading_and_unloading_is_left_to_the_server(harness: Harness) -> None:
    spec = harness.spec("chat")
    for work in (harness.backend.load, harness.backend.download):
        with pytest.raises(ModelUnavailable, match="loads and unloads its models itself"):
            await work(spec, lambda _: None)
    with pytest.raises(ModelUnavailable, match="loads and unloads its models itself"):
        await harness.backend.unload(spec)


async def test_a_server_that_does_not_list_its_models_is_asked_again_only_after_a_while(
    harness: Harness, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.models = web.Response(status=404)
    for _ in range(3):
        await harness.outcome(say())
    assert server.asked == 1
    harness = Harness(server.url, harness.config.data)
    monkeypatch.setattr(server_queue, "_ASK_PAUSE", 0.0)
    for _ in range(2):
        await harness.outcome(say())
    assert server.asked == 3
    await harness.backend.close()


async def test_a_server_is_asked_for_its_models_again_once_it_may_be_another_one(
    harness: Harness, server: FakeServer
) -> None:
    for reply, asked in (
        (saying("Well."), 1),
        (refusing(500), 1),
        (saying("Well."), 1),
        (refusing(404, '{"error": "no such model"}'), 1),
        (saying("Well."), 2),
    ):
        server.reply = reply
        await harness.outcome(say())
        assert server.asked == asked


async def test_the_queue_of_a_server_that_is_no_longer_listed_is_closed_once_it_is_empty(
    harness: Harness, server: FakeServer
) -> None:
    waiting = server.reply = Waiting()
    old = server.url
    _, caller = harness.submit(say(owner="alice"))
    await until(lambda: server.open == 1, "it did not start")
    harness.set(openai="http://127.0.0.1:9/v1")
    assert [queue.running for queue in harness.backend.queues()] == [1]
    waiting.may_go_on.set()
    assert (await caller.outcome()).text == "Well met."  # type: ignore[union-attr]
    await until(lambda: harness.backend.queues()[0].running == 0, "its place is still taken")
    harness.set(max_concurrency=2)
    assert harness.backend.queues() == []
    await harness.backend.forget_owner("alice")
    await harness.backend.close()
    assert harness.usage.state(f"server {old}").seconds_per_work
    assert not harness.usage.state(f"server {old}").usage


async def test_a_server_that_was_away_is_asked_for_its_models_again(harness: Harness, server: FakeServer) -> None:
    async def away(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    server.reply = away
    await harness.outcome(say())
    server.reply = saying("Well.")
    await harness.outcome(say())
    assert server.asked == 2
