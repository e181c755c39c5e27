"""/ask from the command to the message, on real models of a few thousand random weights."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from inference import Config, Engine, create_backend
from inference.config.models import ModelEntry
from tests.cogs.ask.questions import ask
from tests.cogs.stage import Stage, first, followup
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import CHAT, save_causal
from tests.inference.pipelines.tiny_text import reader


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ModelEntry, ...]]:
    def listed(folder: Path) -> tuple[ModelEntry, ...]:
        return (ModelEntry(repo=str(folder), device=("cpu",), dtype="float32"),)

    found = reader(tmp_path_factory.mktemp("reader"), seed=1)
    return model_lists(
        ask=listed(found), complete=listed(save_causal(tmp_path_factory.mktemp("writer"), "llama", chat=CHAT))
    )


@pytest.fixture
def config(config: Config, models: dict[str, tuple[ModelEntry, ...]]) -> Config:
    return config.model_copy(update={"models": models})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def test_an_answer_is_found_and_shown_and_explained_in_own_words(stage: Stage):
    message = await stage.bob.send(stage.channel, "Hello. Anna met Bert in Rome.")
    shown = first(await ask(stage, "Who?", link=message.jump_url))
    assert shown.content.startswith("> Who?\n\n")
    assert "**" in shown.content
    context = await stage.alice.click(shown.message, label="Show context")
    around = followup(context).content.replace("**", "")
    assert around == f"> Who?\n\nHello. Anna met Bert in Rome.\n-# {message.jump_url}"
    words = await stage.alice.click(shown.message, label="In own words")
    assert "In the model's own words, which may be wrong" in followup(words).content
    assert followup(words).content.endswith(
        shown.content.partition("Other answers")[0].removeprefix("> Who?\n\n").rstrip()
    )


async def test_a_question_alone_goes_to_the_language_model(stage: Stage):
    assert "-# From the model's memory" in first(await ask(stage, "the fox")).content
