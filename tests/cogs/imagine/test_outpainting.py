"""Zoom out, Make square and the arrows: buttons that extend a single picture."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any, cast

import discord
import numpy as np
import pytest
from PIL import Image

from cogs.client import Inkling
from inference import Config, GeneratedImage, ImageResult, ImagineRequest, Phrase, Request, Result
from inference.images.decoding import encode_png
from tests.cogs.imagine.images import button_rows, file, grid, newest_request, press, restart
from tests.cogs.stage import Stage, followup, refusal
from tests.cogs.test_restart import kill
from tests.fakes import drawn

SIZE = (96, 64)
"""The size of the fake model's pictures, if no other one is asked for."""


def extensible(request: Request, **changes: Any) -> ImageResult:
    """Return pictures of a model that can inpaint, up to 192 pixels."""
    assert isinstance(request, ImagineRequest)
    width, height = (request.width, request.height) if request.image else SIZE
    result = drawn(request)
    pngs = [encode_png(Image.open(BytesIO(each.png)).resize((width, height))) for each in result.pictures]
    pictures = tuple(replace(each, png=png) for each, png in zip(result.pictures, pngs, strict=True))
    settings: dict[str, Any] = {"pictures": pictures, "width": width, "height": height, "outpainting_side": 192}
    return replace(result, **settings | changes)


def noted(request: Request) -> Phrase:
    """Return the request's note, which pipelines show."""
    assert isinstance(request, ImagineRequest)
    return request.note


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)))


@pytest.fixture(autouse=True)
def model_that_inpaints(stage: Stage) -> None:
    stage.backend.script = lambda spec, request: [Result(extensible(request))]


async def test_a_single_picture_has_buttons_to_zoom_out_to_square_it_and_to_pan(stage: Stage):
    assert button_rows(await grid(stage, count=1)) == [
        ["Vary", "Edit"],
        ["Zoom out 1.5x", "Zoom out 2x", "Make square"],
        ["←", "→", "↑", "↓"],
        ["Re-roll", "Remix", "Parameters", "Delete"],
    ]


async def test_a_square_picture_has_no_button_to_square_it(stage: Stage):
    square = followup(await press(stage, await grid(stage, count=1), "Make square"))
    assert button_rows(square)[1] == ["Zoom out 1.5x", "Zoom out 2x"]


async def test_several_pictures_have_no_such_buttons_but_each_of_them_alone_has(stage: Stage):
    message = await grid(stage, count=2)
    assert len(button_rows(message)) == 3
    assert len(button_rows(followup(await press(stage, message, "U2")))) == 4


HELD_BACK = {"pictures": (GeneratedImage(b"", 7, flagged=True),)}


@pytest.mark.parametrize("changes", [{"outpainting_side": 0}, HELD_BACK])
async def test_there_are_no_such_buttons_without_a_model_that_inpaints_or_without_a_picture(
    stage: Stage, changes: dict[str, Any]
):
    stage.backend.script = lambda spec, request: [Result(extensible(request, **changes))]
    assert len(button_rows(await grid(stage, count=1))) == 2


@pytest.mark.parametrize(
    ("label", "size", "old", "said"),
    [
        ("Zoom out 1.5x", (144, 96), (24, 16), "Zoomed out from"),
        ("Zoom out 2x", (192, 128), (48, 32), "Zoomed out from"),
        ("Make square", (96, 96), (0, 16), "Made square from"),
        ("←", (144, 64), (48, 0), "Extended to the left from"),
        ("→", (144, 64), (0, 0), "Extended to the right from"),
        ("↑", (96, 96), (0, 32), "Extended upwards from"),
        ("↓", (96, 96), (0, 0), "Extended downwards from"),
    ],
)
async def test_a_press_draws_around_the_picture_with_its_settings_and_another_seed(
    stage: Stage, label: str, size: tuple[int, int], old: tuple[int, int], said: str
):
    message = await grid(stage, count=1, negative="fog", advanced="Steps: 30, CFG scale: 4, Sampler: DDIM")
    extended = followup(await press(stage, message, label))
    request = newest_request(stage)
    settings = (request.prompt, request.negative_prompt, request.steps, request.guidance_scale, request.sampler)
    assert settings == ("a fox", "fog", 30, 4, "DDIM")
    assert (request.width, request.height, request.count, request.strength) == (*size, 1, None)
    assert request.seed != 7
    left, top = old
    image, mask = pixels(request.image), pixels(request.mask)
    box = (slice(top, top + 64), slice(left, left + 96))
    assert np.array_equal(image[box], pixels(await file(message)))
    assert not mask[box].any()
    assert (mask == 0).sum() == 96 * 64
    assert f"\n-# {said} {message.message.jump_url} · for <@{stage.alice.id}>" in extended.content
    assert len(button_rows(extended)) == 4


async def test_a_picture_is_zoomed_out_again_and_says_when_it_is_scaled_down(stage: Stage):
    message = followup(await press(stage, await grid(stage, count=1), "Zoom out 2x"))
    assert not newest_request(stage).note
    stage.backend.script = lambda spec, request: [Result(extensible(request, note=noted(request)))]
    again = followup(await press(stage, message, "Zoom out 2x"))
    assert (newest_request(stage).width, newest_request(stage).height) == (192, 128)
    assert "The picture was first scaled down to 96 × 64, since no side may have more than 192 pixels." in again.content


async def test_re_roll_and_vary_draw_around_the_same_picture_again(stage: Stage):
    message = followup(await press(stage, await grid(stage, count=1), "Zoom out 2x"))
    extended = newest_request(stage)
    await press(stage, message, "Re-roll")
    assert newest_request(stage).seed != extended.seed
    assert replace(newest_request(stage), seed=extended.seed) == extended
    await press(stage, message, "Vary")
    assert (newest_request(stage).image, newest_request(stage).mask) == (extended.image, extended.mask)


async def test_other_people_can_not_extend_a_picture(stage: Stage):
    message = await grid(stage, count=1)
    assert refusal(await press(stage, message, "→", stage.bob)).startswith("Only the person who asked for this")
    assert len(stage.backend.requests) == 1


async def test_a_picture_whose_message_has_lost_its_file_is_not_extended(stage: Stage):
    message = await grid(stage, count=1)
    await message.message.edit(attachments=[])
    said = refusal(await press(stage, message, "Zoom out 2x"))
    assert said.startswith("Discord did not hand over the file of this picture, so it can't be extended.")
    assert len(stage.backend.requests) == 1


async def test_a_picture_whose_file_can_not_be_downloaded_is_not_extended(stage: Stage):
    message = await grid(stage, count=1)
    stage.env.backend.cdn._blobs.clear()  # pyright: ignore[reportPrivateUsage]
    said = refusal(await press(stage, message, "Zoom out 2x"))
    assert said.startswith("Discord did not hand over the file of this picture, so it can't be extended.")
    assert len(stage.channel.history()) == 1


async def test_an_animation_in_place_of_the_picture_is_not_extended(stage: Stage):
    message = await grid(stage, count=1)
    animation, frames = BytesIO(), [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    frames[0].save(animation, "GIF", save_all=True, append_images=frames[1:])
    await message.message.edit(attachments=[discord.File(BytesIO(animation.getvalue()), "inkling-7.gif")])
    said = refusal(await press(stage, message, "Zoom out 2x"))
    assert said == "The file in this message is not the picture that I drew, so I can't extend it."
    assert len(stage.backend.requests) == 1


async def test_a_flagged_picture_is_not_extended_after_the_channel_loses_its_age_restriction(stage: Stage):
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    channel.nsfw = True

    def script(spec: object, request: Request) -> list[Result]:
        result = extensible(request)
        return [Result(replace(result, pictures=(replace(result.pictures[0], flagged=True),)))]

    stage.backend.script = script
    message = await grid(stage, count=1)
    await press(stage, message, "→")
    assert newest_request(stage).show_flagged
    channel.nsfw = False
    assert refusal(await press(stage, message, "→")).startswith("The safety checker objects to this picture")
    assert len(stage.backend.requests) == 2


async def test_a_picture_is_extended_after_a_kill(stage: Stage, config: Config):
    message = await grid(stage, count=1)
    script, stage.backend.script = stage.backend.script, lambda spec, request: []
    waiting = followup(await press(stage, message, "Zoom out 2x"))
    before = newest_request(stage)
    await kill(stage, config)
    stage.backend.script = script
    await restart(stage, config)
    assert newest_request(stage) == before
    assert "Zoomed out from" in waiting.content
    assert len(await cast(Inkling, stage.bot).store.jobs.open_jobs()) == 0
