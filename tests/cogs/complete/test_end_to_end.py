"""/complete with a real, tiny model: each text is the same as in a request of its own with the same seed."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path

import pytest
from simcord import MemberActor, ResponseMessage

from cogs.common import neutral
from inference import CompleteRequest, Completion, Config, Engine, create_backend, create_engine
from inference.config.models import ModelEntry
from tests.cogs.complete.completions import text
from tests.cogs.imagine.images import press
from tests.cogs.stage import PatientEngine, Stage, first
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import save_causal
from tests.waiting import until

_TEMPERATURE = 3.0
"""A temperature at which a tiny model rarely writes empty texts."""


@pytest.fixture(autouse=True)
def seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the seeds 11, 12, 13 …: with a few percent of random seeds, a tiny model writes nothing or only spaces."""
    numbers = count(11)
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(numbers))


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    folder = save_causal(tmp_path / "tiny", "gpt2")
    return config.model_copy(update={"models": model_lists(complete=(ModelEntry(repo=str(folder), device=("cpu",)),))})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = PatientEngine(config, create_backend(config))
    yield engine
    await engine.close()


@pytest.fixture
async def separate_engine(config: Config) -> AsyncGenerator[Engine]:
    """Return an engine that runs one request at a time, to compare with."""
    engine = create_engine(config)
    yield engine
    await engine.close()


def seed_of(message: ResponseMessage) -> int:
    match = re.search(r"seed (\d+)", message.content)
    assert match is not None
    return int(match[1])


async def start_text(stage: Stage, who: MemberActor, prompt: str, **options: object) -> ResponseMessage:
    """Start a text. The model is still running afterwards."""
    return first(
        await who.slash(stage.channel, "complete", prompt=prompt, length=30, temperature=_TEMPERATURE, **options)
    )


async def wait_until_done(stage: Stage, *messages: ResponseMessage, before: str = "") -> None:
    """Wait until the texts of all messages are finished, and no longer what they were `before` a press."""

    async def written() -> bool:
        await stage.env.settle()
        return all("seed " in message.content and message.content != before for message in messages)

    await until(written, "The models did not finish their texts, which end with their seeds.")


def as_shown(written: str) -> str:
    """Return the text as a message shows it, without spaces at its end."""
    return neutral(written).rstrip()


async def complete_alone(separate_engine: Engine, prompt: str, seed: int, written: str = "") -> str:
    """Return `written` and its continuation by a separate request."""
    request = CompleteRequest(prompt=prompt, prefill=written, seed=seed, max_new_tokens=30, temperature=_TEMPERATURE)
    completion = await separate_engine.run(separate_engine.check(request))
    assert isinstance(completion, Completion)
    return written + completion.text


async def test_requests_of_several_people_give_the_same_texts_as_separate_requests(
    stage: Stage, separate_engine: Engine
):
    prompts = {stage.alice: "once upon a time", stage.bob: "the cat"}
    messages = [await start_text(stage, who, prompt) for who, prompt in prompts.items()]
    await wait_until_done(stage, *messages)
    for (who, prompt), message in zip(prompts.items(), messages, strict=True):
        written = await complete_alone(separate_engine, prompt, seed_of(message))
        assert text(message) == f"**{prompt}**{as_shown(written)}"
        before = message.content
        await press(stage, message, "Continue", who)
        await wait_until_done(stage, message, before=before)
        written = await complete_alone(separate_engine, prompt, seed_of(message), written)
        assert text(message) == f"**{prompt}**{as_shown(written)}"


async def test_alternatives_are_the_texts_of_the_following_seeds(stage: Stage, separate_engine: Engine):
    message = await start_text(stage, stage.alice, "the dog", alternatives=3, seed=7)
    await wait_until_done(stage, message)
    for seed in (7, 8, 9):
        assert seed_of(message) == seed
        assert text(message) == f"**the dog**{as_shown(await complete_alone(separate_engine, 'the dog', seed))}"
        if seed < 9:
            await press(stage, message, "Next")


async def test_a_reply_continues_the_text_as_one_text(stage: Stage, separate_engine: Engine):
    started = await start_text(stage, stage.alice, "the dog", seed=7)
    await wait_until_done(stage, started)
    before = await complete_alone(separate_engine, "the dog", 7)
    await stage.bob.send(stage.channel, f"{stage.mention} and a cat", reply_to=started.message)

    async def replied() -> bool:
        await stage.env.settle()
        return "seed " in stage.last_text

    await until(replied, "The model did not finish its reply, which ends with its seed.")
    written = await complete_alone(
        separate_engine, f"the dog{before} and a cat", int(stage.last_text.rpartition("seed ")[2].split()[0])
    )
    assert stage.last_text.startswith(f"… **and a cat**{as_shown(written)}\n-# ")
