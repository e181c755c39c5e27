"""The buttons below a drawing: the grid, one picture of it, variations, another try, remix, parameters, delete."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import cast

import discord
import pytest
from PIL import Image
from simcord import InteractionResult, MemberActor, ResponseMessage

from bot import create_bot
from cogs.client import Inkling
from inference import Config, Drawing, ImagineRequest, Picture, Result, Variation, parameters
from tests.cogs.stage import PatientEngine, Stage, first, refusal
from tests.fakes import PNG, FakeBackend, drawn


async def grid(stage: Stage, count: int = 4, **options: object) -> ResponseMessage:
    options = {"prompt": "a fox", "seed": 7} | options
    return first(await stage.alice.slash(stage.channel, "imagine", count=count, **options))


async def press(
    stage: Stage, message: ResponseMessage, label: str, who: MemberActor | None = None
) -> InteractionResult:
    return await (who or stage.alice).click(message.message, label=label)


def rows(message: ResponseMessage) -> list[list[str]]:
    """Labels, in brackets where they can't be pressed."""
    return [
        [f"({b['label']})" if b.get("disabled") else b["label"] for b in row["components"]]
        for row in message.components
    ]


async def file(message: ResponseMessage) -> bytes:
    [attachment] = message.attachments
    return await attachment.read()


async def size(message: ResponseMessage) -> tuple[int, int]:
    return Image.open(BytesIO(await file(message))).size


def newest(stage: Stage) -> ImagineRequest:
    request = stage.backend.requests[-1]
    assert isinstance(request, ImagineRequest)
    return request


async def kept(stage: Stage) -> int:
    """How many drawings there are in the store."""
    rows = await cast(Inkling, stage.bot).store.read("SELECT * FROM drawings")
    return len(rows)


async def restart(stage: Stage, config: Config) -> None:
    """Another bot, on the same data."""
    engine = PatientEngine(config, stage.backend)
    engine.env = stage.env
    await stage.bot.close()
    await stage.env.restart_bot(create_bot(config, engine))


async def test_several_pictures_come_as_one_with_buttons_for_each(stage: Stage):
    message = await grid(stage)
    assert await size(message) == (128, 128)
    assert rows(message) == [
        ["U1", "U2", "U3", "U4"],
        ["V1", "V2", "V3", "V4"],
        ["Re-roll", "Remix", "Parameters", "Delete"],
    ]
    assert message.content == "> a fox\n-# 64 × 64 · 25 steps · DDIM · guidance 7.5 · seeds 7 to 10"


async def test_a_single_picture_has_one_row_of_buttons(stage: Stage):
    assert rows(await grid(stage, count=1)) == [["Vary", "Re-roll", "Remix", "Parameters", "Delete"]]


class TestTenPictures:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"limits": config.limits.model_copy(update={"pictures": 10})})

    async def test_fit_below_one_message(self, stage: Stage):
        message = await grid(stage, count=10)
        assert [len(row) for row in rows(message)] == [5, 5, 5, 5, 4]
        assert await file(first(await press(stage, message, "U10"))) == drawn(newest(stage)).pictures[9].png


async def test_one_picture_is_cut_out_to_the_byte_and_tells_where_it_is_from(stage: Stage):
    message = await grid(stage)
    one = first(await press(stage, message, "U2"))
    assert await file(one) == drawn(newest(stage)).pictures[1].png
    assert len(stage.backend.requests) == 1, "nothing is drawn anew"
    assert one.content.endswith(f"· seed 8\n-# Picture 2 of {message.message.jump_url}")
    assert rows(one) == [["Vary", "Re-roll", "Remix", "Parameters", "Delete"]]


async def test_its_file_repeats_it(stage: Stage):
    one = first(await press(stage, await grid(stage), "U3"))
    request = parameters.read(await file(one))
    assert request is not None
    assert drawn(request).pictures[0].png == await file(one)


async def test_variations_start_near_their_parent(stage: Stage):
    message = await grid(stage, negative="fog", steps=30)
    varied = first(await press(stage, message, "V2"))
    request = newest(stage)
    assert (request.prompt, request.negative_prompt, request.steps, request.count) == ("a fox", "fog", 30, 4)
    assert request.seed == 8
    [turn] = request.variations
    assert turn.strength == 0.2
    assert await size(varied) == (128, 128)
    assert varied.content.endswith(f"\n-# Variations of picture 2 of {message.message.jump_url}")


async def test_a_variation_of_a_variation_takes_one_more_turn(stage: Stage):
    one = first(await press(stage, first(await press(stage, await grid(stage), "V1")), "U3"))
    before = newest(stage)
    await press(stage, one, "Vary")
    assert newest(stage).variations[0] == Variation(before.variations[0].seed + 2, 0.2)
    assert len(newest(stage).variations) == 2
    assert newest(stage).seed == 7


async def test_another_try_has_another_seed_and_all_else_the_same(stage: Stage):
    message = await grid(stage, steps=30)
    before = newest(stage)
    again = first(await press(stage, message, "Re-roll"))
    assert newest(stage).seed != before.seed
    assert replace(newest(stage), seed=before.seed) == before
    assert f"Another try at {message.message.jump_url}" in again.content


async def test_another_try_at_variations_varies_the_same_picture(stage: Stage):
    message = first(await press(stage, await grid(stage), "V2"))
    before = newest(stage)
    await press(stage, message, "Re-roll")
    assert newest(stage).seed == before.seed
    assert newest(stage).variations != before.variations


async def test_remix_is_a_form_with_all_that_was_used(stage: Stage):
    message = await grid(stage, negative="fog")
    form = (await press(stage, message, "Remix")).modal
    assert form is not None
    fields = {field["component"]["custom_id"]: field["component"]["value"] for field in form["components"]}
    assert fields == {
        "prompt": "a fox",
        "negative": "fog",
        "seed": "7",
        "settings": "Steps: 25, Sampler: DDIM, CFG scale: 7.5, Size: 64x64, Model: stable-diffusion-v1-4",
    }


async def remixed(stage: Stage, message: ResponseMessage, **changed: str) -> InteractionResult:
    form = await press(stage, message, "Remix")
    fields = {"prompt": "a fox", "negative": "", "seed": "7", "settings": "Steps: 25, Sampler: DDIM, CFG scale: 7.5"}
    return await stage.alice.submit_modal(form, fields | changed)


async def test_a_remix_says_what_changed(stage: Stage):
    message = await grid(stage, steps=25)
    settings = "steps: 30, Sampler: euler a, CFG scale: 7.5, Size: 512x768, Model: stable-diffusion-v1-4"
    result = await remixed(stage, message, prompt="a red fox at night", seed="9", settings=settings)
    request = newest(stage)
    assert (request.prompt, request.seed, request.steps, request.sampler) == ("a red fox at night", 9, 30, "Euler a")
    assert (request.width, request.height, request.count) == (512, 768, 4)
    assert first(result).content.endswith(
        f"\n-# Remix of {message.message.jump_url}: steps 25 → 30 · sampler DDIM → Euler a · size 64 × 64 → 512 × 768"
        ' · seed 7 → 9 · prompt +"red" +"at night"'
    )


async def test_of_a_prompt_that_is_all_new_only_a_few_passages_are_shown(stage: Stage):
    prompt = " ".join(f"{number} a fox" for number in range(40))
    result = await remixed(stage, await grid(stage), prompt=prompt, settings="Size: 64x64")
    assert 'prompt +"0" +"1 a fox 2 a fox' in first(result).content
    assert len(first(result).content) < 800


async def test_a_picture_to_start_from_goes_along_across_a_restart(stage: Stage, config: Config):
    message = await grid(stage, image=("start.png", PNG), strength=0.5)
    await restart(stage, config)
    await press(stage, message, "Re-roll")
    assert (newest(stage).image, newest(stage).strength) == (PNG, 0.5)
    await press(stage, message, "V2")
    assert (newest(stage).image, newest(stage).strength) == (PNG, 0.5)
    result = await remixed(stage, message, strength="0,75", settings="Size: 64x64, Steps: 25, Sampler: DDIM")
    assert (newest(stage).image, newest(stage).strength) == (PNG, 0.75)
    assert "strength 0.5 → 0.75" in first(result).content
    assert "strength 0.75 · seed" in first(result).content


async def test_what_a_remix_leaves_out_is_up_to_the_model(stage: Stage):
    result = await remixed(stage, await grid(stage, steps=30), seed="", settings="")
    assert (newest(stage).steps, newest(stage).sampler, newest(stage).width) == (0, None, 0)
    assert "steps 30 → the model's own" in first(result).content
    assert "seed 7 → a new one" in first(result).content


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"settings": "Stops: 30"}, "I don't understand 'Stops: 30' in the settings. They are Steps, Sampler, "),
        ({"settings": "Steps: many"}, "The steps must be a whole number, not 'many'."),
        ({"settings": "Steps: 3000"}, "The steps must be between 1 and 100, not 3,000."),
        ({"settings": "Sampler: Oil"}, "There is no sampler 'Oil'. There is: DPM++ 2M Karras, "),
        ({"settings": "Size: large"}, "The size must look like 512x768, not 'large'."),
        ({"settings": "CFG scale: high"}, "The CFG scale must be a number, not 'high'."),
        ({"settings": "Model: oil"}, "There is no model 'oil' for /imagine."),
        ({"seed": "minus 1"}, "The seed must be a whole number, not 'minus 1'."),
        ({"seed": "4294967296"}, "The seed must be a whole number from 0 to 4294967295."),
    ],
)
async def test_a_remix_that_can_not_be_drawn_is_refused_in_private(stage: Stage, changed: dict[str, str], said: str):
    result = await remixed(stage, await grid(stage), **changed)
    assert refusal(result).startswith(said)
    assert len(stage.backend.requests) == 1


async def test_parameters_are_for_the_owners_eyes_and_repeat_the_drawing(stage: Stage):
    said = refusal(await press(stage, await grid(stage), "Parameters"))
    _, block, seeds = said.split("```")
    assert drawn(parameters.from_text(block.strip())).pictures[0].png == drawn(newest(stage)).pictures[0].png
    assert seeds.strip().splitlines() == [f"-# Picture {i + 1}: seed {7 + i}" for i in range(4)]


async def test_parameters_that_would_break_out_of_their_block_come_as_a_file_too(stage: Stage):
    result = await press(stage, await grid(stage, count=1, prompt="``` @everyone"), "Parameters")
    assert first(result).content.count("```") == 2
    assert parameters.from_text((await file(first(result))).decode()).prompt == "``` @everyone"


async def test_delete_takes_the_message_and_all_that_was_kept(stage: Stage):
    message = await grid(stage)
    assert await kept(stage) == 1
    await press(stage, message, "Delete")
    assert stage.channel.history() == []
    assert await kept(stage) == 0


async def test_a_deletion_that_discord_refuses_leaves_the_picture_and_is_told_in_private(stage: Stage):
    message = await grid(stage)
    stage.env.inject_error("DELETE", "/webhooks/*/messages/@original", status=403, code=50001)
    result = await press(stage, message, "Delete")
    [told] = result.followups
    assert told.ephemeral
    assert told.content.startswith("I lack a permission in this channel.")
    assert [shown.content for shown in stage.channel.history()] == [message.content]
    assert await kept(stage) == 1


async def test_what_is_kept_goes_with_a_message_that_somebody_else_deletes(stage: Stage):
    message = await grid(stage)
    await message.message.delete()
    await stage.env.settle()
    assert await kept(stage) == 0


async def test_the_whole_way_works_across_a_restart(stage: Stage, config: Config):
    message = await grid(stage)
    await restart(stage, config)
    varied = first(await press(stage, message, "V2"))
    await restart(stage, config)
    one = first(await press(stage, varied, "U1"))
    assert await file(one) == drawn(newest(stage)).pictures[0].png
    await restart(stage, config)
    settings = "Steps: 30, Sampler: DDIM, CFG scale: 7.5, Size: 512x512"
    remix = first(await remixed(stage, one, prompt="a hare", seed="8", settings=settings))
    assert await size(remix) == (64, 64)
    await restart(stage, config)
    await press(stage, message, "Delete")
    assert len(stage.channel.history()) == 3


@pytest.mark.parametrize("label", ["U1", "V1", "Re-roll", "Remix", "Parameters", "Delete"])
async def test_a_stranger_may_press_nothing(stage: Stage, label: str):
    message = await grid(stage)
    result = await press(stage, message, label, stage.bob)
    assert refusal(result) == "Only the person who asked for this can use its buttons. Draw your own with /imagine."
    assert result.modal is None
    assert len(stage.channel.history()) == 1
    assert len(stage.backend.requests) == 1


@pytest.mark.parametrize("label", ["U1", "V1", "Re-roll", "Remix", "Parameters", "Delete"])
async def test_buttons_whose_drawing_is_forgotten_say_so(stage: Stage, label: str):
    message = await grid(stage)
    await cast(Inkling, stage.bot).store.drawings.forget_messages([message.id])
    assert refusal(await press(stage, message, label)).startswith("I no longer know how this was drawn")


async def test_a_picture_whose_file_is_gone_says_so_and_what_to_do(stage: Stage):
    message = await grid(stage)
    await message.message.edit(attachments=[])
    result = await press(stage, message, "U1")
    assert refusal(result).startswith("The file of this picture is no longer there")
    assert "Re-roll or Remix" in refusal(result)


async def test_a_file_that_discord_does_not_hand_over_is_told_in_private(stage: Stage):
    message = await grid(stage)
    stage.env.backend.cdn._blobs.clear()  # pyright: ignore[reportPrivateUsage]
    result = await press(stage, message, "U1")
    assert refusal(result).startswith("The file of this picture is no longer there")
    assert len(stage.channel.history()) == 1


async def test_a_sheet_that_lost_something_on_the_way_is_not_cut_but_drawn_anew(stage: Stage, backend: FakeBackend):
    message = await grid(stage)
    png = await file(message)
    await message.message.edit(attachments=[discord.File(BytesIO(png), "inkling-7.webp")])
    one = first(await press(stage, message, "U2"))
    assert (newest(stage).seed, newest(stage).count) == (8, 1)
    assert await file(one) == drawn(newest(stage)).pictures[0].png


async def test_a_picture_that_was_held_back_leaves_a_gap_and_can_not_be_chosen(stage: Stage):
    def script(spec: object, request: object) -> list[Result]:
        drawing = drawn(cast(ImagineRequest, request))
        first, *others = drawing.pictures
        return [Result(replace(drawing, pictures=(replace(first, png=b"", flagged=True), *others)))]

    stage.backend.script = script
    message = await grid(stage)
    assert rows(message)[:2] == [["(U1)", "U2", "U3", "U4"], ["(V1)", "V2", "V3", "V4"]]
    assert Image.open(BytesIO(await file(message))).getpixel((0, 0)) == (0, 0, 0, 0)
    assert "The safety checker held back 1 of 4." in message.content
    stage.backend.script = FakeBackend().script
    assert await file(first(await press(stage, message, "U2"))) == drawn(newest(stage)).pictures[1].png


async def test_when_all_are_held_back_there_is_no_picture_but_a_way_on(stage: Stage):
    pictures = (Picture(b"", 7, flagged=True), Picture(b"", 8, flagged=True))
    stage.backend.script = lambda spec, request: [Result(Drawing(pictures, 8, 8, 25, 7.5))]
    message = await grid(stage, count=2)
    assert message.attachments == []
    assert rows(message)[2] == ["Re-roll", "Remix", "Parameters", "Delete"]


async def test_a_picture_that_was_shown_under_a_cover_is_not_shown_once_the_channel_is_open_to_all(stage: Stage):
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    channel.nsfw = True

    def script(spec: object, request: object) -> list[Result]:
        drawing = drawn(cast(ImagineRequest, request))
        return [Result(replace(drawing, pictures=tuple(replace(p, flagged=True) for p in drawing.pictures)))]

    stage.backend.script = script
    message = await grid(stage)
    assert newest(stage).show_flagged
    [sheet] = message.attachments
    assert sheet.filename.startswith("SPOILER_")
    [one] = first(await press(stage, message, "U1")).attachments
    assert one.filename.startswith("SPOILER_")
    channel.nsfw = False
    assert refusal(await press(stage, message, "U1")).startswith("The safety checker objects to this picture")
    await press(stage, message, "Re-roll")
    assert not newest(stage).show_flagged


async def test_each_press_is_a_job_and_failures_end_in_a_sentence(stage: Stage):
    message = await grid(stage)
    stage.env.inject_error("PATCH", "/webhooks/*/messages/@original", status=500)
    result = await press(stage, message, "U1")
    assert "Discord did not" in " ".join(m.content for m in (result.response, *result.followups) if m)
    assert await kept(stage) == 1


async def test_a_drawing_whose_message_went_before_it_was_done_is_not_kept(stage: Stage):
    stage.backend.script = lambda spec, request: []
    message = await grid(stage)
    await message.message.delete()
    await stage.event(Result(drawn(newest(stage))))
    assert await kept(stage) == 0


async def test_buttons_take_no_memory(stage: Stage):
    await press(stage, await grid(stage), "U1")
    assert stage.bot.persistent_views == []


async def test_who_waited_for_long_is_told_by_a_message_that_may_ping_them_alone(stage: Stage):
    stage.backend.script = lambda spec, request: []
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    await stage.env.advance_time(70)
    await stage.event(Result(drawn(ImagineRequest(prompt="a fox"))))
    [note] = result.followups
    assert note.content == f"<@{stage.alice.id}> Your picture is ready."
    sent = stage.env.http_requests[-1].json
    assert sent is not None
    assert sent["allowed_mentions"] == {"parse": [], "users": [stage.alice.id]}


async def test_who_waited_shortly_is_not(stage: Stage):
    result = await stage.alice.slash(stage.channel, "imagine", prompt="a fox")
    assert result.followups == []
