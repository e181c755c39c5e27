"""Test that the parameters of other programs' pictures are read, wherever and however they wrote them."""

from __future__ import annotations

import json

import pytest

from inference import ImagineRequest, infotext
from tests.inference.images.test_side_data import jpeg_with, segment
from tests.inference.tasks.foreign_pictures import (
    COMFYUI,
    DRAW_THINGS,
    EFFICIENT,
    FIRST_INVOKEAI,
    FOOOCUS,
    FOX,
    IN_PARTS,
    INVOKEAI,
    LINKED,
    NEWER_WORKFLOW,
    NOVELAI,
    OLD_FOOOCUS,
    SWARMUI,
    WORKFLOW,
    jpeg,
    png,
)


@pytest.mark.parametrize(
    "file",
    [
        png(prompt=COMFYUI),
        png(prompt=COMFYUI, workflow=WORKFLOW),
        png(prompt=LINKED),
        png(prompt=IN_PARTS),
        png(prompt=EFFICIENT),
        png(workflow=WORKFLOW),
        png(workflow=NEWER_WORKFLOW),
        jpeg("prompt:" + json.dumps(COMFYUI), tag=0x0110, kind="WEBP"),
        jpeg("Workflow:" + json.dumps(WORKFLOW), tag=0x010E, kind="WEBP"),
        png(invokeai_metadata=INVOKEAI),
        png(sd__metadata=FIRST_INVOKEAI),
        png(Dream='"a fox [dogs]" -s 20 -S 5 -W 512 -H 768 -C 7.5 -A k_euler_a'),
        png(Title="AI generated image", Description="a fox", Software="NovelAI", Comment=NOVELAI),
        png(Comment={**NOVELAI, "prompt": "a fox"}),
        jpeg(json.dumps({"Comment": json.dumps({**NOVELAI, "prompt": "a fox"}), "Software": "NovelAI"})),
        png(parameters=SWARMUI),
        jpeg(json.dumps(SWARMUI)),
        png(parameters=FOOOCUS, fooocus_scheme="fooocus"),
        png(Comment=OLD_FOOOCUS),
        jpeg_with(segment(0xFE, json.dumps(FOOOCUS).encode())),
        jpeg(json.dumps({**DRAW_THINGS, "sampler": "Euler_A"})),
        png(
            prompt="a fox",
            negative_prompt="dogs",
            seed="5",
            num_inference_steps="20",
            guidance_scale="7.5",
            width="512",
            height="768",
            sampler_name="euler_a",
        ),
    ],
)
def test_the_picture_of_another_program_gives_its_request(file: bytes) -> None:
    assert infotext.read(file) == FOX


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": {}},
        {"prompt": "a fox"},
        {"prompt": {"1": {"class_type": "SaveImage"}}},
        {"prompt": {**EFFICIENT, "1": 5}},
        {"prompt": {"1": {"class_type": "KSampler", "inputs": {"latent_image": ["1", 0], "positive": ["1", 0]}}}},
        {"prompt": {"1": {"class_type": "KSampler", "inputs": {"latent_image": 5, "positive": ["nowhere", 0]}}}},
        {"prompt": {"1": {"class_type": "KSampler", "inputs": ["odd"]}, "2": None}},
        {"workflow": {"nodes": [None, {"id": [], "inputs": {}}], "links": [1, [2]]}},
        {"prompt": "{" * 100_000},
        {"prompt": '{"a":' * 100_000},
        {"parameters": {"sui_image_params": []}},
        {"invokeai_metadata": {"positive_prompt": ["a"], "seed": True, "steps": float("inf")}},
        {"sd-metadata": {"image": {"prompt": 5}}},
        {"Dream": '"open -s'},
        {"Comment": "Created with GIMP"},
    ],
)
def test_what_is_not_understood_is_no_error(texts: dict[str, object]) -> None:
    assert infotext.read(png(**{name.replace("-", "__"): value for name, value in texts.items()})) is None


def test_a_prompt_without_plain_settings_is_kept_and_the_rest_is_left_open() -> None:
    odd = {**INVOKEAI, "steps": "many", "cfg_scale": None, "scheduler": "dpmpp_sde", "width": [512], "seed": 5}
    assert infotext.read(png(invokeai_metadata=odd)) == ImagineRequest(prompt="a fox", negative_prompt="dogs", seed=5)


def test_a_comment_of_a_camera_is_no_parameter() -> None:
    assert infotext.read(jpeg("Screenshot")) is None


def test_a_line_of_commands_that_is_too_long_is_ignored() -> None:
    line = '"a fox [dogs]" -s 20 -S 5 -W 512 -H 768 -C 7.5 -A k_euler_a'
    assert infotext.read(png(Dream=line.ljust(50_000))) == FOX
    assert infotext.read(png(Dream=line.ljust(50_001))) is None
