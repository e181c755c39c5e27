"""Tiny models that read pictures, with random weights and the files of real repositories."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AddedToken,
    AutoModelForImageTextToText,
    BlipImageProcessorPil,
    CLIPImageProcessorPil,
    Gemma3ImageProcessorPil,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessorPil,
    SiglipImageProcessorPil,
    SmolVLMImageProcessorPil,
)

from bench.tiny_models import VOCABULARY, tiny_model

_SIDE = {"height": 32, "width": 32}

CHAT = (
    "{% for m in messages %}<s>{{ m['role'] }}:"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}PLACE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant:{% endif %}"
)


def _smolvlm(config: Any) -> tuple[Any, dict[str, Any]]:
    images = SmolVLMImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}, do_image_splitting=True
    )
    return images, {"processor_class": "SmolVLMProcessor", "image_seq_len": 4}


def _qwen2_5_vl(config: Any) -> tuple[Any, dict[str, Any]]:
    images = Qwen2VLImageProcessorPil(patch_size=8, min_pixels=16 * 16, max_pixels=64 * 64)
    return images, {"processor_class": "Qwen2_5_VLProcessor"}


def _llava(config: Any) -> tuple[Any, dict[str, Any]]:
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=_SIDE)
    more = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return images, {"processor_class": "LlavaProcessor", **more}


def _gemma3(config: Any) -> tuple[Any, dict[str, Any]]:
    return Gemma3ImageProcessorPil(size=_SIDE), {"processor_class": "Gemma3Processor", "image_seq_length": 4}


def _paligemma(config: Any) -> tuple[Any, dict[str, Any]]:
    images: Any = SiglipImageProcessorPil(size=_SIDE)
    images.image_seq_length = 16
    return images, {"processor_class": "PaliGemmaProcessor"}


def _blip_2(config: Any) -> tuple[Any, dict[str, Any]]:
    more = {"num_query_tokens": config.num_query_tokens}
    return BlipImageProcessorPil(size=_SIDE), {"processor_class": "Blip2Processor", **more}


def _git(config: Any) -> tuple[Any, dict[str, Any]]:
    return CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=_SIDE), {"processor_class": "GitProcessor"}


def _florence2(config: Any) -> tuple[Any, dict[str, Any]]:
    images: Any = CLIPImageProcessorPil(size=_SIDE, crop_size=_SIDE)
    images.image_seq_length = 2
    return images, {"processor_class": "Florence2Processor", "post_processor_config": {"pure_text": {}}}


# The image processor of each type with its processor's settings, and the special tokens by their names in the config.
_TYPES: dict[str, tuple[Callable[[Any], tuple[Any, dict[str, Any]]], dict[str, str], str]] = {
    "smolvlm": (_smolvlm, {"image_token_id": "<image>"}, "<image>"),
    "qwen2_5_vl": (
        _qwen2_5_vl,
        {
            "image_token_id": "<|image_pad|>",
            "video_token_id": "<|video_pad|>",
            "vision_start_token_id": "<|vision_start|>",
            "vision_end_token_id": "<|vision_end|>",
        },
        "<|vision_start|><|image_pad|><|vision_end|>",
    ),
    "llava": (_llava, {"image_token_index": "<image>"}, "<image>"),
    "gemma3": (
        _gemma3,
        {"boi_token_index": "<boi>", "eoi_token_index": "<eoi>", "image_token_index": "<image>"},
        "<boi>",
    ),
    "paligemma": (_paligemma, {"image_token_index": "<image>"}, ""),
    "blip-2": (_blip_2, {"image_token_index": "<image>"}, ""),
    "git": (_git, {}, ""),
    "florence2": (_florence2, {"image_token_id": "<image>"}, ""),
}

TYPES = tuple(_TYPES)

_NAMED = {"<image>": "image_token", "<boi>": "boi_token", "<eoi>": "eoi_token", "<|image_pad|>": "image_token"}
"""The attributes of the tokenizer under which processors find their special tokens. BLIP-2's tokenizers have none."""


_PARTS = (
    "<fake_token_around_image>",
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2, 3, 4)),
)
"""The tokens around the parts into which SmolVLM divides a picture."""


def save_image_text(folder: Path, model_type: str, *, template: str = CHAT) -> Path:
    """Save a model of the type with its processor. Types without a chat template of their own get none."""
    make, names, place = _TYPES[model_type]
    model: Any = tiny_model(model_type, AutoModelForImageTextToText)
    model.generation_config.eos_token_id = 1
    model.save_pretrained(folder)
    images, settings = make(model.config)
    images.save_pretrained(folder)
    special = {getattr(model.config, name): token for name, token in names.items()}
    special |= dict(zip(range(180, 190), _PARTS, strict=True)) if model_type == "smolvlm" else {}
    _save_tokenizer(folder, special, named={} if model_type == "blip-2" else _NAMED)
    if place:
        (folder / "chat_template.jinja").write_text(template.replace("PLACE", place), encoding="utf-8")
    (folder / "processor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def _save_tokenizer(folder: Path, special: dict[int, str], *, named: dict[str, str]) -> None:
    """Save a tokenizer with one token for each byte that texts in English need, and tokens at the given ids."""
    tokens = {"<s>": 0, "</s>": 1, "<pad>": 2}
    tokens |= {token: number for number, token in special.items()}
    free = (number for number in range(3, VOCABULARY) if number not in special)
    alphabet = [*"\nabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,:?<>_0123456789'"]
    tokens |= dict(zip(alphabet, free, strict=False))
    tokens |= {f"[{number}]": number for number in free}
    model = Tokenizer(models.WordLevel(tokens, unk_token="."))
    model.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    model.decoder = decoders.Fuse()
    model.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=model,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={named[token]: token for token in special.values() if token in named},
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special.values()])
    tokenizer.save_pretrained(folder)
