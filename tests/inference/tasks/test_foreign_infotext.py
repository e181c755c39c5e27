"""Test that the infotext of other programs is read, and that what it can't repeat is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference import infotext
from inference.types.errors import EMPTY_PHRASE
from tests.inference.images.test_side_data import chunk, png_with
from tests.inference.tasks.foreign_pictures import COMFYUI, FOX, SWARMUI, TEXT, jpeg, png


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        f"{TEXT}\n\n",
        f"{TEXT}, Version: v1.9.4\nTemplate: a {{red|blue}} fox\nNegative Template: dogs",
        f"{TEXT}\nTemplate: a\nlong: one, with: colons",
        f'{TEXT}, Civitai resources: [{{"type":"checkpoint","modelName":"x, Steps: 99"}}], Civitai metadata: {{}}',
        f'{TEXT}, Hashes: {{"model": "abc", "lora:ink, Seed: 9": "def"}}, Version: v1.9.4',
        f'{TEXT}, ControlNet 0: "Module: none, Steps: 4, Seed: 8", Odd: [never, closed: {{',
    ],
)
def test_infotext_is_read_in_every_form(text: str) -> None:
    assert infotext.from_text(text) == FOX
    assert infotext.read(png(parameters=text)) == FOX
    assert infotext.read(png_with(chunk(b"tEXt", b"parameters\0" + text.encode()), after_pixels=True)) == FOX


@pytest.mark.parametrize("tag", [0x9286, 0x010E])
def test_infotext_is_read_from_exif(tag: int) -> None:
    assert infotext.read(jpeg(TEXT, tag)) == FOX
    assert infotext.read(jpeg(TEXT, tag, "WEBP")) == FOX


def test_infotext_is_read_before_a_workflow_beside_it() -> None:
    assert infotext.read(png(parameters=TEXT, prompt={**COMFYUI, "6": {"inputs": {"text": "a cat"}}})) == FOX


@pytest.mark.parametrize("seed", [2**32 + 5, 7 * 2**32 + 5, 2**64 - 2**32 + 5])
def test_a_seed_of_64_bits_keeps_the_prompt_and_says_which_seed_is_taken(seed: int) -> None:
    for request in (
        infotext.from_text(TEXT.replace("Seed: 5", f"Seed: {seed}")),
        infotext.read(png(parameters={"sui_image_params": {**SWARMUI["sui_image_params"], "seed": seed}})),
    ):
        assert request
        assert replace(request, note=EMPTY_PHRASE) == FOX
        assert request.note == f"The file's seed {seed} is too large for this bot; it took 5."


def test_a_seed_that_the_other_program_should_choose_is_left_open() -> None:
    assert infotext.from_text(TEXT.replace("Seed: 5", "Seed: -1")) == replace(FOX, seed=None)


def test_a_size_that_no_model_draws_is_rounded_and_that_is_said() -> None:
    request = infotext.from_text(TEXT.replace("512x768", "515x769"))
    assert replace(request, note=EMPTY_PHRASE) == FOX
    assert request.note == "The file's size 515x769 became 512x768."


def test_the_loras_of_another_program_are_optional() -> None:
    request = infotext.from_text(TEXT.replace("a fox", "a fox <lora:ink:0.5>, <lora:oil>", 1))
    assert request == replace(FOX, optional_loras=("ink:0.5", "oil:1"))
    assert infotext.from_text(infotext.to_text(replace(FOX, prompt="a fox <lora:ink>"))).optional_loras == ()


def test_a_note_is_not_repeated_with_the_request() -> None:
    request = infotext.from_text(TEXT.replace("Seed: 5", f"Seed: {2**32 + 5}"))
    assert "seed" not in infotext.to_text(request)


UNDEFINED_SAMPLER = "a fox\nNegative prompt: dogs\nSteps: 20, Sampler: Undefined, CFG scale: 7, Seed: 5, Size: 512x768"


@pytest.mark.parametrize(
    ("setting", "invalid", "field"),
    [
        ("Size: 512x768", "Size: undefinedxundefined", {"width": 0, "height": 0}),
        ("Seed: 5", "Seed: undefined", {"seed": None}),
        ("CFG scale: 7", "CFG scale: high", {"guidance_scale": None}),
        ("Steps: 20", "Steps: ", {"steps": 0}),
    ],
)
def test_a_setting_that_can_not_be_read_keeps_the_others_and_that_is_said(
    setting: str, invalid: str, field: dict[str, object]
) -> None:
    request = infotext.from_text(UNDEFINED_SAMPLER.replace(setting, invalid))
    assert replace(request, note=EMPTY_PHRASE) == replace(infotext.from_text(UNDEFINED_SAMPLER), **field)
    name, _, value = invalid.partition(": ")
    assert str(request.note) == f"The file's {name} {value!r} can't be read, so it is left open."


@pytest.mark.parametrize(
    "text",
    [
        UNDEFINED_SAMPLER.replace("20", "20.0").replace("Seed: 5", "Seed: 5.0"),
        UNDEFINED_SAMPLER.replace("512x768", "512×768"),
        UNDEFINED_SAMPLER.replace("512x768", "512 x 768"),
        "\ufeff\n" + UNDEFINED_SAMPLER.replace("dogs\n", "dogs\n\n"),
    ],
)
def test_numbers_and_prompts_are_read_however_they_are_written(text: str) -> None:
    assert infotext.from_text(text) == infotext.from_text(UNDEFINED_SAMPLER)
