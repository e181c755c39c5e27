"""/upscale."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference import Config, UpscaleRequest
from inference.config.models import ModelEntry
from tests.cogs.imagine.images import restart
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import PNG, enlarged, plausible


async def test_without_a_model_it_says_what_to_set_up(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "upscale", image=("cat.png", PNG)))
    assert said.startswith("No model is set up for /upscale.")


class TestWithAModel:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"models": {**config.models, "upscale": (ModelEntry(repo="org/sharp"),)}})

    async def test_a_picture_is_enlarged(self, stage: Stage):
        message = first(await stage.alice.slash(stage.channel, "upscale", image=("my cat.png", PNG)))
        wanted = UpscaleRequest(image=PNG, model="sharp", owner=str(stage.alice.id), mark_origin=True)
        assert stage.backend.requests == [wanted]
        [attachment] = message.attachments
        assert await attachment.read() == enlarged(wanted).png
        assert message.content == "-# 1 × 1 → 2 × 2"
        assert attachment.filename.endswith("-2x2.png")
        assert attachment.description == "An enlarged picture"

    async def test_a_text_named_png_is_refused_in_a_sentence(self, stage: Stage):
        result = await stage.alice.slash(stage.channel, "upscale", image=("cat.png", b"I am a text"))
        assert "picture" in refusal(result)
        assert not stage.backend.requests

    async def test_it_goes_on_after_a_restart(self, stage: Stage, config: Config):
        stage.backend.script = lambda spec, request: []
        await stage.alice.slash(stage.channel, "upscale", image=("cat.png", PNG))
        stage.backend.script = plausible
        await restart(stage, config)
        await stage.env.settle()
        last = stage.channel.last_message
        assert last is not None
        [attachment] = last.attachments
        assert Image.open(BytesIO(await attachment.read())).size == (2, 2)
