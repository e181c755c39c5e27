"""Edits in words: the command, the menu, the button, the comparison, and what happens without a model for them."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from simcord import InteractionResult, ResponseMessage

from inference import Config, EditRequest, ImagineRequest, infotext
from inference.config.models import ModelEntry
from inference.images.decoding import encode_png
from inference.limits import SafetySection
from tests.cogs.imagine.images import button_rows, file, grid, newest_request, press, restart
from tests.cogs.stage import Stage, first, followup, refusal
from tests.cogs.test_restart import kill, wait
from tests.fakes import plausible

_CUP = encode_png(Image.new("RGB", (96, 64), "blue"))


def with_models(config: Config, **models: str) -> Config:
    entries = {task: (ModelEntry(repo=repo),) if repo else () for task, repo in models.items()}
    return config.model_copy(update={"models": {**config.models, **entries}})


async def edit(stage: Stage, **options: object) -> InteractionResult:
    options = {"image": ("cup.png", _CUP), "instruction": "make the cup red", "seed": 7} | options
    return await stage.alice.slash(stage.channel, "edit", **options)


def newest_edit(stage: Stage) -> EditRequest:
    request = newest_request(stage)
    assert isinstance(request, EditRequest)
    return request


def question(form: InteractionResult) -> tuple[str, str]:
    """Return what a form asks for, and its example."""
    assert form.modal is not None
    [field] = form.modal["components"]
    return field["label"], field["component"]["placeholder"]


class TestWithAModel:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return with_models(config, edit="timbrooks/instruct-pix2pix")

    async def test_the_command_edits_the_picture_and_shows_the_settings(self, stage: Stage):
        message = first(await edit(stage))
        request = newest_edit(stage)
        assert (request.prompt, request.image, request.seed) == ("make the cup red", _CUP, 7)
        assert request.model == "instruct-pix2pix"
        assert message.content == (
            "> make the cup red\n-# 64 × 64 · 25 steps · guidance 7.5 · image guidance 1.5 · seed 7"
        )
        assert button_rows(message) == [
            ["Vary", "Edit", "Compare"],
            ["Re-roll", "Remix", "Parameters", "Delete"],
        ]

    async def test_the_settings_of_the_command_reach_the_model(self, stage: Stage):
        await edit(stage, advanced="Steps: 9, CFG scale: 5, Image CFG scale: 1.2", count=2)
        request = newest_edit(stage)
        assert (request.steps, request.guidance_scale, request.image_guidance_scale) == (9, 5, 1.2)
        assert request.count == 2

    async def test_alternatives_in_the_instruction_need_a_confirmation(self, stage: Stage):
        asked = first(await edit(stage, instruction="make the cup {red,green}"))
        assert asked.ephemeral
        await stage.alice.click(asked, label="Draw 2")
        assert {request.prompt for request in stage.backend.requests if isinstance(request, EditRequest)} == {
            "make the cup red",
            "make the cup green",
        }

    async def test_the_menu_edits_the_picture_of_a_message(self, stage: Stage):
        message = await stage.bob.send(stage.channel, "my cup", attachments=[("cup.png", _CUP)])
        form = await stage.alice.context_menu(stage.channel, "Edit picture", message)
        shown = first(await stage.alice.submit_modal(form, {"instruction": "make the cup red"}))
        assert (newest_edit(stage).prompt, newest_edit(stage).image) == ("make the cup red", _CUP)
        assert f"Edit of {message.jump_url}" in shown.content

    async def test_the_menu_of_a_message_without_a_picture_says_so(self, stage: Stage):
        message = await stage.bob.send(stage.channel, "no picture")
        said = refusal(await stage.alice.context_menu(stage.channel, "Edit picture", message))
        assert said == "That message has no picture attached. Pictures behind links can't be edited."

    async def test_a_form_of_the_menu_survives_a_restart(self, stage: Stage, config: Config):
        message = await stage.bob.send(stage.channel, "my cup", attachments=[("cup.png", _CUP)])
        form = await stage.alice.context_menu(stage.channel, "Edit picture", message)
        await restart(stage, config)
        await stage.alice.submit_modal(form, {"instruction": "make the cup red"})
        assert newest_edit(stage).image == _CUP

    async def test_an_edit_goes_on_after_a_kill_in_the_same_message(self, stage: Stage, config: Config):
        stage.backend.script = wait
        message = first(await edit(stage))
        await kill(stage, config)
        stage.backend.script = plausible
        await restart(stage, config)
        assert message.content.startswith("> make the cup red\n-# 64 × 64")
        assert newest_edit(stage).image == _CUP

    async def test_the_button_edits_the_picture_above_it(self, stage: Stage):
        message = await grid(stage, count=1)
        drawn = await file(message)
        form = await press(stage, message, "Edit")
        assert question(form) == ("What should change", "make the cup red")
        shown = first(await stage.alice.submit_modal(form, {"instruction": "make the cup red"}))
        assert newest_edit(stage).image == drawn
        assert f"Edit of {message.message.jump_url}" in shown.content

    async def test_only_the_owner_edits_with_the_button(self, stage: Stage):
        message = await grid(stage, count=1)
        assert refusal(await press(stage, message, "Edit", stage.bob)).startswith("Only the person who asked for this")

    async def test_before_and_after_are_compared_in_private(self, stage: Stage):
        message = first(await edit(stage))
        compared = followup(await press(stage, message, "Compare"))
        assert compared.ephemeral
        assert compared.content == "Left: before. Right: after."
        [attachment] = compared.attachments
        assert attachment.description == 'Left: the picture before. Right: after "make the cup red".'
        both = Image.open(BytesIO(await file(compared)))
        assert both.size == (64 + 8 + 64, 64)
        after = Image.open(BytesIO(await file(message)))
        assert both.getpixel((32, 32)) == (0, 0, 255)
        assert both.getpixel((100, 32)) == after.getpixel((32, 32))

    async def test_re_roll_vary_and_remix_edit_the_same_picture_again(self, stage: Stage, config: Config):
        message = first(await edit(stage))
        await restart(stage, config)
        await press(stage, message, "Re-roll")
        again = newest_edit(stage)
        assert (again.prompt, again.image) == ("make the cup red", _CUP)
        assert again.seed != 7
        await press(stage, message, "Vary")
        varied = newest_edit(stage)
        assert (varied.seed, len(varied.variations), varied.image, varied.count) == (7, 1, _CUP, 4)
        form = await press(stage, message, "Remix")
        fields = {"prompt": "make it green", "negative": "", "seed": "7", "settings": "Image CFG scale: 2"}
        await stage.alice.submit_modal(form, fields)
        remixed = newest_edit(stage)
        assert (remixed.prompt, remixed.image, remixed.image_guidance_scale) == ("make it green", _CUP, 2)

    async def test_parameters_say_that_it_was_an_edit(self, stage: Stage):
        message = first(await edit(stage))
        shown = followup(await press(stage, message, "Parameters"))
        assert "Task: edit" in shown.content
        request = infotext.read(await file(message))
        assert isinstance(request, EditRequest)
        assert (request.prompt, request.seed, request.image_guidance_scale) == ("make the cup red", 7, 1.5)

    async def test_an_edited_picture_given_to_imagine_says_how_to_repeat_it(self, stage: Stage):
        edited = await file(first(await edit(stage)))
        said = refusal(await stage.alice.slash(stage.channel, "imagine", image=("a.png", edited)))
        assert said.startswith("This picture was edited from another one, which its file does not hold. Give that one")
        assert "`instruction`: make the cup red" in said
        assert "Image CFG scale: 1.5" in said

    async def test_a_picture_over_the_limit_is_refused_before_it_is_fetched(self, stage: Stage):
        result = await edit(stage, image=("huge.png", b"0" * 26_000_000))
        assert refusal(result).startswith("huge.png has 26.0 MB")
        assert not result.deferred

    async def test_a_file_that_is_no_picture_is_refused(self, stage: Stage):
        assert refusal(await edit(stage, image=("cup.png", b"a text"))).startswith("This file is not a picture")

    async def test_a_model_that_does_not_exist_is_named(self, stage: Stage):
        said = refusal(await edit(stage, model="oil"))
        assert said == "There is no model 'oil' for /edit. There is: instruct-pix2pix."

    class TestWords:
        @pytest.fixture
        def config(self, config: Config) -> Config:
            return config.model_copy(update={"safety": SafetySection(words=("blood",))})

        async def test_a_word_of_the_list_is_refused_in_an_instruction(self, stage: Stage):
            said = refusal(await edit(stage, instruction="add blood"))
            assert said.startswith("This bot's operator does not allow a word of this text.")
            assert stage.backend.requests == []


class TestWithoutAModel:
    async def test_the_region_that_changes_is_chosen_in_private_and_drawn_anew(self, stage: Stage):
        asked = first(await edit(stage, instruction="a red cup"))
        assert asked.ephemeral
        assert asked.content.splitlines() == [
            "Which part should be drawn anew? The rest stays as it is.",
            "> a red cup",
            "-# No model here edits in words alone. It draws your words into the part that you choose, so say what is "
            "there afterwards: “a red cup”.",
        ]
        await stage.alice.click(asked, label="left half")
        await stage.alice.click(asked, label="Draw")
        request = newest_request(stage)
        assert type(request) is ImagineRequest
        assert (request.prompt, request.image, request.region, request.seed) == ("a red cup", _CUP, "left half", 7)

    async def test_the_settings_of_the_command_reach_the_drawing(self, stage: Stage):
        asked = first(await edit(stage, advanced="Steps: 9, CFG scale: 5, Sampler: DDIM"))
        await stage.alice.click(asked, label="left half")
        await stage.alice.click(asked, label="Draw")
        request = newest_request(stage)
        assert (request.steps, request.guidance_scale, request.sampler) == (9, 5, "DDIM")

    async def test_a_setting_that_only_edits_have_is_refused(self, stage: Stage):
        said = refusal(await edit(stage, advanced="Image CFG scale: 1.2"))
        assert said == "No model here edits in words alone, and drawings have no Image CFG scale. Leave it out."
        assert stage.backend.requests == []

    async def test_the_button_leads_to_the_regions_too(self, stage: Stage):
        message = await grid(stage, count=1)
        form = await press(stage, message, "Edit")
        assert question(form) == ("What to draw in a part of the picture", "a red cup")
        asked: ResponseMessage = first(await stage.alice.submit_modal(form, {"instruction": "a red cup"}))
        assert asked.ephemeral
        assert asked.content.startswith("Which part should be drawn anew?")

    class TestAndWithoutAPainter:
        @pytest.fixture
        def config(self, config: Config) -> Config:
            return with_models(config, imagine="")

        async def test_it_says_what_the_operator_can_do(self, stage: Stage):
            said = refusal(await edit(stage))
            assert said.startswith("No model is set up for /edit. The bot's operator can list one under models.edit")
