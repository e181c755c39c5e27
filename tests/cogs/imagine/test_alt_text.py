"""Alt texts, which describe pictures for people who can't see them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cogs.imagine.alt_text import alt_text, captions, numbered_alt_text
from inference import (
    Caption,
    CaptionRequest,
    Config,
    EditRequest,
    Engine,
    Event,
    GeneratedImage,
    GenerationFailed,
    ImagineRequest,
    InferenceError,
    ModelSpec,
    Request,
    Result,
    load_config,
)
from tests.fakes import PNG, FakeBackend

PICTURES = [GeneratedImage(PNG, 1), GeneratedImage(PNG + b"and what follows", 2)]


@pytest.fixture
def config() -> Config:
    return load_config(Path(__file__).parents[3] / "config.yaml")


@pytest.fixture
def backend(config: Config) -> FakeBackend:
    return FakeBackend(in_memory={config.specs("caption")[0].name})


def test_an_alt_text_without_a_caption_quotes_the_prompt() -> None:
    assert alt_text(ImagineRequest(prompt="a red\napple"), [""]) == 'Drawn by a machine from the words: "a red apple"'


def test_an_alt_text_begins_with_the_caption() -> None:
    expected = 'Machine-made description: a red apple on a table. Drawn from the words: "apple"'
    assert alt_text(ImagineRequest(prompt="apple"), ["a red apple on a table."]) == expected


def test_the_alt_text_of_an_edit_quotes_the_instruction_as_one() -> None:
    request = EditRequest(prompt="make the cup red")
    assert alt_text(request, [""]) == 'Edited by a machine as told: "make the cup red"'
    expected = 'Machine-made description: a red cup. Edited as told: "make the cup red"'
    assert alt_text(request, ["a red cup"]) == expected


def test_the_alt_text_of_a_grid_numbers_its_pictures() -> None:
    expected = 'Machine-made description: 1: a cat; 3: a dog. Drawn from the words: "pets"'
    assert alt_text(ImagineRequest(prompt="pets"), ["a cat", "", "a dog"]) == expected


def test_the_alt_text_of_a_picture_in_a_gallery_has_its_number() -> None:
    expected = 'Picture 2 of 4. Machine-made description: a dog. Drawn from the words: "pets"'
    assert numbered_alt_text(ImagineRequest(prompt="pets"), "a dog", 2, 4) == expected
    assert len(numbered_alt_text(ImagineRequest(prompt="x" * 3000), "", 10, 10)) == 1024


def test_every_alt_text_keeps_to_the_limit_of_discord() -> None:
    text = alt_text(ImagineRequest(prompt="x" * 3000), ["a cat"] * 4)
    assert len(text) == 1024
    assert text.startswith("Machine-made description: 1: a cat; 2:")
    assert text.endswith("x…")


async def test_each_picture_gets_its_own_caption(config: Config, backend: FakeBackend) -> None:
    def caption_by_content(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        assert isinstance(request, CaptionRequest)
        return [Result(Caption("a cat" if request.image == PNG else "a dog"))]

    backend.script = caption_by_content
    assert await captions(Engine(config, backend), PICTURES) == ["a cat", "a dog"]


async def test_an_unloaded_caption_model_is_not_loaded_for_alt_texts(config: Config, backend: FakeBackend) -> None:
    backend.in_memory.clear()
    assert await captions(Engine(config, backend), PICTURES) == ["", ""]
    assert not backend.requests


async def test_a_caption_that_fails_is_empty(
    config: Config, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    def second_fails(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        assert isinstance(request, CaptionRequest)
        return [Result(Caption("a cat")) if request.image == PNG else GenerationFailed("It broke.")]

    backend.script = second_fails
    with caplog.at_level(logging.WARNING):
        assert await captions(Engine(config, backend), PICTURES) == ["a cat", ""]
    assert "It broke." in caplog.text
