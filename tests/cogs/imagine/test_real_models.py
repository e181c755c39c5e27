"""/imagine from the slash command to the picture, on real models of a few thousand random weights."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path
from typing import Any

import discord
import numpy as np
import pytest
from diffusers import StableDiffusionPipeline
from PIL import Image
from simcord import ResponseMessage

from inference import SAMPLERS, Config, Engine, create_backend
from inference.config.models import ModelEntry
from inference.images.decoding import encode_png
from tests.cogs.imagine.images import button_rows, file, press
from tests.cogs.stage import Stage, first, followup, refusal
from tests.fakes import model_lists
from tests.inference.pipelines.text_to_image.test_init_image import half_mask, noisy
from tests.inference.pipelines.text_to_image.test_lora import save_lora
from tests.inference.pipelines.tiny_dalle import save_dalle_mini
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl, save_vit_gpt2

PICTURE = noisy(32, 32)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model of each kind and a folder of LoRA files."""
    folder = tmp_path_factory.mktemp("models")
    save_stable_diffusion(folder / "sd")
    save_stable_diffusion(folder / "flagging", flags_everything=True)
    save_stable_diffusion_xl(folder / "sdxl")
    save_dalle_mini(folder / "dalle-mini")
    save_vit_gpt2(folder / "caption-model")
    (folder / "loras").mkdir()
    save_lora(StableDiffusionPipeline.from_pretrained(folder / "sd"), folder / "loras", "ink")
    return folder


@pytest.fixture
def config(config: Config, models: Path) -> Config:
    def listed(*names: str) -> tuple[ModelEntry, ...]:
        return tuple(ModelEntry(repo=str(models / name), device=("cpu",), dtype="float32") for name in names)

    model_settings = model_lists(
        imagine=listed("sd", "flagging", "sdxl", "dalle-mini"), caption=listed("caption-model")
    )
    safety = config.safety.model_copy(update={"unchecked": "everywhere"})
    return config.model_copy(update={"models": model_settings, "loras": models / "loras", "safety": safety})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def drawn(stage: Stage, advanced: str = "", **options: Any) -> ResponseMessage:
    options = {"prompt": "a cat", "seed": 5, "advanced": f"Steps: 2, {advanced}"} | options
    return first(await stage.alice.slash(stage.channel, "imagine", **options))


async def pixels(message: ResponseMessage) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(await file(message))))


def attached(picture: Image.Image) -> tuple[str, bytes]:
    return "picture.png", encode_png(picture)


async def test_a_picture_can_be_drawn_from_a_picture_and_within_a_mask(stage: Stage):
    remix = await drawn(stage, image=attached(PICTURE), strength=0.5)
    assert "32 × 32 · 2 steps · DPM++ 2M Karras · guidance 7.5 · strength 0.5" in remix.content
    masked = await pixels(await drawn(stage, image=attached(PICTURE), mask=attached(half_mask(32, 32))))
    assert np.array_equal(masked[:, 16:], np.asarray(PICTURE)[:, 16:])
    assert not np.array_equal(masked[:, :8], np.asarray(PICTURE)[:, :8])


async def test_a_region_is_drawn_after_the_confirmation(stage: Stage):
    asked = await drawn(stage, image=attached(PICTURE), region="left half")
    result = await stage.alice.click(asked.message, label="Draw")
    [message] = result.followups
    assert "region left half" in message.content
    assert np.array_equal((await pixels(message))[:, 16:], np.asarray(PICTURE)[:, 16:])


async def test_every_sampler_draws_a_different_picture_or_says_why_not(stage: Stage):
    shown = [await drawn(stage, advanced=f"Sampler: {name}") for name in SAMPLERS if name != "LCM"]
    assert len({await file(message) for message in shown}) == len(SAMPLERS) - 1
    refused = await stage.alice.slash(stage.channel, "imagine", prompt="a cat", advanced="Sampler: LCM")
    assert "LCM" in refusal(refused)


async def test_weights_and_long_prompts_change_the_picture_without_a_note(stage: Stage):
    plain, weighted = await drawn(stage, prompt="a red cat"), await drawn(stage, prompt="a (red:1.6) cat")
    long = await drawn(stage, prompt="a red cat " + "x" * 200)
    assert len({await file(message) for message in (plain, weighted, long)}) == 3
    assert "did not read" not in long.content


@pytest.mark.parametrize("model", ["sdxl", "dalle-mini"])
async def test_other_models_use_the_same_command_and_repeat_pictures_exactly(stage: Stage, model: str):
    message = await drawn(stage, model=model)
    assert "This model has no safety checker." in message.content
    again = await stage.alice.slash(stage.channel, "imagine", image=("dropped.png", await file(message)))
    assert await file(first(again)) == await file(message)


async def test_a_lora_changes_the_picture_and_is_named(stage: Stage):
    message = await drawn(stage, advanced="Lora: ink")
    assert "LoRA ink" in message.content
    assert await file(message) != await file(await drawn(stage))


async def test_flagged_pictures_are_shown_as_spoilers_only_in_age_restricted_channels(stage: Stage):
    hidden = await drawn(stage, model="flagging")
    assert not hidden.attachments
    assert "The safety checker held back 1 of 1." in hidden.content
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True
    [covered] = (await drawn(stage, model="flagging")).attachments
    assert covered.is_spoiler()


async def test_alt_texts_use_the_caption_model_only_if_it_is_loaded(stage: Stage):
    [before] = (await drawn(stage)).attachments
    await stage.alice.slash(stage.channel, "caption", image=attached(PICTURE))
    [after] = (await drawn(stage)).attachments
    assert (before.description or "").startswith("Drawn by a machine")
    assert (after.description or "").startswith("Machine-made description")


async def test_each_alternative_is_drawn_in_its_own_message(stage: Stage):
    asked = await drawn(stage, prompt="a {red,blue} cat")
    result = await stage.alice.click(asked.message, label="Draw 2")
    assert {message.content.splitlines()[0] for message in result.followups} == {"> a red cat", "> a blue cat"}


async def test_a_picture_is_zoomed_out_and_its_old_part_stays_the_same(stage: Stage):
    message = await drawn(stage)
    zoomed = await pixels(followup(await press(stage, message, "Zoom out 2x")))
    assert zoomed.shape == (32, 32, 3)
    assert np.array_equal(zoomed[8:24, 8:24], await pixels(message))


async def test_a_model_that_can_not_inpaint_has_no_button_for_it(stage: Stage):
    assert len(button_rows(await drawn(stage, model="dalle-mini"))) == 2
