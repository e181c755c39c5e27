"""The same request, as other programs write it into their pictures."""

from __future__ import annotations

import json
from typing import Any

from PIL import Image, PngImagePlugin

from inference import ImagineRequest
from tests.inference.images.test_decoding import encode

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

TEXT = "a fox\nNegative prompt: dogs\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 5, Size: 512x768"
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
