"""The trained parts as a Stable Diffusion pipeline, saved to a folder, and a sheet of its images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor2_0
from PIL import Image
from transformers import CLIPTokenizer

from inference.text.known_concepts import FILE as CONCEPTS_FILE
from starter.drawings.vocabulary import things
from starter.train.denoiser import Denoiser, new_scheduler

SHEET_PROMPTS = (
    *("red heart", "blue circle", "yellow square", "purple heart", "green circle", "orange square", "star", "blue car"),
    *("cat", "panda", "fish", "butterfly", "red apple", "banana", "pizza", "hamburger"),
    *("car", "rocket", "house", "sun", "umbrella", "guitar", "gift", "smiling face"),
)
"""The prompts of a sheet, with the three held-out things."""

_GUIDANCE = 3.0


def pipeline(tokenizer: CLIPTokenizer, networks: Denoiser, autoencoder: Any) -> StableDiffusionPipeline:
    """Return the parts as a diffusers pipeline."""
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
    """Save the pipeline to `folder` in half precision, as `inference` reads it."""
    pipe.to(dtype=torch.float16).save_pretrained(folder)
    write_names(folder)


def write_names(folder: Path) -> None:
    """Write the list of known concepts, for the bot's help and its notes about unknown words."""
    names_by_category: dict[str, list[str]] = {}
    for thing in things():
        names_by_category.setdefault(thing.category, []).append(thing.name)
    lines = (f"{category}: {', '.join(names)}\n" for category, names in names_by_category.items())
    (folder / CONCEPTS_FILE).write_text("".join(lines), encoding="utf-8")


def draw_sheet(
    pipe: StableDiffusionPipeline, file: Path, prompts: Sequence[str] = SHEET_PROMPTS, columns: int = 8
) -> None:
    """Generate one image per prompt, in rows of `columns`, always from the same noise."""
    generators = [torch.Generator().manual_seed(i) for i in range(len(prompts))]
    output: Any = pipe(list(prompts), guidance_scale=_GUIDANCE, num_inference_steps=20, generator=generators)
    images: list[Image.Image] = output.images
    side = images[0].width
    sheet = Image.new("RGB", (side * columns, side * -(-len(images) // columns)))
    for i, image in enumerate(images):
        sheet.paste(image, (i % columns * side, i // columns * side))
    sheet.save(file)
