"""Tiny models that edit pictures, with random weights and the files of real repositories."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    CLIPTextModelWithProjection,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

from bench.tiny_models import VOCABULARY
from inference.pipelines.image_text_to_text.processor import read_processor
from tests.inference.pipelines import tiny_images
from tests.inference.pipelines.text_to_image.tiny_parts import (
    SHIFTED,
    autoencoder,
    flow,
    flux2_autoencoder,
    flux2_transformer,
    flux_transformer,
    library,
    qwen_autoencoder,
)
from tests.inference.pipelines.tiny_image_text import save_image_text


def save_editing_model(folder: Path, name: str, *, flags_everything: bool = False) -> Path:
    """Save a tiny model whose pipeline class has this name."""
    torch.manual_seed(0)
    components = MODELS[name](folder / "parts")
    if flags_everything:
        components["safety_checker"] = tiny_images.safety_checker(flags_everything=True)
    getattr(library, name)(**components).save_pretrained(folder / "model")
    return folder / "model"


def _instruct_pix2pix(folder: Path) -> dict[str, Any]:
    return {
        "vae": tiny_images.autoencoder(),
        "text_encoder": tiny_images.text_encoder(),
        "tokenizer": tiny_images.clip_tokenizer(),
        "unet": tiny_images.unet(in_channels=8, out_channels=4),
        "scheduler": library.EulerAncestralDiscreteScheduler(**tiny_images.BETAS),
        "safety_checker": tiny_images.safety_checker(flags_everything=False),
        "feature_extractor": tiny_images.CLIPImageProcessorPil(size=16, crop_size=16),
    }


def _instruct_pix2pix_xl(folder: Path) -> dict[str, Any]:
    return {
        "vae": tiny_images.autoencoder(),
        "text_encoder": tiny_images.text_encoder(),
        "text_encoder_2": CLIPTextModelWithProjection(tiny_images.text_config()),
        "tokenizer": tiny_images.clip_tokenizer(),
        "tokenizer_2": tiny_images.clip_tokenizer(),
        "unet": tiny_images.unet(
            in_channels=8,
            out_channels=4,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=32 + 6 * 8,
            cross_attention_dim=64,
        ),
        "scheduler": library.EulerAncestralDiscreteScheduler(**tiny_images.BETAS),
    }


def _flux_kontext(folder: Path) -> dict[str, Any]:
    text = T5Config(vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=32, num_layers=2, num_heads=4)
    return {
        "vae": autoencoder(4),
        "text_encoder": tiny_images.text_encoder(),
        "text_encoder_2": T5EncoderModel(text),
        "tokenizer": tiny_images.clip_tokenizer(),
        "tokenizer_2": _qwen_parts(folder)[1].tokenizer,
        "transformer": flux_transformer(library.FluxTransformer2DModel, pooled_projection_dim=32, guidance_embeds=True),
        "scheduler": flow(**SHIFTED),
    }


def _flux2_klein(folder: Path) -> dict[str, Any]:
    text = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
    )
    return {
        "vae": flux2_autoencoder(),
        "text_encoder": Qwen3ForCausalLM(text),
        "tokenizer": _qwen_parts(folder)[1].tokenizer,
        "transformer": flux2_transformer(48),
        "scheduler": flow(**SHIFTED),
        "is_distilled": True,
    }


def _flux2(folder: Path) -> dict[str, Any]:
    text: dict[str, Any] = {
        "model_type": "mistral",
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 31,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
    }
    vision: dict[str, Any] = {
        "model_type": "pixtral",
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    klein = {name: part for name, part in _flux2_klein(folder).items() if name != "is_distilled"}
    text_encoder = Mistral3ForConditionalGeneration(Mistral3Config(text_config=text, vision_config=vision))
    return {**klein, "text_encoder": text_encoder, "tokenizer": _qwen_parts(folder)[1]}


def _qwen(folder: Path) -> dict[str, Any]:
    text_encoder, processor = _qwen_parts(folder)
    transformer = library.QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=text_encoder.config.text_config.hidden_size,
        axes_dims_rope=(4, 4, 8),
    )
    return {
        "vae": qwen_autoencoder(),
        "text_encoder": text_encoder,
        "tokenizer": processor.tokenizer,
        "processor": processor,
        "transformer": transformer,
        "scheduler": flow(**SHIFTED),
    }


def _qwen_parts(folder: Path) -> tuple[Any, Any]:
    """Return a tiny Qwen2.5-VL with its processor."""
    if not folder.exists():
        save_image_text(folder, "qwen2_5_vl")
    processor = read_processor(folder)

    def save_pretrained(directory: str, **_: object) -> None:
        """Copy the files: the processor itself can't be saved without its part for videos."""
        Path(directory).mkdir(parents=True, exist_ok=True)
        for file in (*folder.glob("*.json"), *folder.glob("*.jinja")):
            shutil.copy(file, directory)

    processor.save_pretrained = save_pretrained
    return AutoModelForImageTextToText.from_pretrained(folder), processor


MODELS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "StableDiffusionInstructPix2PixPipeline": _instruct_pix2pix,
    "StableDiffusionXLInstructPix2PixPipeline": _instruct_pix2pix_xl,
    "FluxKontextPipeline": _flux_kontext,
    "Flux2Pipeline": _flux2,
    "Flux2KleinPipeline": _flux2_klein,
    "QwenImageEditPipeline": _qwen,
    "QwenImageEditPlusPipeline": _qwen,
}
