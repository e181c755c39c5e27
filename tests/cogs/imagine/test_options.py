"""/imagine with pictures: attached pictures, and regions that people choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import discord
import pytest
from PIL import Image
from simcord import InteractionResult, ResponseMessage

from cogs.client import Inkling
from inference import Config, GeneratedImage, ImageResult, ImagineRequest, Overloaded, Result, cells_region, infotext
from inference.images.decoding import encode_png
from inference.limits import SafetySection
from tests.cogs.imagine.images import file, gallery, sheet
from tests.cogs.stage import Stage, buttons, first, refusal
from tests.fakes import PNG


def _picture(text: str = "") -> bytes:
    return encode_png(Image.new("RGB", (96, 64), "green"), text)


def _drawn(stage: Stage) -> list[ImagineRequest]:
    return [request for request in stage.backend.requests if isinstance(request, ImagineRequest)]


def _age_restrict(stage: Stage) -> None:
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True


async def _imagine(stage: Stage, **options: Any) -> InteractionResult:
    return await stage.alice.slash(stage.channel, "imagine", **options)


class TestSources:
    async def test_picture_mask_and_the_other_options_reach_the_engine(self, stage: Stage):
        await _imagine(
            stage, prompt="a fox", image=("a.png", _picture()), mask=("m.png", PNG), strength=0.4,
            advanced="Sampler: Euler a, Temperature: 0.5, Top k: 40",
        )  # fmt: skip
        [request] = _drawn(stage)
        assert (request.image, request.mask) == (_picture(), PNG)
        assert (request.strength, request.sampler, request.temperature, request.top_k) == (0.4, "Euler a", 0.5, 40)

    async def test_a_mask_without_a_picture_is_refused_before_anything_is_fetched(self, stage: Stage):
        result = await _imagine(stage, prompt="a fox", mask=("m.png", PNG))
        assert refusal(result).startswith("A mask, a region and a strength belong to a picture to start from.")
        assert not result.deferred

    async def test_a_picture_over_the_limit_is_refused_before_it_is_fetched(self, stage: Stage):
        result = await _imagine(stage, prompt="a fox", image=("huge.png", b"0" * 26_000_000))
        assert refusal(result).startswith("huge.png has 26.0 MB")
        assert not result.deferred

    async def test_a_command_without_prompt_and_picture_is_refused_with_an_explanation(self, stage: Stage):
        assert refusal(await _imagine(stage)).startswith("Say what to draw as `prompt`")


class TestRepeating:
    async def test_a_drawn_picture_without_a_prompt_is_repeated(self, stage: Stage):
        original = ImagineRequest(prompt="a fox", negative_prompt="fog", steps=12, guidance_scale=5.0, seed=7)
        await _imagine(stage, image=("a.png", _picture(infotext.to_text(original))))
        [request] = _drawn(stage)
        assert (request.prompt, request.negative_prompt, request.image) == ("a fox", "fog", b"")
        assert (request.steps, request.guidance_scale, request.seed) == (12, 5.0, 7)

    async def test_a_sheet_without_a_prompt_is_repeated_completely(self, stage: Stage):
        await _imagine(stage, image=("sheet.png", await file(await sheet(stage, count=3))))
        once, again = _drawn(stage)
        assert (again.prompt, again.seed, again.count) == (once.prompt, once.seed, 3)

    async def test_options_override_the_parameters_in_the_picture(self, stage: Stage):
        text = infotext.to_text(ImagineRequest(prompt="a fox", steps=12, seed=7))
        await _imagine(stage, image=("a.png", _picture(text)), seed=8, count=2)
        [request] = _drawn(stage)
        assert (request.steps, request.seed, request.count) == (12, 8, 2)

    async def test_a_picture_without_parameters_is_refused_with_the_next_step(self, stage: Stage):
        result = await _imagine(stage, image=("a.png", _picture()))
        assert refusal(result).startswith("This file does not tell what it was drawn from")
        assert not _drawn(stage)

    async def test_a_picture_that_was_drawn_from_another_picture_says_what_is_missing(self, stage: Stage):
        text = infotext.to_text(ImagineRequest(prompt="a fox", steps=12, seed=7, image=PNG, strength=0.6))
        said = refusal(await _imagine(stage, image=("a.png", _picture(text))))
        assert said.startswith("This picture was drawn from another one")
        assert "a fox" in said
        assert "`strength`: 0.6\n`seed`: 7\n`advanced`: Steps: 12" in said

    async def test_a_strength_without_a_prompt_is_not_ignored(self, stage: Stage):
        said = refusal(await _imagine(stage, image=("a.png", _picture()), strength=0.5))
        assert said == "To draw from this picture, say what it should become as `prompt`."


class TestPicker:
    async def _open(self, stage: Stage, region: str = "pick on the picture") -> InteractionResult:
        return await _imagine(stage, prompt="a fox", image=("a.png", _picture()), region=region)

    async def test_cells_are_ticked_on_the_picture_before_anything_is_drawn(self, stage: Stage):
        result = await self._open(stage)
        message = first(result)
        assert message.ephemeral
        assert buttons(message)[:9] == [str(cell) for cell in range(1, 10)]
        assert buttons(message)[9:14] == ["left half", "right half", "top half", "bottom half", "background"]
        blank = await message.attachments[0].read()
        await stage.alice.click(message, label="3")
        await stage.alice.click(message, label="5")
        assert (message.attachments[0].description or "").endswith("Chosen: cells 3 5.")
        assert await message.attachments[0].read() != blank
        assert not _drawn(stage)
        drawn = await stage.alice.click(message, label="Draw")
        assert message.content == "The result comes in a new message."
        assert [request.region for request in _drawn(stage)] == [cells_region({3, 5})]
        [public] = drawn.followups
        assert not public.ephemeral
        assert public.content.startswith("> a fox")

    async def test_a_cell_can_be_unticked_and_a_named_region_replaces_cells(self, stage: Stage):
        message = first(await self._open(stage))
        await stage.alice.click(message, label="3")
        await stage.alice.click(message, label="3")
        assert _button(message, "Draw")["disabled"]
        await stage.alice.click(message, label="3")
        await stage.alice.click(message, label="background")
        assert _styles(message) == {"background": discord.ButtonStyle.success.value}
        await stage.alice.click(message, label="Draw")
        assert [request.region for request in _drawn(stage)] == ["background"]

    async def test_a_named_region_is_also_shown_before_it_is_drawn(self, stage: Stage):
        message = first(await self._open(stage, "left half"))
        assert _styles(message) == {"left half": discord.ButtonStyle.success.value}
        assert not _drawn(stage)

    async def test_cancel_draws_nothing(self, stage: Stage):
        message = first(await self._open(stage, "left half"))
        await stage.alice.click(message, label="Cancel")
        assert message.content == "Nothing was drawn."
        assert not message.components
        assert not _drawn(stage)

    @pytest.mark.parametrize("label", ["Draw", "Cancel", "5"])
    async def test_a_question_that_is_closed_says_so_and_nothing_else(self, stage: Stage, label: str):
        message = first(await self._open(stage, "left half"))
        before = message.content
        await cast(Inkling, stage.bot).store.questions.forget_owner(stage.alice.id)
        assert refusal(await stage.alice.click(message, label=label)) == "This question is no longer open. Ask again."
        assert message.content == before
        assert not _drawn(stage)

    async def test_at_most_four_questions_of_a_person_are_open(self, stage: Stage):
        questions = [first(await self._open(stage)) for _ in range(4)]
        assert refusal(await self._open(stage)).startswith("You have 4 questions of mine open.")
        await stage.alice.click(questions[0], label="Cancel")
        assert first(await self._open(stage)).components

    async def test_a_confirmation_without_a_choice_times_out(self, stage: Stage):
        message = first(await self._open(stage))
        await stage.env.advance_time(640)
        assert message.content.startswith("You did not choose")
        assert not message.components

    async def test_a_text_named_png_is_refused(self, stage: Stage):
        result = await _imagine(stage, prompt="a fox", image=("a.png", b"a text"), region="left half")
        assert "not a picture" in refusal(result)

    async def test_a_region_without_a_picture_is_refused(self, stage: Stage):
        result = await _imagine(stage, prompt="a fox", region="pick on the picture")
        assert "belong to a picture" in refusal(result)


class TestAlternatives:
    async def test_several_jobs_need_a_confirmation(self, stage: Stage):
        result = await _imagine(stage, prompt="a {red,blue} {cat,dog}", seed=5)
        assert first(result).ephemeral
        lines = ["This makes 4 jobs:", "> a red cat", "> a red dog", "> a blue cat", "> a blue dog"]
        assert first(result).content.splitlines() == lines
        assert not _drawn(stage)
        drawn = await stage.alice.click(first(result), label="Draw 4")
        assert sorted(request.prompt for request in _drawn(stage)) == sorted(line[2:] for line in lines[1:])
        assert {request.seed for request in _drawn(stage)} == {5}
        assert len(drawn.followups) == 4
        assert not any(message.ephemeral for message in drawn.followups)
        assert all(message.attachments for message in drawn.followups)

    async def test_more_jobs_than_a_person_may_queue_are_refused_with_the_limit(self, stage: Stage):
        result = await _imagine(stage, prompt="{a,b,c} {d,e,f} fox")
        assert refusal(result).startswith("This prompt makes 9 jobs; you may have 4 at a time.")

    class TestForbiddenWords:
        @pytest.fixture
        def config(self, config: Config) -> Config:
            return config.model_copy(update={"safety": config.safety.model_copy(update={"words": ("blue",)})})

        async def test_a_forbidden_word_is_refused_before_the_confirmation(self, stage: Stage):
            assert "does not allow" in refusal(await _imagine(stage, prompt="a {red,blue} cat"))

    async def test_every_job_that_is_refused_says_so_in_private(self, stage: Stage):
        result = await _imagine(stage, prompt="a {red,blue} cat", image=("a.png", b"a text"))
        drawn = await stage.alice.click(first(result), label="Draw 2")
        assert [message.ephemeral for message in drawn.followups] == [True, True]

    async def test_a_private_error_that_discord_refuses_is_shown_in_the_public_message(self, stage: Stage):
        stage.backend.script = lambda spec, request: []
        result = await _imagine(stage, prompt="a {red,blue} cat")
        drawn = await stage.alice.click(first(result), label="Draw 2")
        stage.env.inject_error("POST", "/webhooks/*", status=400)  # as for a sixth message of a user-installed bot
        await stage.event(Overloaded("You have 4 requests waiting already.", retry_after=9))
        assert drawn.followups[1].content.startswith("Not done.")
        assert not drawn.followups[1].components

    async def test_a_region_can_be_combined_with_alternatives(self, stage: Stage):
        result = await _imagine(stage, prompt="a {red,blue} cat", image=("a.png", _picture()), region="left half")
        assert "This makes 2 jobs:" in first(result).content
        await stage.alice.click(first(result), label="Draw 2")
        assert [request.region for request in _drawn(stage)] == ["left half", "left half"]

    async def test_an_escaped_brace_is_a_plain_character(self, stage: Stage):
        await _imagine(stage, prompt=r"a \{red,blue\} cat")
        assert [request.prompt for request in _drawn(stage)] == ["a {red,blue} cat"]


class TestSafety:
    async def test_flagged_pictures_are_requested_only_in_age_restricted_channels(self, stage: Stage):
        await _imagine(stage, prompt="a fox")
        _age_restrict(stage)
        await _imagine(stage, prompt="a fox")
        assert [request.show_flagged for request in _drawn(stage)] == [False, True]

    async def test_a_flagged_picture_is_a_spoiler_in_age_restricted_channels(self, stage: Stage):
        _age_restrict(stage)
        flagged = (GeneratedImage(PNG, 7, flagged=True), GeneratedImage(PNG, 8))
        stage.backend.script = lambda spec, request: [Result(ImageResult(flagged, 8, 8, 25, 7.5))]
        result = await _imagine(stage, prompt="a fox", count=2)
        assert [item["spoiler"] for item in gallery(first(result))] == [True, False]

    class TestStricterSafety:
        @pytest.fixture
        def config(self, config: Config) -> Config:
            safety = config.safety.model_copy(update={"flagged": "hide"})
            return config.model_copy(update={"safety": safety})

        async def test_the_operator_may_hide_flagged_pictures_everywhere(self, stage: Stage):
            _age_restrict(stage)
            await _imagine(stage, prompt="a fox")
            assert [request.show_flagged for request in _drawn(stage)] == [False]

    async def test_models_without_a_checker_draw_only_in_age_restricted_channels(self, stage: Stage):
        await _imagine(stage, prompt="a fox")
        _age_restrict(stage)
        await _imagine(stage, prompt="a fox")
        assert [request.require_safety_checker for request in _drawn(stage)] == [True, False]

    @pytest.mark.parametrize("safety", [{"unchecked": "everywhere"}, {"pictures": {"repo": "org/eyes"}}])
    class TestChecksOfTheOperator:
        @pytest.fixture
        def config(self, config: Config, safety: dict[str, Any]) -> Config:
            return config.model_copy(update={"safety": SafetySection.model_validate(safety)})

        async def test_models_without_a_checker_may_draw_everywhere(self, stage: Stage):
            await _imagine(stage, prompt="a fox")
            drawn = [request for request in stage.backend.requests if isinstance(request, ImagineRequest)]
            assert [request.require_safety_checker for request in drawn] == [False]


class TestLoras:
    @pytest.fixture
    def config(self, config: Config, tmp_path: Path) -> Config:
        for name in ("pixels", "oil"):
            (tmp_path / f"{name}.safetensors").touch()
        return config.model_copy(update={"loras": tmp_path})

    async def test_the_lora_files_of_the_operator_are_offered(self, stage: Stage):
        offered = await stage.alice.autocomplete(stage.channel, "imagine", "advanced", "Steps: 9, px", prompt="a fox")
        assert [choice["value"] for choice in offered] == []
        offered = await stage.alice.autocomplete(stage.channel, "imagine", "advanced", "Steps: 9, lora", prompt="a fox")
        assert [choice["value"] for choice in offered] == ["Steps: 9, Lora: oil", "Steps: 9, Lora: pixels"]

    async def test_the_chosen_lora_reaches_the_engine(self, stage: Stage):
        await _imagine(stage, prompt="a fox", advanced="Lora: oil")
        assert [request.lora for request in _drawn(stage)] == ["oil"]

    async def test_several_loras_may_be_given_in_the_prompt_and_in_the_settings(self, stage: Stage):
        await _imagine(stage, prompt="a fox <lora:pixels:0.5> --ar 3:2 --seed 4", advanced="Lora: oil")
        [request] = _drawn(stage)
        assert (request.prompt, request.lora) == ("a fox", "oil, pixels:0.5")
        assert (request.aspect, request.seed) == ((3, 2), 4)

    async def test_an_unknown_lora_in_a_prompt_is_refused_with_the_known_ones(self, stage: Stage):
        said = refusal(await _imagine(stage, prompt="a fox <lora:ink:1>"))
        assert said == "There is no LoRA 'ink'. There is: oil, pixels."

    async def test_a_picture_of_another_program_is_drawn_without_the_loras_that_are_not_here(self, stage: Stage):
        text = "a fox <lora:ink:1> <lora:oil:0.5>\nSteps: 9, Seed: 7, Version: v1.9.4"
        await _imagine(stage, image=("a.png", _picture(text)))
        [request] = _drawn(stage)
        assert (request.prompt, request.lora, request.seed) == ("a fox", "oil:0.5", 7)
        assert request.note == "LoRAs in the file that this bot does not have were left out: ink."


def _button(message: ResponseMessage, label: str) -> dict[str, Any]:
    [found] = [b for row in message.components for b in row["components"] if b["label"] == label]
    return found


def _styles(message: ResponseMessage) -> dict[str, int]:
    """Return the styles of the region buttons that are ticked."""
    rows = message.components[:4]
    return {b["label"]: b["style"] for row in rows for b in row["components"] if b["style"] != 2}
