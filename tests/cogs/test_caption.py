"""/caption and its menu."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from simcord import InteractionResult

from bot import create_bot
from inference import (
    Caption,
    CaptionRequest,
    Config,
    Event,
    ImagineRequest,
    InferenceError,
    ModelSpec,
    PartialText,
    Phrase,
    Request,
    Result,
    infotext,
)
from inference.images.decoding import encode_png
from tests.cogs.stage import PatientEngine, Stage, buttons, first, refusal
from tests.fakes import PNG


def _picture(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return file.getvalue()


async def test_a_picture_gets_a_caption(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("cat.png", PNG))
    assert first(result).content == "a cat on a mat"
    assert stage.backend.requests == [CaptionRequest(image=PNG, owner=str(stage.alice.id))]


async def test_each_picture_of_a_message_gets_its_own_caption_in_order(stage: Stage):
    def size_as_caption(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        assert isinstance(request, CaptionRequest)
        return [Result(Caption(f"{len(request.image)} bytes"))]

    stage.backend.script = size_as_caption
    pictures = [_picture(4), _picture(400)]
    message = await stage.bob.send(stage.channel, attachments=[("a_1.png", pictures[0]), ("b.png", pictures[1])])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    lines = [rf"1. **a\_1.png**: {len(pictures[0])} bytes", f"2. **b.png**: {len(pictures[1])} bytes"]
    assert first(result).content.splitlines() == lines


async def test_captions_grow_below_those_that_are_finished(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("a.png", PNG), ("b.png", PNG)])
    stage.backend.script = lambda spec, request: []
    await stage.alice.context_menu(stage.channel, "Caption image", message)
    await stage.event(Result(Caption("a cat")))
    await stage.event(PartialText("a small\ndog"))
    await stage.env.advance_time(5)
    assert stage.last_text == "1. **a.png**: a cat\n2. **b.png**: a small dog ▌"
    await stage.event(Result(Caption("a small dog.")))
    assert stage.last_text == "1. **a.png**: a cat\n2. **b.png**: a small dog."


async def test_the_other_captions_are_shown_if_one_caption_fails(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("bad.png", b"text"), ("good.png", PNG)])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    bad, good = first(result).content.splitlines()
    assert bad.startswith("1. **bad.png**: ")
    assert good == "2. **good.png**: a cat on a mat"
    assert buttons(first(result)) == ["Imagine 2"]


async def test_text_named_png_is_refused_in_private(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("cat.png", b"I am a text"))
    assert "picture" in refusal(result)
    assert not stage.backend.requests


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("huge.png", b"0" * 26_000_000))
    assert refusal(result).startswith("huge.png has 26.0 MB; 25.0 MB is the most")
    assert not result.deferred


async def test_a_message_without_a_picture_gives_an_error(stage: Stage):
    message = await stage.bob.send(stage.channel, "just words")
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    assert "no picture" in refusal(result)


async def test_a_picture_in_a_private_message_is_described_in_private(stage: Stage):
    await stage.bob.send(stage.channel, "What a day")
    chart = first(await stage.alice.slash(stage.channel, "mood", messages=2))
    assert (await stage.alice.context_menu(stage.channel, "Caption image", chart.message)).ephemeral


async def test_a_forwarded_picture_is_captioned(stage: Stage):
    original = await stage.bob.send(stage.channel, attachments=[("cat.png", PNG)])
    forwarded = await stage.bob.forward(original, stage.channel)
    result = await stage.alice.context_menu(stage.channel, "Caption image", forwarded)
    assert first(result).content == "a cat on a mat"


async def test_a_file_that_can_not_be_downloaded_is_reported(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stage.env.backend.cdn, "get", lambda url: None)
    message = await stage.bob.send(stage.channel, attachments=[("cat.png", PNG)])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    assert refusal(result) == "Discord did not hand over cat.png. Upload it again."


async def test_only_the_person_who_asked_sees_a_private_description(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("cat.png", PNG)])
    result = await stage.alice.context_menu(stage.channel, "Describe privately", message)
    assert first(result).ephemeral
    assert first(result).content == "a cat on a mat"
    assert not first(result).components, "the description is private, but a picture drawn from it would be public"


def _fields(result: InteractionResult) -> dict[str, str]:
    """Return the values that a form is prefilled with."""
    assert result.modal is not None
    inputs = [label["component"] for label in result.modal["components"]]
    return {field["custom_id"]: field.get("value") or "" for field in inputs}


class TestImagineThis:
    async def test_anyone_can_draw_a_picture_from_a_caption(self, stage: Stage):
        stage.backend.script = lambda spec, request: (
            [Result(Caption("a *fat* cat_1 @everyone"))] if isinstance(request, CaptionRequest) else []
        )
        captioned = first(await stage.alice.slash(stage.channel, "caption", image=("cat.png", PNG)))
        form = await stage.bob.click(captioned, label="Imagine this")
        assert _fields(form) == {"prompt": "a *fat* cat_1 @everyone", "negative": ""}
        await stage.bob.submit_modal(form, {"prompt": "a fat cat", "negative": "dogs"})
        request = stage.backend.requests[-1]
        assert isinstance(request, ImagineRequest)
        assert (request.prompt, request.negative_prompt, request.owner) == ("a fat cat", "dogs", str(stage.bob.id))

    async def test_each_of_several_captions_has_its_own_button(self, stage: Stage):
        captions = iter(["a cat", "a dog"])
        stage.backend.script = lambda spec, request: [Result(Caption(next(captions)))]
        files = [("a*b.png", PNG), ("b: **c**.png", PNG)]
        message = await stage.bob.send(stage.channel, attachments=files)
        captioned = first(await stage.alice.context_menu(stage.channel, "Caption image", message))
        assert buttons(captioned) == ["Imagine 1", "Imagine 2"]
        for number, caption in ((1, "a cat"), (2, "a dog")):
            form = await stage.bob.click(captioned, label=f"Imagine {number}")
            assert _fields(form)["prompt"] == caption

    async def test_the_button_works_after_a_restart(self, stage: Stage, config: Config):
        captioned = first(await stage.alice.slash(stage.channel, "caption", image=("cat.png", PNG)))
        engine = PatientEngine(config, stage.backend)
        engine.env = stage.env
        await stage.env.restart_bot(create_bot(engine))
        assert _fields(await stage.bob.click(captioned, label="Imagine this"))["prompt"] == "a cat on a mat"


class TestRemixImage:
    async def _open(self, stage: Stage, picture: bytes) -> InteractionResult:
        message = await stage.bob.send(stage.channel, attachments=[("a.png", picture)])
        return await stage.alice.context_menu(stage.channel, "Remix image", message)

    async def test_the_form_is_prefilled_from_the_pictures_parameters(self, stage: Stage):
        text = infotext.to_text(ImagineRequest(prompt="a fox", negative_prompt="fog", steps=9, seed=1))
        form = await self._open(stage, encode_png(Image.new("RGB", (64, 64)), text))
        assert _fields(form) == {"prompt": "a fox", "negative": "fog", "strength": ""}

    async def test_the_form_draws_from_the_picture(self, stage: Stage):
        form = await self._open(stage, PNG)
        assert _fields(form)["prompt"] == ""
        result = await stage.alice.submit_modal(form, {"prompt": "a wolf", "negative": "", "strength": "0.4"})
        [request] = stage.backend.requests
        assert isinstance(request, ImagineRequest)
        assert (request.prompt, request.image, request.strength) == ("a wolf", PNG, 0.4)
        assert request.owner == str(stage.alice.id)
        assert not first(result).ephemeral

    async def test_a_strength_that_is_not_a_number_is_refused_in_private(self, stage: Stage):
        form = await self._open(stage, PNG)
        result = await stage.alice.submit_modal(form, {"prompt": "a wolf", "negative": "", "strength": "much"})
        assert "strength" in refusal(result)
        assert not stage.backend.requests

    async def test_a_message_without_a_picture_gives_an_error(self, stage: Stage):
        message = await stage.bob.send(stage.channel, "just words")
        result = await stage.alice.context_menu(stage.channel, "Remix image", message)
        assert "no picture" in refusal(result)


async def test_a_note_of_a_caption_is_small_print_and_not_drawn(stage: Stage):
    note = Phrase(
        "This small model knows {count} things, as single drawings. It is not sure here, and may only guess.", count=3
    )
    stage.backend.script = lambda spec, request: [Result(Caption("rocket", note))]
    shown = first(await stage.alice.slash(stage.channel, "caption", image=("a.png", PNG)))
    assert shown.content.startswith("rocket\n-# This small model knows 3 things")
    form = (await stage.alice.click(shown.message, label="Imagine this")).modal
    assert form is not None
    assert form["components"][0]["component"]["value"] == "rocket"
    message = await stage.bob.send(stage.channel, attachments=[("a.png", PNG), ("b.png", PNG)])
    several = first(await stage.alice.context_menu(stage.channel, "Caption image", message))
    assert several.content.count("This small model knows 3 things") == 1
