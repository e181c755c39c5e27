"""The whole way with a real, tiny model: each text is what it would be alone, with its seed."""

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
from inference.config.schema import ModelEntry
from tests.cogs.complete.completions import text
from tests.cogs.imagine.images import press
from tests.cogs.stage import PatientEngine, Stage, first
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import save_causal
from tests.waiting import until

_LIVELY = 3.0
"""The temperature at which a tiny model has something to say."""

pytestmark = pytest.mark.simcord(settle_timeout=60)


@pytest.fixture(autouse=True)
def seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """11, 12, 13 … in place of random ones: with a few in a hundred, a tiny model writes nothing or only blanks."""
    numbers = count(11)
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(numbers))


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    folder = save_causal(tmp_path / "tiny", "gpt2")
    return config.model_copy(update={"models": model_lists(complete=(ModelEntry(repo=str(folder), device="cpu"),))})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = PatientEngine(config, create_backend(config))
    yield engine
    await engine.close()


@pytest.fixture
async def other(config: Config) -> AsyncGenerator[Engine]:
    """An engine of its own, for what a request gives alone."""
    engine = create_engine(config)
    yield engine
    await engine.close()


def seed_of(message: ResponseMessage) -> int:
    match = re.search(r"seed (\d+)", message.content)
    assert match is not None
    return int(match[1])


async def write(stage: Stage, who: MemberActor, prompt: str, **options: object) -> ResponseMessage:
    """Begin a text; the model is still at work on it."""
    return first(await who.slash(stage.channel, "complete", prompt=prompt, length=30, temperature=_LIVELY, **options))


async def done(stage: Stage, *messages: ResponseMessage) -> None:
    """Wait until the models have written."""

    async def written() -> bool:
        await stage.env.settle()
        return all("seed " in message.content for message in messages)

    await until(written, "The models did not finish their texts, which end with their seeds.")


def shown(written: str) -> str:
    """As it stands in a message, which has no blanks at its end."""
    return neutral(written).rstrip()


async def alone(other: Engine, prompt: str, seed: int, written: str = "") -> str:
    """All of the text that the request gives by itself."""
    request = CompleteRequest(prompt=prompt, prefill=written, seed=seed, max_new_tokens=30, temperature=_LIVELY)
    completion = await other.run(other.check(request))
    assert isinstance(completion, Completion)
    return written + completion.text


async def test_texts_of_several_people_and_what_follows_are_those_that_each_would_get_alone(
    stage: Stage, other: Engine
):
    prompts = {stage.alice: "once upon a time", stage.bob: "the cat"}
    messages = [await write(stage, who, prompt) for who, prompt in prompts.items()]
    await done(stage, *messages)
    for (who, prompt), message in zip(prompts.items(), messages, strict=True):
        written = await alone(other, prompt, seed_of(message))
        assert text(message) == f"**{prompt}**{shown(written)}"
        await press(stage, message, "Continue", who)
        await done(stage, message)
        written = await alone(other, prompt, seed_of(message), written)
        assert text(message) == f"**{prompt}**{shown(written)}"


async def test_alternatives_are_the_texts_of_the_next_seeds(stage: Stage, other: Engine):
    message = await write(stage, stage.alice, "the dog", alternatives=3, seed=7)
    await done(stage, message)
    for seed in (7, 8, 9):
        assert seed_of(message) == seed
        assert text(message) == f"**the dog**{shown(await alone(other, 'the dog', seed))}"
        if seed < 9:
            await press(stage, message, "Next")


async def test_a_reply_goes_on_with_the_text_as_if_it_were_one(stage: Stage, other: Engine):
    begun = await write(stage, stage.alice, "the dog", seed=7)
    await done(stage, begun)
    before = await alone(other, "the dog", 7)
    await stage.bob.send(stage.channel, f"{stage.mention} and a cat", reply_to=begun.message)

    async def replied() -> bool:
        await stage.env.settle()
        return "seed " in stage.last_text

    await until(replied, "The model did not finish its reply, which ends with its seed.")
    written = await alone(other, f"the dog{before} and a cat", int(stage.last_text.rpartition("seed ")[2].split()[0]))
    assert stage.last_text.startswith(f"… **and a cat**{shown(written)}\n-# ")
