"""Tiny captioning and Stable Diffusion models with random weights and the files of real repositories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    GPT2Config,
    GPT2Tokenizer,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

_BYTE_ALPHABET = sorted(ByteLevel.alphabet())
_TINY_CONFIG: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 16,
    "patch_size": 8,
}
_MEAN_AND_STD = [0.5, 0.5, 0.5]
BETAS: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def save_vit_gpt2(folder: Path) -> Path:
    """Save a model like nlpconnect/vit-gpt2-image-captioning.

    It has a `.bin` file, an old preprocessor config, and one token for start, padding and end.
    """
    torch.manual_seed(0)
    end = len(_BYTE_ALPHABET)
    tokenizer = GPT2Tokenizer(vocab=_vocabulary(*_BYTE_ALPHABET, "<|endoftext|>"), merges=[])
    decoder = GPT2Config(
        vocab_size=end + 1,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        bos_token_id=end,
        eos_token_id=end,
        add_cross_attention=True,
        initializer_range=0.5,
    )
    special_tokens = dict.fromkeys(("decoder_start_token_id", "pad_token_id", "eos_token_id", "bos_token_id"), end)
    encoder = ViTConfig(**_TINY_CONFIG, initializer_range=0.5)
    config = VisionEncoderDecoderConfig(
        encoder=encoder.to_dict(), decoder=decoder.to_dict() | {"is_decoder": True}, **special_tokens
    )
    model = VisionEncoderDecoderModel(config)
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    tokenizer.save_pretrained(folder)
    _write(
        folder / "preprocessor_config.json",
        feature_extractor_type="ViTFeatureExtractor",
        do_normalize=True,
        do_resize=True,
        image_mean=_MEAN_AND_STD,
        image_std=_MEAN_AND_STD,
        resample=2,
        size=16,
    )
    return folder


def save_blip(folder: Path) -> Path:
    """Save a model like Salesforce/blip-image-captioning-base."""
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *"abcdefghijklmnopqrstuvwxyz"]
    text: dict[str, Any] = {
        "vocab_size": len(words),
        "encoder_hidden_size": 32,
        "max_position_embeddings": 64,
        "bos_token_id": words.index("[DEC]"),
        "eos_token_id": words.index("[CLS]"),
        "sep_token_id": words.index("[SEP]"),
        "pad_token_id": 0,
        "initializer_range": 0.5,
    }
    config = BlipConfig(text_config={**_TINY_CONFIG, **text}, vision_config={**_TINY_CONFIG, "initializer_range": 0.5})
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BertTokenizer(vocab=_vocabulary(*words), extra_special_tokens=["[DEC]"]).save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


def save_stable_diffusion(
    folder: Path, *, checker: bool = True, flags_everything: bool = False, latent_channels: int = 4
) -> Path:
    """Save a model like CompVis/stable-diffusion-v1-4, for pictures of 16 × 16 pixels."""
    torch.manual_seed(0)
    scheduler: Any = PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1)
    pipe = StableDiffusionPipeline(
        vae=autoencoder(latent_channels),
        text_encoder=text_encoder(),
        tokenizer=clip_tokenizer(),
        unet=unet(in_channels=latent_channels, out_channels=latent_channels),
        scheduler=scheduler,
        safety_checker=safety_checker(flags_everything) if checker else None,  # type: ignore[arg-type]
        feature_extractor=CLIPImageProcessorPil(size=16, crop_size=16),  # type: ignore[arg-type]
        requires_safety_checker=checker,
    )
    pipe.save_pretrained(folder)
    return folder


def save_stable_diffusion_xl(folder: Path) -> Path:
    """Save a model like stabilityai/stable-diffusion-xl-base-1.0, with two text encoders and no safety checker."""
    torch.manual_seed(0)
    scheduler: Any = EulerDiscreteScheduler(**BETAS, steps_offset=1)
    denoiser = unet(
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8,
        cross_attention_dim=64,
    )
    pipe = StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=text_encoder(),
        text_encoder_2=CLIPTextModelWithProjection(text_config()),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=denoiser,
        scheduler=scheduler,
    )
    pipe.save_pretrained(folder)
    return folder


def save_latent_consistency(folder: Path) -> Path:
    """Save a model like SimianLuo/LCM_Dreamshaper_v7, for few steps and with embedded guidance."""
    torch.manual_seed(0)
    pipe = LatentConsistencyModelPipeline(
        vae=autoencoder(),
        text_encoder=text_encoder(),
        tokenizer=clip_tokenizer(),
        unet=unet(time_cond_proj_dim=16),
        scheduler=LCMScheduler(**BETAS),
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder)
    return folder


def with_scheduler(folder: Path, **changes: Any) -> Path:
    """Change the scheduler config of the repository in `folder`."""
    file = folder / "scheduler" / "scheduler_config.json"
    _write(file, **{**json.loads(file.read_text(encoding="utf-8")), **changes})
    return folder


def autoencoder(latent_channels: int = 4) -> AutoencoderKL:
    """Return a tiny autoencoder that halves each side."""
    return AutoencoderKL(
        block_out_channels=(16, 16),  # type: ignore[arg-type]
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),  # type: ignore[arg-type]
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),  # type: ignore[arg-type]
        norm_num_groups=4,
        latent_channels=latent_channels,
        sample_size=16,
    )


def unet(cross_attention_dim: int = 32, **options: Any) -> UNet2DConditionModel:
    """Return a tiny UNet."""
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=4,
        cross_attention_dim=cross_attention_dim,
        **options,
    )


def text_encoder() -> CLIPTextModel:
    """Return a tiny text encoder of CLIP."""
    encoder = CLIPTextModel(text_config())
    torch.nn.init.normal_(encoder.final_layer_norm.bias)  # as in trained models, the mean of the states is not zero
    return encoder


def text_config() -> CLIPTextConfig:
    """Return the config of the text encoders."""
    return CLIPTextConfig(
        vocab_size=2 * len(_BYTE_ALPHABET) + 2,
        hidden_size=32,
        intermediate_size=64,
        projection_dim=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=2 * len(_BYTE_ALPHABET),
        eos_token_id=2 * len(_BYTE_ALPHABET) + 1,
    )


def clip_tokenizer() -> CLIPTokenizer:
    """Return a tokenizer of CLIP with one token for each byte."""
    word_ends = [letter + "</w>" for letter in _BYTE_ALPHABET]
    vocabulary = _vocabulary(*_BYTE_ALPHABET, *word_ends, "<|startoftext|>", "<|endoftext|>")
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def safety_checker(flags_everything: bool) -> StableDiffusionSafetyChecker:
    """Return a safety checker that flags all pictures or none."""
    vision_config_values = {**_TINY_CONFIG, "projection_dim": 16}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(text_config={}, vision_config=vision_config_values, projection_dim=16)
    )
    threshold = -2.0 if flags_everything else 2.0  # every cosine similarity is above -2 and below 2
    torch.nn.init.constant_(checker.concept_embeds_weights, threshold)
    torch.nn.init.constant_(checker.special_care_embeds_weights, 2.0)
    return checker


def _vocabulary(*words: str) -> dict[str, int]:
    return {word: i for i, word in enumerate(words)}


def _write(file: Path, **content: Any) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
