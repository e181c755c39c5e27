"""Remix: the form, the values it accepts, and the summary of the changes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from cogs.client import Inkling
from inference import Config
from tests.cogs.imagine.images import grid, newest_request, press, restart, submit_remix, text
from tests.cogs.stage import Stage, first, refusal
from tests.fakes import PNG


async def test_remix_opens_a_form_with_the_settings_of_the_image(stage: Stage):
    message = await grid(stage, negative="fog")
    form = (await press(stage, message, "Remix")).modal
    assert form is not None
    fields = {field["component"]["custom_id"]: field["component"].get("value", "") for field in form["components"]}
    assert fields == {
        "prompt": "a fox",
        "negative": "fog",
        "seed": "",
        "settings": "Steps: 25, Sampler: DDIM, CFG scale: 7.5, Size: 64x64, Model: stable-diffusion-v1-4",
    }


async def test_a_remix_says_what_changed(stage: Stage):
    message = await grid(stage, advanced="Steps: 25")
    settings = "steps: 30, Sampler: euler a, CFG scale: 7.5, Size: 512x768, Model: stable-diffusion-v1-4"
    result = await submit_remix(stage, message, prompt="a red fox at night", seed="9", settings=settings)
    request = newest_request(stage)
    assert (request.prompt, request.seed, request.steps, request.sampler) == ("a red fox at night", 9, 30, "Euler a")
    assert (request.width, request.height, request.count) == (512, 768, 4)
    said = text(first(result)).splitlines()[-1]
    assert f"Remix of {message.message.jump_url}" in said
    assert (
        'steps 25 → 30 · sampler DDIM → Euler a · size 64 × 64 → 512 × 768 · seed 7 → 9 · prompt +"red" +"at night"'
    ) in said


async def test_only_the_beginning_of_a_completely_new_prompt_is_shown(stage: Stage):
    prompt = " ".join(f"{number} a fox" for number in range(40))
    result = await submit_remix(stage, await grid(stage), prompt=prompt, settings="Size: 64x64")
    assert 'prompt +"0 a fox 1 a fox' in text(first(result))
    assert len(text(first(result))) < 800


async def test_the_init_image_is_used_again_after_a_restart(stage: Stage, config: Config):
    message = await grid(stage, image=("start.png", PNG), strength=0.5)
    await restart(stage, config)
    await press(stage, message, "Re-roll")
    assert (newest_request(stage).image, newest_request(stage).strength) == (PNG, 0.5)
    await press(stage, message, "V2")
    assert (newest_request(stage).image, newest_request(stage).strength) == (PNG, 0.5)
    result = await submit_remix(stage, message, strength="0,75", settings="Size: 64x64, Steps: 25, Sampler: DDIM")
    assert (newest_request(stage).image, newest_request(stage).strength) == (PNG, 0.75)
    assert "strength 0.5 → 0.75" in text(first(result))
    assert "strength 0.75 · seed" in text(first(result))


async def test_missing_settings_of_a_remix_stay_and_an_empty_seed_means_a_new_seed(stage: Stage):
    result = await submit_remix(stage, await grid(stage, advanced="Steps: 30"), seed="", settings="CFG scale: 5")
    assert (newest_request(stage).steps, newest_request(stage).sampler, newest_request(stage).width) == (30, "DDIM", 64)
    assert "-# guidance 7.5 → 5 · Remix of" in text(first(result))


async def test_a_refusal_repeats_what_was_typed(stage: Stage):
    result = await submit_remix(
        stage, await grid(stage), prompt="a long and winding\n```prompt```", settings="Steps: many"
    )
    assert refusal(result).endswith(
        "here is what you wrote:\n```\na long and winding\n`\u200b`\u200b`prompt`\u200b`\u200b`\n```"
    )


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
    result = await submit_remix(stage, await grid(stage), **changed)
    assert refusal(result).startswith(said)
    assert len(stage.backend.requests) == 1


async def test_an_image_deleted_while_its_form_was_open_is_not_remixed(stage: Stage):
    message = await grid(stage)
    form = await press(stage, message, "Remix")
    await cast(Inkling, stage.bot).store.images.forget_messages([message.id])
    fields = {"prompt": "a hare", "negative": "", "seed": "", "settings": ""}
    assert refusal(await stage.alice.submit_modal(form, fields)).startswith("I no longer know how this was drawn")
    assert len(stage.backend.requests) == 1


async def test_alternatives_in_a_form_need_a_confirmation(stage: Stage):
    message = await grid(stage)
    asked = await submit_remix(stage, message, prompt="a {red,blue} fox", settings="Size: 64x64")
    assert first(asked).ephemeral
    assert first(asked).content.splitlines() == ["This makes 2 jobs:", "> a red fox", "> a blue fox"]
    drawn = await stage.alice.click(first(asked), label="Draw 2")
    blue, red = sorted(text(said) for said in drawn.followups)
    assert ('prompt +"red"' in red, 'prompt +"blue"' in blue) == (True, True)
    assert len(stage.backend.requests) == 3


async def test_escaped_braces_stay_plain_characters(stage: Stage):
    message = await grid(stage, prompt=r"a \{red,blue\} fox")
    form = (await press(stage, message, "Remix")).modal
    assert form is not None
    await submit_remix(stage, message, prompt=form["components"][0]["component"]["value"])
    assert newest_request(stage).prompt == "a {red,blue} fox"


class TestLoras:
    @pytest.fixture
    def config(self, config: Config, tmp_path: Path) -> Config:
        for name in ("ink", "oil"):
            (tmp_path / f"{name}.safetensors").touch()
        return config.model_copy(update={"loras": tmp_path})

    @pytest.mark.parametrize(
        ("settings", "lora", "said"),
        [("Lora: oil", "oil", "LoRA ink → oil"), ("", "", "LoRA ink → none"), ("Lora: ink", "ink", "nothing changed")],
    )
    async def test_the_line_of_settings_has_all_loras_that_remain(
        self, stage: Stage, settings: str, lora: str, said: str
    ):
        message = await grid(stage, advanced="Lora: ink")
        result = await submit_remix(stage, message, settings=settings)
        assert newest_request(stage).lora == lora
        assert said in text(first(result))


async def test_all_digits_of_a_setting_stay(stage: Stage):
    message = await grid(stage, advanced="CFG scale: 7.1234567")
    form = (await press(stage, message, "Remix")).modal
    assert form is not None
    assert "CFG scale: 7.1234567" in form["components"][3]["component"]["value"]
