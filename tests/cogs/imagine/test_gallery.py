"""Several pictures in one message: a gallery with a file and an alt text for each, or a sheet."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from random import Random
from typing import cast

import discord
import pytest
from PIL import Image
from simcord import ResponseMessage

from cogs.client import Inkling
from cogs.common.job_record import JobRecord
from cogs.imagine.gallery import PicturesMessage
from inference import Caption, CaptionRequest, Config, ImagineRequest, Phrase, Result
from inference.images.decoding import encode_png
from tests.cogs.imagine.images import (
    button_rows,
    file,
    files,
    gallery,
    grid,
    image_size,
    newest_request,
    press,
    sheet,
    stored_count,
    text,
)
from tests.cogs.stage import Stage, first, followup, refusal
from tests.cogs.test_restart import kill, wait
from tests.fakes import drawn, plausible


def noise(size: int, seed: int) -> bytes:
    """Return a picture that no lossless format makes smaller."""
    return encode_png(Image.frombytes("RGB", (size, size), Random(seed).randbytes(3 * size * size)))


def draw(stage: Stage, *pngs: bytes) -> None:
    """Let the model draw these pictures."""

    def script(spec: object, request: object) -> list[Result]:
        result = drawn(cast(ImagineRequest, request))
        pictures = (replace(picture, png=png) for picture, png in zip(result.pictures, pngs, strict=True))
        return [Result(replace(result, pictures=tuple(pictures)))]

    stage.backend.script = script


def same_pixels(one: bytes, other: bytes) -> bool:
    pixels = [Image.open(BytesIO(data)).convert("RGB").tobytes() for data in (one, other)]
    return pixels[0] == pixels[1]


def types_of(message: ResponseMessage) -> list[int]:
    return [component["type"] for component in message.components]


async def test_several_pictures_are_a_gallery_between_text_and_buttons(stage: Stage):
    message = await grid(stage)
    assert message.flags.components_v2
    assert message.content == ""
    assert types_of(message) == [10, 12, 1, 1, 1]
    names = ["inkling-7-1.png", "inkling-8-2.png", "inkling-9-3.png", "inkling-10-4.png"]
    pictures = drawn(newest_request(stage)).pictures
    assert await files(message) == {name: each.png for name, each in zip(names, pictures, strict=True)}


async def test_a_single_picture_stays_a_plain_message(stage: Stage):
    message = await grid(stage, count=1)
    assert not message.flags.components_v2
    assert [file.filename for file in message.attachments] == ["inkling-7.png"]


async def test_each_picture_has_an_alt_text_of_its_own(stage: Stage, config: Config):
    stage.backend.in_memory.add(config.specs("caption")[0].name)
    seen = iter(("a cat", "a dog"))
    stage.backend.script = lambda spec, request: (
        [Result(Caption(next(seen)))] if isinstance(request, CaptionRequest) else plausible(spec, request)
    )
    message = await grid(stage, count=2, prompt="pets")
    assert [item["description"] for item in gallery(message)] == [
        'Picture 1 of 2. Machine-made description: a cat. Drawn from the words: "pets"',
        'Picture 2 of 2. Machine-made description: a dog. Drawn from the words: "pets"',
    ]


async def test_the_longest_alt_text_keeps_to_the_limit_of_discord(stage: Stage):
    message = await grid(stage, count=2, prompt="x" * 1500)
    assert [len(item["description"]) for item in gallery(message)] == [1024, 1024]


async def test_the_progress_before_it_is_a_plain_message(stage: Stage):
    stage.backend.script = lambda spec, request: []
    message = await grid(stage)
    await stage.env.advance_time(1)
    assert not message.flags.components_v2
    await stage.event(Result(drawn(newest_request(stage))))
    assert message.flags.components_v2
    assert button_rows(message)[0] == ["U1", "U2", "U3", "U4"]


async def test_variations_of_one_seed_have_files_of_different_names(stage: Stage):
    varied = followup(await press(stage, await grid(stage), "V2"))
    assert list(await files(varied)) == [f"inkling-8-{number}.png" for number in (1, 2, 3, 4)]
    one = followup(await press(stage, varied, "U3"))
    assert await file(one) == drawn(newest_request(stage)).pictures[2].png


async def test_pictures_that_are_too_large_together_are_lossless_webp(stage: Stage):
    pngs = [noise(64, seed) + bytes(9_000_000) for seed in (1, 2, 3)]
    draw(stage, *pngs)
    message = await grid(stage, count=3)
    shown = await files(message)
    assert list(shown) == ["inkling-7-1.webp", "inkling-8-2.webp", "inkling-9-3.webp"]
    assert same_pixels(shown["inkling-8-2.webp"], pngs[1])
    assert text(message).splitlines()[-1].startswith("-# These pictures are lossless WebP, since the PNGs together")
    one = followup(await press(stage, message, "U2"))
    assert list(await files(one)) == ["inkling-8.png"]
    assert same_pixels(await file(one), pngs[1])
    assert len(stage.backend.requests) == 1, "nothing is drawn anew"


async def test_pictures_that_no_lossless_format_makes_small_enough_are_no_gallery():
    result = drawn(ImagineRequest(prompt="a fox", count=2))
    pictures = tuple(replace(picture, png=noise(64, picture.seed)) for picture in result.pictures)
    shown = PicturesMessage("", ImagineRequest(prompt="a fox"), replace(result, pictures=pictures), ["", ""])
    assert await shown.gallery(limit=20_000) is None
    gallery = await shown.gallery(limit=60_000)
    assert gallery is not None
    assert gallery.gallery


async def test_a_text_that_is_too_long_for_a_gallery_is_shown_whole_with_a_sheet(stage: Stage):
    note = Phrase(" ".join(f"word{number}" for number in range(600)))
    stage.backend.script = lambda spec, request: [Result(replace(drawn(cast(ImagineRequest, request)), note=note))]
    message = await grid(stage)
    assert not message.flags.components_v2
    assert await image_size(message) == (128, 128)
    assert "word599" in "".join(shown.content for shown in stage.channel.history())


async def test_a_gallery_that_discord_refuses_becomes_a_sheet(stage: Stage):
    message = await sheet(stage)
    assert not message.flags.components_v2
    assert [file.filename for file in message.attachments] == ["inkling-7.png"]
    assert await image_size(message) == (128, 128)
    assert button_rows(message)[0] == ["U1", "U2", "U3", "U4"]
    assert message.content.startswith("> a fox\n")
    assert await stored_count(stage) == 1


async def test_a_flagged_picture_is_covered_and_the_others_are_not(stage: Stage):
    def script(spec: object, request: object) -> list[Result]:
        result = drawn(cast(ImagineRequest, request))
        one, *others = result.pictures
        return [Result(replace(result, pictures=(replace(one, flagged=True), *others)))]

    stage.backend.script = script
    channel = cast(discord.TextChannel, stage.bot.get_channel(stage.channel.id))
    channel.nsfw = True
    message = await grid(stage, count=3)
    assert [item["spoiler"] for item in gallery(message)] == [True, False, False]
    one = followup(await press(stage, message, "U1"))
    [cut] = one.attachments
    assert cut.is_spoiler()
    assert await cut.read() == drawn(newest_request(stage)).pictures[0].png


async def test_a_gallery_is_edited_with_the_bots_own_token_once_that_of_the_interaction_is_dead(stage: Stage):
    stage.backend.script = lambda spec, request: []
    message = await grid(stage)
    await stage.env.advance_time(1000)
    await stage.event(Result(drawn(newest_request(stage))))
    assert message.flags.components_v2
    assert len(gallery(message)) == 4
    edit = next(sent for sent in reversed(stage.env.http_requests) if sent.method == "PATCH")
    assert edit.path.startswith("/channels/")


async def test_a_drawing_that_was_killed_after_its_gallery_was_shown_ends_without_an_error(
    stage: Stage, config: Config, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patched:
        patched.setattr(JobRecord, "end", _do_not_end)
        message = await grid(stage)
    before = gallery(message)
    assert len(await cast(Inkling, stage.bot).store.jobs.open_jobs()) == 1
    stage.backend.script = wait
    await kill(stage, config)
    await stage.env.advance_time(1)
    assert gallery(message) == before, "Discord refuses to show progress instead"
    await stage.event(Result(drawn(newest_request(stage))))
    assert len(gallery(message)) == len(before) == 4
    assert button_rows(message)[0] == ["U1", "U2", "U3", "U4"]
    assert len(stage.channel.history()) == 1
    assert await stored_count(stage) == 1
    assert len(await cast(Inkling, stage.bot).store.jobs.open_jobs()) == 0


async def _do_not_end(record: JobRecord, *, goes_on: bool) -> None:
    pass


async def test_a_private_gallery_is_ephemeral(stage: Stage):
    settings = cast(Inkling, stage.bot).store.settings
    await settings.people.change(stage.alice.id, lambda person: replace(person, private=True))
    message = await grid(stage)
    assert message.ephemeral
    assert message.flags.components_v2
    one = followup(await press(stage, message, "U2"))
    assert one.ephemeral


async def test_a_picture_whose_file_discord_does_not_hand_over_is_refused_in_private(stage: Stage):
    message = await grid(stage)
    stage.env.backend.cdn._blobs.clear()  # pyright: ignore[reportPrivateUsage]
    assert refusal(await press(stage, message, "U1")).startswith("Discord did not hand over the file of this picture")


async def test_the_menus_read_the_pictures_of_a_gallery(stage: Stage, config: Config):
    message = await grid(stage, count=2)
    result = await stage.bob.context_menu(stage.channel, "Caption image", message.message)
    captioned = [request.image for request in stage.backend.requests if isinstance(request, CaptionRequest)]
    assert captioned == list((await files(message)).values())
    assert first(result).content
    form = (await stage.bob.context_menu(stage.channel, "Remix image", message.message)).modal
    assert form is not None
    assert form["components"][0]["component"]["value"] == "a fox"


@pytest.mark.parametrize("label", ["U1", "Re-roll", "Remix", "Parameters"])
async def test_buttons_below_a_gallery_are_for_its_owner(stage: Stage, label: str):
    assert refusal(await press(stage, await grid(stage), label, stage.bob)).startswith("Only the person who asked")
