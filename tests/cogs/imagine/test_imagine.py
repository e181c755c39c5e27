"""/imagine: attached pictures, with the settings they were drawn with."""

from __future__ import annotations

from inference import GeneratedImage, ImageResult, ImagineRequest, Phrase, Result
from tests.cogs.imagine.images import files, text
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import PNG, drawn


async def test_a_picture_is_attached_with_a_description_and_the_settings_below(stage: Stage):
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox", seed=7, advanced="Steps: 30")
    [file] = first(result).attachments
    assert file.filename == "inkling-7.png"
    assert file.description == 'Drawn by a machine from the words: "a fox"'
    [request] = stage.backend.requests
    assert isinstance(request, ImagineRequest)
    assert await file.read() == drawn(request).pictures[0].png
    assert first(result).content == "> a fox\n-# 64 × 64 · 30 steps · DDIM · guidance 7.5 · seed 7"


async def test_the_options_reach_the_engine(stage: Stage):
    options = {"negative": "fog", "size": "512x768", "advanced": "CFG scale: 5", "model": "stable-diffusion-v1-4"}
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox", seed=1, **options)
    assert stage.backend.requests == [
        ImagineRequest(
            prompt="a fox", negative_prompt="fog", width=512, height=768, guidance_scale=5.0, seed=1,
            model="stable-diffusion-v1-4", owner=str(stage.alice.id), require_safety_checker=True, mark_origin=True,
        )
    ]  # fmt: skip


async def test_missing_options_are_left_to_the_model(stage: Stage):
    await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    [request] = stage.backend.requests
    assert isinstance(request, ImagineRequest)
    assert (request.width, request.height, request.steps, request.guidance_scale) == (0, 0, 0, None)


async def test_a_picture_that_was_held_back_is_replaced_by_a_sentence(stage: Stage):
    pictures = (GeneratedImage(b"", 7, flagged=True), GeneratedImage(PNG, 8))
    stage.backend.script = lambda spec, request: [
        Result(ImageResult(pictures, 512, 512, 25, 7.5, note=Phrase("Fewer steps.")))
    ]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox", count=2)
    assert list(await files(first(result))) == ["inkling-8-2.png"]
    assert "The safety checker held back 1 of 2." in text(first(result))
    assert "Fewer steps." in text(first(result))


async def test_a_picture_over_the_upload_limit_is_sent_as_webp_and_says_so(stage: Stage):
    large = GeneratedImage(PNG + b"0" * 27_000_000, 7)
    stage.backend.script = lambda spec, request: [Result(ImageResult((large,), 4096, 4096, 25, 7.5))]
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    [file] = first(result).attachments
    assert file.filename == "inkling-7.webp"
    assert (await file.read())[8:12] == b"WEBP"
    assert "This picture is WebP, since the PNG is over the 26 MB that Discord takes here." in first(result).content


async def test_values_over_the_limits_of_the_operator_are_refused_in_private(stage: Stage):
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox", count=9)
    assert refusal(result) == "The count must be between 1 and 4, not 9."
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox", advanced="Steps: 300")
    assert "between 1 and 100" in refusal(result)
    assert not stage.backend.requests
