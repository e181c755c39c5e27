"""Talking with a model on a server, through the whole bot: only Discord and the server are simulated."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from inference import Config, create_backend
from tests.cogs.chat.conversations import replies
from tests.cogs.stage import PatientEngine, Stage
from tests.fakes import FakeBackend, model_lists
from tests.inference.backends.openai.fake_server import FakeServer, chunk, refusing, saying, serving, streaming


@pytest.fixture
async def server() -> AsyncGenerator[FakeServer]:
    async with serving(saying("Well", " met.")) as fake:
        yield fake


@pytest.fixture
def config(config: Config, server: FakeServer) -> Config:
    return config.model_copy(update={"models": model_lists(chat=[{"openai": server.url, "name": "m"}])})


@pytest.fixture
async def engine(config: Config, backend: FakeBackend) -> AsyncGenerator[PatientEngine]:
    engine = PatientEngine(config, create_backend(config, backend.observers), backend.observers)
    yield engine
    await engine.close()


async def test_a_message_is_answered_and_the_answer_continued(stage: Stage, server: FakeServer):
    server.reply = saying("Once", " upon", finish_reason="length")
    await stage.alice.send(stage.channel, f"{stage.mention} tell me a story")
    [answer] = await replies(stage)
    assert answer.content.startswith("Once upon")
    entries = server.bodies[-1]["messages"]
    assert entries[0]["role"] == "system"
    assert entries[-1] == {"role": "user", "content": "tell me a story"}
    server.reply = saying(" a time.")
    await stage.alice.click(answer, label="Continue")
    [answer] = await replies(stage)
    assert answer.content.startswith("Once upon a time.")
    assert server.bodies[-1]["messages"][-1] == {"role": "assistant", "content": "Once upon"}


async def test_another_answer_has_another_seed(stage: Stage, server: FakeServer):
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    server.reply = saying("Good day.")
    [answer] = await replies(stage)
    await stage.alice.click(answer, label="Try another")
    [answer] = await replies(stage)
    assert answer.content.startswith("Good day.")
    assert len({body["seed"] for body in server.bodies}) == 2


async def test_thoughts_are_behind_a_button(stage: Stage, server: FakeServer):
    server.reply = streaming(chunk(reasoning="They greet me."), chunk("stop", content="Hello."))
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    [answer] = await replies(stage)
    assert answer.content.startswith("Hello.")
    assert "Thought for" in str([button.label for row in answer.components for button in getattr(row, "children", [])])


async def test_what_is_wrong_with_the_server_is_told(stage: Stage, server: FakeServer):
    server.reply = refusing(500, "out of cheese")
    await stage.alice.send(stage.channel, f"{stage.mention} hello")
    assert "has failed on this request" in stage.last_text
    assert "cheese" not in stage.last_text
