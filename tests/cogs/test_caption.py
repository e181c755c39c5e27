"""/caption and its menu."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from inference import Caption, CaptionRequest, Event, InferenceError, ModelSpec, Request, Result
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import PNG


def _picture(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return file.getvalue()


async def test_a_picture_gets_a_sentence(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("cat.png", PNG))
    assert first(result).content == "a cat on a mat"
    assert stage.backend.requests == [CaptionRequest(image=PNG, owner=str(stage.alice.id))]


async def test_each_picture_of_a_message_gets_its_own_in_order(stage: Stage):
    def size_as_caption(spec: ModelSpec, request: Request) -> list[Event | InferenceError]:
        assert isinstance(request, CaptionRequest)
        return [Result(Caption(f"{len(request.image)} bytes"))]

    stage.backend.script = size_as_caption
    pictures = [_picture(4), _picture(400)]
    message = await stage.bob.send(stage.channel, attachments=[("a_1.png", pictures[0]), ("b.png", pictures[1])])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    lines = [rf"**a\_1.png**: {len(pictures[0])} bytes", f"**b.png**: {len(pictures[1])} bytes"]
    assert first(result).content.splitlines() == lines


async def test_one_bad_picture_does_not_spoil_the_others(stage: Stage):
    message = await stage.bob.send(stage.channel, attachments=[("bad.png", b"text"), ("good.png", PNG)])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    bad, good = first(result).content.splitlines()
    assert bad.startswith("**bad.png**: ")
    assert good == "**good.png**: a cat on a mat"


async def test_text_named_png_is_refused_in_private(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("cat.png", b"I am a text"))
    assert "picture" in refusal(result)
    assert not stage.backend.requests


async def test_a_file_over_the_limit_is_refused_before_it_is_fetched(stage: Stage):
    result = await stage.alice.slash(stage.channel, "caption", image=("huge.png", b"0" * 26_000_000))
    assert refusal(result).startswith("huge.png has 26.0 MB; 25.0 MB is the most")
    assert not result.deferred


async def test_a_message_without_a_picture_is_told_so(stage: Stage):
    message = await stage.bob.send(stage.channel, "just words")
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    assert "no picture" in refusal(result)


async def test_a_forwarded_picture_counts(stage: Stage):
    original = await stage.bob.send(stage.channel, attachments=[("cat.png", PNG)])
    forwarded = await stage.bob.forward(original, stage.channel)
    result = await stage.alice.context_menu(stage.channel, "Caption image", forwarded)
    assert first(result).content == "a cat on a mat"


async def test_a_file_that_discord_does_not_hand_over_is_explained(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stage.env.backend.cdn, "get", lambda url: None)
    message = await stage.bob.send(stage.channel, attachments=[("cat.png", PNG)])
    result = await stage.alice.context_menu(stage.channel, "Caption image", message)
    assert refusal(result) == "Discord did not hand over cat.png. Upload it again."
