"""The trained parts put together: a Stable Diffusion pipeline, its folder, and a sheet of what it draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor2_0
from PIL import Image
from transformers import CLIPTokenizer

from inference.text.known_concepts import FILE as NAMES
from starter.drawings.vocabulary import things
from starter.train.denoiser import Denoiser, new_scheduler

SHEET = (
    *("red heart", "blue circle", "yellow square", "purple heart", "green circle", "orange square", "star", "blue car"),
    *("cat", "panda", "fish", "butterfly", "red apple", "banana", "pizza", "hamburger"),
    *("car", "rocket", "house", "sun", "umbrella", "guitar", "gift", "smiling face"),
)
"""What a sheet shows: among them the three held-out things."""

_GUIDANCE = 3.0


def pipeline(tokenizer: CLIPTokenizer, networks: Denoiser, autoencoder: Any) -> StableDiffusionPipeline:
    """The parts, as diffusers runs and saves them."""
    networks.unet.set_attn_processor(AttnProcessor2_0())
    pipe = StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=networks.text_encoder,
        tokenizer=tokenizer,
        unet=networks.unet,
        scheduler=new_scheduler(),  # type: ignore[arg-type]
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def save(pipe: StableDiffusionPipeline, folder: Path) -> None:
    """In `folder`, numbers in half precision, as `inference` reads it."""
    pipe.to(dtype=torch.float16).save_pretrained(folder)
    write_names(folder)


def write_names(folder: Path) -> None:
    """The list of what the model knows, for the bot's help and for what it says of other words."""
    kinds: dict[str, list[str]] = {}
    for thing in things():
        kinds.setdefault(thing.category, []).append(thing.name)
    lines = (f"{kind}: {', '.join(names)}\n" for kind, names in kinds.items())
    (folder / NAMES).write_text("".join(lines), encoding="utf-8")


def draw_sheet(pipe: StableDiffusionPipeline, file: Path, prompts: Sequence[str] = SHEET, across: int = 8) -> None:
    """One picture of each prompt, in rows of `across`, always from the same noise."""
    generators = [torch.Generator().manual_seed(i) for i in range(len(prompts))]
    drawn: Any = pipe(list(prompts), guidance_scale=_GUIDANCE, num_inference_steps=20, generator=generators)
    images: list[Image.Image] = drawn.images
    side = images[0].width
    sheet = Image.new("RGB", (side * across, side * -(-len(images) // across)))
    for i, image in enumerate(images):
        sheet.paste(image, (i % across * side, i // across * side))
    sheet.save(file)
