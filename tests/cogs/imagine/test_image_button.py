"""Grids of pictures, and the buttons below them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import cast

import discord
import pytest
from PIL import Image

from inference import Config, GeneratedImage, ImageResult, ImagineRequest, Result, Variation, infotext
from tests.cogs.imagine.images import button_rows, file, grid, image_size, newest_request, press
from tests.cogs.stage import Stage, followup, refusal
from tests.fakes import FakeBackend, drawn


async def test_several_pictures_are_sent_as_one_grid_with_buttons_for_each(stage: Stage):
    message = await grid(stage)
    assert await image_size(message) == (128, 128)
    assert button_rows(message) == [
        ["U1", "U2", "U3", "U4"],
        ["V1", "V2", "V3", "V4"],
        ["Re-roll", "Remix", "Parameters", "Delete"],
    ]
    assert message.content == "> a fox\n-# 64 × 64 · 25 steps · DDIM · guidance 7.5 · seeds 7 to 10"


async def test_a_single_picture_has_a_row_of_its_own_button_and_one_for_the_whole(stage: Stage):
    assert button_rows(await grid(stage, count=1)) == [["Vary"], ["Re-roll", "Remix", "Parameters", "Delete"]]


class TestTenPictures:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"limits": config.limits.model_copy(update={"pictures": 10})})

    async def test_ten_pictures_have_all_their_buttons_in_one_message(self, stage: Stage):
        message = await grid(stage, count=10)
        assert [len(row) for row in button_rows(message)] == [5, 5, 5, 5, 4]
        assert await file(followup(await press(stage, message, "U10"))) == drawn(newest_request(stage)).pictures[9].png


async def test_a_picture_of_a_grid_is_sent_unchanged_and_links_to_the_grid(stage: Stage):
    message = await grid(stage)
    one = followup(await press(stage, message, "U2"))
    assert await file(one) == drawn(newest_request(stage)).pictures[1].png
    assert len(stage.backend.requests) == 1, "nothing is drawn anew"
    assert one.content.endswith(f"· seed 8\n-# Picture 2 of {message.message.jump_url} · for <@{stage.alice.id}>")
    assert button_rows(one) == [["Vary"], ["Re-roll", "Remix", "Parameters", "Delete"]]


async def test_the_file_of_a_picture_repeats_the_picture(stage: Stage):
    one = followup(await press(stage, await grid(stage), "U3"))
    request = infotext.read(await file(one))
    assert request is not None
    assert drawn(request).pictures[0].png == await file(one)


async def test_variations_keep_the_settings_of_their_picture(stage: Stage):
    message = await grid(stage, negative="fog", advanced="Steps: 30")
    varied = followup(await press(stage, message, "V2"))
    request = newest_request(stage)
    assert (request.prompt, request.negative_prompt, request.steps, request.count) == ("a fox", "fog", 30, 4)
    assert request.seed == 8
    [variation] = request.variations
    assert variation.strength == 0.2
    assert await image_size(varied) == (128, 128)
    assert varied.content.endswith(
        f"\n-# Variations of picture 2 of {message.message.jump_url} · for <@{stage.alice.id}>"
    )


async def test_a_variation_of_a_variation_adds_a_variation(stage: Stage):
    one = followup(await press(stage, followup(await press(stage, await grid(stage), "V1")), "U3"))
    before = newest_request(stage)
    await press(stage, one, "Vary")
    assert newest_request(stage).variations[0] == Variation(before.variations[0].seed + 2, 0.2)
    assert len(newest_request(stage).variations) == 2
    assert newest_request(stage).seed == 7


async def test_re_roll_changes_only_the_seed(stage: Stage):
    message = await grid(stage, advanced="Steps: 30")
    before = newest_request(stage)
    again = followup(await press(stage, message, "Re-roll"))
    assert newest_request(stage).seed != before.seed
    assert replace(newest_request(stage), seed=before.seed) == before
    assert f"Another try at {message.message.jump_url}" in again.content


async def test_re_roll_of_variations_draws_fresh_pictures(stage: Stage):
    message = followup(await press(stage, await grid(stage), "V2"))
    before = newest_request(stage)
    await press(stage, message, "Re-roll")
    assert newest_request(stage).seed != before.seed
    assert newest_request(stage).variations == ()


async def test_parameters_are_private_and_repeat_the_image(stage: Stage):
    said = refusal(await press(stage, await grid(stage), "Parameters"))
    _, block, seeds = said.split("```")
    assert drawn(infotext.from_text(block.strip())).pictures[0].png == drawn(newest_request(stage)).pictures[0].png
    assert seeds.strip().splitlines() == [f"-# Picture {i + 1}: seed {7 + i}" for i in range(4)]


async def test_parameters_that_contain_a_code_fence_are_also_sent_as_a_file(stage: Stage):
    result = await press(stage, await grid(stage, count=1, prompt="``` @everyone"), "Parameters")
    assert followup(result).content.count("```") == 2
    assert infotext.from_text((await file(followup(result))).decode()).prompt == "``` @everyone"


@pytest.mark.parametrize("names", [["inkling-7.webp"], []])
async def test_a_picture_of_a_grid_that_was_sent_as_webp_is_generated_again(stage: Stage, names: list[str]):
    message = await grid(stage)
    png = await file(message)
    await message.message.edit(attachments=[discord.File(BytesIO(png), name) for name in names])
    one = followup(await press(stage, message, "U2"))
    assert (newest_request(stage).seed, newest_request(stage).count) == (8, 1)
    assert await file(one) == drawn(newest_request(stage)).pictures[0].png


async def test_a_picture_that_was_held_back_leaves_a_gap_and_can_not_be_chosen(stage: Stage):
    def script(spec: object, request: object) -> list[Result]:
        drawing = drawn(cast(ImagineRequest, request))
        first, *others = drawing.pictures
        return [Result(replace(drawing, pictures=(replace(first, png=b"", flagged=True), *others)))]

    stage.backend.script = script
    message = await grid(stage)
    assert button_rows(message)[:2] == [["(U1)", "U2", "U3", "U4"], ["(V1)", "V2", "V3", "V4"]]
    assert Image.open(BytesIO(await file(message))).getpixel((0, 0)) == (0, 0, 0, 0)
    assert "The safety checker held back 1 of 4." in message.content
    stage.backend.script = FakeBackend().script
    assert await file(followup(await press(stage, message, "U2"))) == drawn(newest_request(stage)).pictures[1].png


async def test_a_message_whose_pictures_are_all_held_back_has_only_buttons(stage: Stage):
    pictures = (GeneratedImage(b"", 7, flagged=True), GeneratedImage(b"", 8, flagged=True))
    stage.backend.script = lambda spec, request: [Result(ImageResult(pictures, 8, 8, 25, 7.5))]
    message = await grid(stage, count=2)
    assert message.attachments == []
    assert button_rows(message)[2] == ["Re-roll", "Remix", "Parameters", "Delete"]


async def test_a_flagged_picture_is_not_shown_after_the_channel_loses_its_age_restriction(stage: Stage):
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    channel.nsfw = True

    def script(spec: object, request: object) -> list[Result]:
        drawing = drawn(cast(ImagineRequest, request))
        return [Result(replace(drawing, pictures=tuple(replace(p, flagged=True) for p in drawing.pictures)))]

    stage.backend.script = script
    message = await grid(stage)
    assert newest_request(stage).show_flagged
    [sheet] = message.attachments
    assert sheet.filename.startswith("SPOILER_")
    [one] = followup(await press(stage, message, "U1")).attachments
    assert one.filename.startswith("SPOILER_")
    channel.nsfw = False
    assert refusal(await press(stage, message, "U1")).startswith("The safety checker objects to this picture")
    await press(stage, message, "Re-roll")
    assert not newest_request(stage).show_flagged


async def test_a_long_wait_ends_with_a_notification_that_pings_only_the_owner(stage: Stage):
    stage.backend.script = lambda spec, request: []
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    await stage.env.advance_time(70)
    await stage.event(Result(drawn(ImagineRequest(prompt="a fox"))))
    [note] = result.followups
    assert note.content == f"<@{stage.alice.id}> Your picture is ready."
    sent = stage.env.http_requests[-1].json
    assert sent is not None
    assert sent["allowed_mentions"] == {"parse": [], "users": [stage.alice.id]}


async def test_a_short_wait_sends_no_notification(stage: Stage):
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert result.followups == []
