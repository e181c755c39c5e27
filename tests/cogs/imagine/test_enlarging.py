"""Enlarging: U of a grid, the button Enlarge, and what an enlarged picture still knows."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pytest
from PIL import Image

from inference import (
    Config,
    Event,
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelSpec,
    Request,
    UpscaleRequest,
    infotext,
)
from inference.config.models import ModelEntry
from tests.cogs.imagine.images import button_rows, file, grid, image_size, newest_request, press, restart
from tests.cogs.stage import Stage, followup, refusal
from tests.fakes import drawn, enlarged, plausible

_NO_MODEL = "As large as it was drawn: no model that enlarges is set up here."


def with_model(config: Config) -> Config:
    return config.model_copy(update={"models": {**config.models, "upscale": (ModelEntry(repo="org/sharp"),)}})


async def test_without_a_model_u_says_why_the_picture_is_not_larger(stage: Stage):
    one = followup(await press(stage, await grid(stage), "U2"))
    assert await image_size(one) == (64, 64)
    assert one.content.splitlines()[1] == _NO_MODEL
    assert button_rows(one) == [["Vary", "Edit"], ["Re-roll", "Remix", "Parameters", "Delete"]]


class TestWithAModel:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return with_model(config)

    async def test_u_shows_the_picture_enlarged(self, stage: Stage):
        message = await grid(stage)
        parts = drawn(newest_request(stage)).pictures
        one = followup(await press(stage, message, "U2"))
        request = stage.backend.requests[-1]
        assert isinstance(request, UpscaleRequest)
        assert Image.open(BytesIO(request.image)).tobytes() == Image.open(BytesIO(parts[1].png)).tobytes()
        assert await file(one) == enlarged(request).png
        assert one.content == (
            "> a fox\n-# 64 × 64, enlarged to 128 × 128 · 25 steps · DDIM · guidance 7.5 · seed 8\n"
            f"-# Picture 2 of {message.message.jump_url} · for <@{stage.alice.id}>"
        )
        assert button_rows(one) == [["Vary", "Edit"], ["Re-roll", "Remix", "Parameters", "Delete"]], (
            "it is enlarged already"
        )

    async def test_the_file_of_an_enlarged_picture_still_says_how_to_draw_it(self, stage: Stage):
        message = await grid(stage)
        expected = drawn(newest_request(stage)).pictures[2]
        found = infotext.read(await file(followup(await press(stage, message, "U3"))))
        assert found is not None
        assert drawn(found).pictures[0].png == expected.png

    async def test_the_buttons_of_an_enlarged_picture_work_on_the_request_that_drew_it(self, stage: Stage):
        one = followup(await press(stage, await grid(stage, advanced="Steps: 30"), "U2"))
        _, block, _ = refusal(await press(stage, one, "Parameters")).split("```")
        found = infotext.from_text(block.strip())
        assert (found.prompt, found.seed, found.steps, found.width) == ("a fox", 8, 30, 64)
        await press(stage, one, "Vary")
        assert (newest_request(stage).seed, newest_request(stage).steps) == (8, 30)
        assert len(newest_request(stage).variations) == 1

    async def test_a_single_picture_has_a_button_that_enlarges_it(self, stage: Stage):
        message = await grid(stage, count=1)
        assert button_rows(message) == [["Vary", "Edit", "Enlarge"], ["Re-roll", "Remix", "Parameters", "Delete"]]
        one = followup(await press(stage, message, "Enlarge"))
        request = stage.backend.requests[-1]
        assert isinstance(request, UpscaleRequest)
        assert request.image == await file(message)
        assert await file(one) == enlarged(request).png
        assert one.content.endswith(f"-# Enlarged from {message.message.jump_url} · for <@{stage.alice.id}>")
        assert "64 × 64, enlarged to 128 × 128" in one.content

    async def test_an_enlarged_picture_has_an_alt_text(self, stage: Stage):
        one = followup(await press(stage, await grid(stage), "U1"))
        assert one.attachments[0].description == 'Drawn by a machine from the words: "a fox"'

    @pytest.mark.parametrize("error", [InvalidRequest("This is too large."), GenerationFailed("The model failed.")])
    async def test_u_shows_the_picture_as_drawn_if_it_can_not_be_enlarged(self, stage: Stage, error: InferenceError):
        message = await grid(stage)
        fail_to_enlarge(stage, error)
        one = followup(await press(stage, message, "U2"))
        assert await image_size(one) == (64, 64)
        assert one.content.splitlines()[1] == error.user_message
        assert button_rows(one)[0] == ["Vary", "Edit", "Enlarge"]

    async def test_enlarge_says_why_it_failed(self, stage: Stage):
        message = await grid(stage, count=1)
        fail_to_enlarge(stage, InvalidRequest("This is too large."))
        assert "This is too large." in followup(await press(stage, message, "Enlarge")).content

    async def test_a_message_without_its_file_can_not_be_enlarged(self, stage: Stage):
        message = await grid(stage, count=1)
        await message.message.edit(attachments=[])
        assert "Discord did not hand over the file" in refusal(await press(stage, message, "Enlarge"))

    async def test_an_enlargement_goes_on_after_a_restart(self, stage: Stage, config: Config):
        message = await grid(stage)
        stage.backend.script = lambda spec, request: []
        await press(stage, message, "U2")
        stage.backend.script = plausible
        await restart(stage, config)
        await stage.env.settle()
        last = stage.channel.last_message
        assert last is not None
        [attachment] = last.attachments
        assert Image.open(BytesIO(await attachment.read())).size == (128, 128)
        assert "64 × 64, enlarged to 128 × 128" in last.content


def fail_to_enlarge(stage: Stage, error: InferenceError) -> None:
    """Let every enlargement fail with this error."""

    def script(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
        return [error] if isinstance(request, UpscaleRequest) else plausible(spec, request)

    stage.backend.script = script
