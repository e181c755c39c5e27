"""Test that the parameters of other programs' pictures are read, wherever and however they wrote them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from inference import ImagineRequest, infotext
from inference.tasks.comfyui_graph import graph_fields
from inference.types.errors import EMPTY_PHRASE
from tests.inference.images.test_decoding import encode
from tests.inference.images.test_side_data import chunk, jpeg_with, png_with, segment

FOX = ImagineRequest(
    prompt="a fox",
    negative_prompt="dogs",
    width=512,
    height=768,
    steps=20,
    guidance_scale=7.5,
    sampler="Euler a",
    seed=5,
)


def png(**texts: object) -> bytes:
    """Return a PNG file with these texts; objects are written as JSON."""
    info = PngImagePlugin.PngInfo()
    for name, value in texts.items():
        info.add_itxt(name.replace("__", "-"), value if isinstance(value, str) else json.dumps(value))
    return encode(Image.new("RGB", (8, 8)), pnginfo=info)


def jpeg(comment: str, tag: int = 0x9286, kind: str = "JPEG") -> bytes:
    """Return a picture with a text in its EXIF."""
    exif = Image.Exif()
    if tag == 0x9286:
        exif.get_ifd(0x8769)[tag] = b"UNICODE\0" + comment.encode("utf-16-le")
    else:
        exif[tag] = comment
    return encode(Image.new("RGB", (8, 8)), kind, exif=exif)


SAMPLER: dict[str, Any] = {"seed": 5, "steps": 20, "cfg": 7.5, "sampler_name": "euler_ancestral", "denoise": 1}

COMFYUI: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {**SAMPLER, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "dogs", "clip": ["4", 1]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
}

LINKED: dict[str, Any] = {
    **COMFYUI,
    "1": {  # a second pass over the first
        "class_type": "KSampler",
        "inputs": {
            **SAMPLER,
            "seed": 99,
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["2", 0],
        },
    },
    "2": {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0], "width": 1024, "height": 1536}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            **SAMPLER,
            "seed": ["10", 0],
            "positive": ["11", 0],
            "negative": ["11", 1],
            "latent_image": ["5", 0],
        },
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["4", 1]}},
    "10": {"class_type": "Seed (rgthree)", "inputs": {"seed": 5}},
    "11": {"class_type": "ControlNetApplyAdvanced", "inputs": {"negative": ["7", 0], "positive": ["6", 0]}},
    "12": {"class_type": "String Literal", "inputs": {"string": "a fox"}},
}
del LINKED["1"]["inputs"]["denoise"]

IN_PARTS: dict[str, Any] = {
    "1": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["2", 0],
            "guider": ["3", 0],
            "sampler": ["4", 0],
            "sigmas": ["5", 0],
            "latent_image": ["6", 0],
        },
    },
    "2": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}},
    "3": {"class_type": "CFGGuider", "inputs": {"cfg": 7.5, "positive": ["7", 0], "negative": ["8", 0]}},
    "4": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler_ancestral"}},
    "5": {"class_type": "BasicScheduler", "inputs": {"steps": 20, "scheduler": "normal"}},
    "6": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 512, "height": 768}},
    "7": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["9", 0]}},
    "8": {"class_type": "CLIPTextEncode", "inputs": {"text": "dogs"}},
    "9": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}},
}

EFFICIENT: dict[str, Any] = {
    "1": {
        "class_type": "Efficient Loader",
        "inputs": {"positive": "a fox", "negative": "dogs", "empty_latent_width": 512, "empty_latent_height": 768},
    },
    "2": {
        "class_type": "KSampler (Efficient)",
        "inputs": {**SAMPLER, "positive": ["1", 1], "negative": ["1", 2], "latent_image": ["1", 3]},
    },
}

WORKFLOW: dict[str, Any] = {
    "nodes": [
        {
            "id": 3,
            "type": "KSampler",
            "inputs": [
                {"name": "model", "link": None},
                {"name": "positive", "link": 4},
                {"name": "negative", "link": 6},
                {"name": "latent_image", "link": 2},
            ],
            "widgets_values": [5, "randomize", 20, 7.5, "euler_ancestral", "normal", 1],
        },
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a fox"]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["dogs"]},
        {"id": 8, "type": "Note", "widgets_values": None},
    ],
    "links": [[4, 6, 0, 3, 1, "CONDITIONING"], [6, 7, 0, 3, 2, "CONDITIONING"], [2, 5, 0, 3, 3, "LATENT"], None],
}

NEWER_WORKFLOW = {
    **WORKFLOW,
    "links": [
        {"id": link[0], "origin_id": link[1], "origin_slot": link[2], "target_id": link[3]}
        for link in filter(None, WORKFLOW["links"])
    ],
}

FIELDS: dict[str, Any] = {"steps": 20, "width": 512, "height": 768, "seed": 5}
INVOKEAI = {
    **FIELDS,
    "app_version": "5.0.0",
    "positive_prompt": "a fox",
    "negative_prompt": "dogs",
    "cfg_scale": 7.5,
    "scheduler": "euler_a",
    "model": {"name": "x"},
}
FIRST_INVOKEAI = {
    "model": "stable diffusion",
    "image": {
        **FIELDS,
        "prompt": [{"prompt": "a fox [dogs]", "weight": 1}],
        "cfg_scale": 7.5,
        "sampler": "k_euler_a",
    },
}
NOVELAI = {
    **FIELDS,
    "scale": 7.5,
    "uc": "dogs",
    "sampler": "k_euler_ancestral",
    "request_type": "PromptGenerateRequest",
}
SWARMUI = {
    "sui_image_params": {
        **FIELDS,
        "prompt": "a fox",
        "negativeprompt": "dogs",
        "cfgscale": 7.5,
        "sampler": "euler_ancestral",
        "swarm_version": "0.9",
    }
}
FOOOCUS = {
    "prompt": "a fox",
    "negative_prompt": "dogs",
    "steps": 20,
    "resolution": "(512, 768)",
    "guidance_scale": 7.5,
    "sampler": "euler_ancestral",
    "seed": "5",
    "version": "Fooocus v2.5",
}
OLD_FOOOCUS = {
    "Prompt": "a fox",
    "Negative Prompt": "dogs",
    "Steps": 20,
    "Resolution": "(512, 768)",
    "Guidance Scale": 7.5,
    "Sampler": "euler_ancestral",
    "Seed": 5,
}
DRAW_THINGS = {
    "c": "a fox",
    "uc": "dogs",
    "steps": 20,
    "size": "512x768",
    "scale": 7.5,
    "sampler": "Euler a",
    "seed": 5,
}


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


TEXT = "a fox\nNegative prompt: dogs\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 512x768"


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


def test_a_negative_prompt_that_is_zeroed_out_is_none() -> None:
    zeroed = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    assert infotext.read(png(prompt={**COMFYUI, "7": zeroed})) == replace(FOX, negative_prompt="")


def test_a_comment_of_a_camera_is_no_parameter() -> None:
    assert infotext.read(jpeg("Screenshot")) is None


def test_a_line_of_commands_that_is_too_long_is_ignored() -> None:
    line = '"a fox [dogs]" -s 20 -S 5 -W 512 -H 768 -C 7.5 -A k_euler_a'
    assert infotext.read(png(Dream=line.ljust(50_000))) == FOX
    assert infotext.read(png(Dream=line.ljust(50_001))) is None


class CountedNode(dict[str, Any]):
    """A node that counts how often nodes are looked into."""

    looks = 0

    def get(self, key: str, default: Any = None, /) -> Any:
        CountedNode.looks += 1
        return super().get(key, default)


def looks_at(samplers: int) -> int:
    """Return how often nodes are looked into in a chain of samplers without a size."""
    prompts = {"positive": ["text", 0], "negative": ["text", 0]}
    graph = {
        str(number): CountedNode(inputs={**SAMPLER, **prompts, "latent_image": [str(number + 1), 0]})
        for number in range(samplers)
    }
    CountedNode.looks = 0
    assert graph_fields({**graph, "text": {"inputs": {"text": "a fox"}}})["prompt"] == "a fox"
    return CountedNode.looks


def test_a_graph_of_many_samplers_is_read_in_linear_time() -> None:
    assert looks_at(400) < 2.1 * looks_at(200)


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


def with_text(**nodes: dict[str, Any]) -> dict[str, Any]:
    """Return a graph whose prompt comes from these nodes, the first of which is `a`."""
    encoder = {"class_type": "CLIPTextEncode", "inputs": {"text": ["a", 0]}}
    return {**COMFYUI, "6": encoder, **{name: {"class_type": name, "inputs": node} for name, node in nodes.items()}}


@pytest.mark.parametrize(
    ("graph", "prompt"),
    [
        (with_text(a={"delimiter": ", ", "string_a": "a fox", "string_b": "snow"}), "a fox, snow"),
        (
            with_text(a={"delimiter": " ", "text_a": ["b", 0], "text_c": "x", "text_b": ["c", 0]}, b={"string": "a"}),
            "a x",
        ),
        (with_text(a={"delimiter": " ", "text1": ["a", 0], "text2": "a fox"}), "a fox"),
        (with_text(a={"text": ["b", 0], "text_0": "a fox"}, b={"instruction": "Write a prompt."}), "a fox"),
    ],
)
def test_a_prompt_that_a_graph_joins_from_parts_is_whole(graph: dict[str, Any], prompt: str) -> None:
    assert graph_fields(graph)["prompt"] == prompt


def test_a_chain_of_nodes_that_join_texts_is_read_in_time() -> None:
    chain = {f"n{i}": {"delimiter": "", "text_a": [f"n{i + 1}", 0], "text_b": [f"n{i + 1}", 0]} for i in range(5000)}
    assert "prompt" not in graph_fields(with_text(a={"delimiter": "", "text_a": ["n0", 0]}, **chain))
