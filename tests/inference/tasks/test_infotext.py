"""Test parameters as text: in the format of AUTOMATIC1111, and parsed to the same request."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from inference import (
    EditRequest,
    FastMode,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    InvalidRequest,
    Variation,
    infotext,
)
from inference.images.decoding import encode_png
from tests.fakes import PNG

FOX = ImagineRequest(
    prompt="a fox (in the snow:1.2)",
    negative_prompt="dogs",
    model="stable-diffusion-v1-4",
    width=512,
    height=384,
    steps=25,
    guidance_scale=7.5,
    sampler="DPM++ 2M Karras",
    seed=5,
)


def round_trip(request: ImagineRequest) -> ImagineRequest:
    return infotext.from_text(infotext.to_text(request))


def test_the_text_has_the_format_of_automatic1111() -> None:
    assert infotext.to_text(replace(FOX, guidance_scale=7.0)) == (
        "a fox (in the snow:1.2)\n"
        "Negative prompt: dogs\n"
        "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 5, Size: 512x384, Model: stable-diffusion-v1-4, "
        "Version: Inkling"
    )


def test_a_fast_picture_names_its_two_numbers() -> None:
    text = infotext.to_text(replace(FOX, fast=FastMode(0.5, 2)))
    assert "Model: stable-diffusion-v1-4, CFG end: 0.5, DeepCache interval: 2, Version: Inkling" in text
    assert "CFG end" not in infotext.to_text(FOX)


@pytest.mark.parametrize(
    "request_",
    [
        FOX,
        ImagineRequest(prompt="a fox"),
        replace(FOX, variations=(Variation(9, 0.2),)),
        replace(FOX, variations=(Variation(9, 0.2), Variation(4294967295, 0.1), Variation(0, 1))),
        replace(FOX, lora="line, art: v2:0.8", guidance_scale=1 / 3, seed=0),
        replace(FOX, model='org/"odd", name', steps=0, sampler=None, temperature=0.7, top_k=50),
        replace(FOX, temperature=0.0),
        replace(FOX, fast=FastMode(0.5, 2)),
        replace(FOX, fast=FastMode(0.0, 1)),
        replace(FOX, fast=FastMode()),
    ],
)
def test_every_setting_survives_a_round_trip(request_: ImagineRequest) -> None:
    assert round_trip(request_) == request_


@pytest.mark.parametrize(
    "prompt",
    [
        "two\nlines",
        "\n leading and trailing \n\n",
        "Negative prompt: not really",
        "a fox\nNegative prompt: not really\nmore",
        "a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1",
        'quotes " and \\ and \\" and \\n, commas: colons',
        "Füchse 狐 🦊 \u2028 \r\n\t",
        'Prompt: "other", Version: Inkling',
    ],
)
def test_prompts_survive_a_round_trip_unchanged(prompt: str) -> None:
    for request in (replace(FOX, prompt=prompt), replace(FOX, negative_prompt=prompt)):
        assert round_trip(request) == request
        assert infotext.read(encode_png(Image.new("RGB", (8, 8)), infotext.to_text(request))) == request


def test_the_text_contains_the_hash_and_the_settings_of_an_init_image() -> None:
    request = replace(FOX, image=PNG, region="cells 1 2", strength=0.6)
    text = infotext.to_text(request)
    assert f"Init image hash: {sha256(PNG).hexdigest()}, Mask region: cells 1 2" in text
    assert replace(infotext.from_text(text), image=PNG) == request
    assert f"Mask hash: {sha256(b'mask').hexdigest()}" in infotext.to_text(replace(FOX, image=PNG, mask=b"mask"))


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("Sampler: Euler a", "Euler a"),
        ("Sampler: euler A, Schedule type: Automatic", "Euler a"),
        ("Sampler: DPM++ 2M, Schedule type: Karras", "DPM++ 2M Karras"),
        ("Sampler: DPM++ 2M, Schedule type: Automatic", "DPM++ 2M Karras"),
        ("Sampler: PLMS", "PNDM"),
        ("Sampler: DPM adaptive", None),
    ],
)
def test_the_parameters_of_other_programs_are_parsed(sampler: str, expected: str | None) -> None:
    request = infotext.from_text(
        "masterpiece, <lora:ink:1>,\nbest quality\nNegative prompt: lowres\n"
        f"Steps: 20, {sampler}, CFG scale: 7, Seed: 965400086, Size: 512x768, Model hash: 6ce0161689, "
        'Model: v1-5-pruned, Denoising strength: 0.7, Hires upscale: 2, TI hashes: "a: 1, Seed: 3", Version: v1.9.4'
    )
    assert request == ImagineRequest(
        prompt="masterpiece, ,\nbest quality",
        optional_loras=("ink:1",),
        negative_prompt="lowres",
        width=512,
        height=768,
        steps=20,
        guidance_scale=7.0,
        sampler=expected,  # type: ignore[arg-type]
        seed=965400086,
    )


OWN_WITHOUT_SIZE = "x\nSeed: 1, Size: 8, Version: Inkling"


@pytest.mark.parametrize("text", ["", "a fox", "a fox\nand another, too: yes", "x\nSteps: many", OWN_WITHOUT_SIZE])
def test_a_text_without_parameters_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"parameters .*Write a prompt instead"):
        infotext.from_text(text)


def test_each_picture_of_a_result_has_its_own_request() -> None:
    request = ImagineRequest(prompt="a fox", model="sd", count=2, seed=5, variations=(Variation(1, 0.2),))
    pictures = (
        GeneratedImage(PNG, 5, variations=(Variation(1, 0.2),)),
        GeneratedImage(PNG, 5, variations=(Variation(2, 0.2),)),
    )
    result = ImageResult(pictures, 64, 48, 25, 7.5, sampler="Euler a", strength=0.5)
    assert infotext.request_for_image(request, result, 1) == ImagineRequest(
        prompt="a fox",
        model="sd",
        seed=5,
        variations=(Variation(2, 0.2),),
        width=64,
        height=48,
        steps=25,
        guidance_scale=7.5,
        sampler="Euler a",
        strength=0.5,
    )


def test_parameters_are_read_from_the_exif_comment_of_jpeg_and_webp() -> None:
    comment = b"UNICODE\0" + infotext.to_text(replace(FOX, prompt="ein Füchschen")).encode("utf-16-be")
    image = Image.new("RGB", (8, 8))
    exif = image.getexif()
    exif.get_ifd(0x8769)[0x9286] = comment
    for kind in ("JPEG", "WEBP"):
        file = BytesIO()
        image.save(file, kind, exif=exif)
        assert infotext.read(file.getvalue()) == replace(FOX, prompt="ein Füchschen")


def test_reading_a_picture_without_parameters_gives_none_and_reading_a_text_is_refused() -> None:
    assert infotext.read(PNG) is None
    with pytest.raises(InvalidRequest, match="not a picture"):
        infotext.read(b"no picture")


def test_the_count_survives_a_round_trip_and_the_batch_size_of_other_programs_is_ignored() -> None:
    request = ImagineRequest(prompt="a fox", seed=5, count=4)
    assert infotext.from_text(infotext.to_text(request)) == request
    assert infotext.from_text("a fox\nSteps: 20, Seed: 5, Batch size: 4, Batch pos: 2").count == 1


@pytest.mark.parametrize(
    "filling", [" " * 400_000, "a:" * 200_000, 'a: "' * 100_000, 'a: "\\"x' * 60_000, "a " * 200_000]
)
def test_a_long_line_of_settings_is_parsed_in_time(filling: str) -> None:
    """Fail by timeout if parsing takes quadratic time, which would be half an hour."""
    assert infotext.from_text(f"a fox\nSteps: 20,{filling}x").steps == 20


def test_parameters_that_are_too_long_are_ignored() -> None:
    picture = Image.new("RGB", (8, 8))
    longest = replace(FOX, prompt="x\nSteps: 1" + "x" * 5_990, negative_prompt='"' * 6_000)
    assert infotext.read(encode_png(picture, infotext.to_text(longest))) == longest
    assert infotext.read(encode_png(picture, infotext.to_text(replace(FOX, prompt="x" * 50_000)))) is None


class TestEdits:
    EDIT = EditRequest(prompt="make it red", image=PNG, model="pix2pix", width=64, height=64, steps=9, seed=5)

    def test_an_edit_reads_back_as_an_edit_without_its_picture(self) -> None:
        request = replace(self.EDIT, image_guidance_scale=1.5, guidance_scale=7.5)
        text = infotext.to_text(request)
        assert "Image CFG scale: 1.5" in text
        assert "Task: edit" in text
        assert infotext.from_text(text) == replace(request, image=b"")

    def test_a_drawing_from_a_picture_is_no_edit(self) -> None:
        request = infotext.from_text(infotext.to_text(replace(FOX, image=PNG, strength=0.5)))
        assert type(request) is ImagineRequest

    def test_the_settings_of_the_result_repeat_the_edit(self) -> None:
        result = ImageResult((GeneratedImage(PNG, 7),), 64, 64, 100, 7.5, image_guidance_scale=1.5)
        repeated = infotext.request_for_image(replace(self.EDIT, steps=0), result, 0)
        assert isinstance(repeated, EditRequest)
        assert (repeated.seed, repeated.guidance_scale, repeated.image_guidance_scale) == (7, 7.5, 1.5)
        assert repeated.steps == 0, "the model's own number may be above the limit"
