"""Test images in numbers of 16 bits, and numbers that overflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForText2Image
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.types.errors import GenerationFailed
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_pipeline import (
    CAT,
    CPU,
    SPEC,
    generate,
    open_png,
    pngs,
    stopped_clock,
)
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl


@pytest.mark.parametrize("save", [save_stable_diffusion, save_stable_diffusion_xl])
@pytest.mark.parametrize("mode", ["text", "image", "inpaint"])
def test_an_autoencoder_that_overflows_in_float16_computes_in_float32(
    save: Callable[[Path], Path], mode: str, tmp_path: Path
) -> None:
    pipe: Any = AutoPipelineForText2Image.from_pretrained(save(tmp_path))
    for part in (pipe.vae.encoder, pipe.vae.decoder):
        part.conv_in.weight.data *= 2e5  # the layers after it bring the numbers back to their usual size
    pipe.save_pretrained(tmp_path)
    image = {} if mode == "text" else {"image": encode_png(Image.linear_gradient("L").resize((16, 16)).convert("RGB"))}
    request = replace(CAT, **image, region="left half" if mode == "inpaint" else "")
    (expected,) = generate(TextToImage.load(SPEC, tmp_path, CPU), request)
    half = TextToImage.load(SPEC, tmp_path, Placement(torch.device("cpu"), torch.float16))
    for _ in range(2):
        (result,) = generate(half, request)
        ours, theirs = (np.asarray(open_png(png), dtype=int) for png in pngs(result, expected))
        assert np.abs(ours - theirs).mean() < 8


def test_an_autoencoder_that_is_made_for_float16_stays_in_it(tmp_path: Path) -> None:
    save_stable_diffusion(tmp_path)
    config = tmp_path / "vae" / "config.json"
    config.write_text(config.read_text().replace('"force_upcast": true', '"force_upcast": false'))
    pipe = read_pipeline(tmp_path, Placement(torch.device("cpu"), torch.float16))
    assert pipe.vae.dtype == torch.float16


def test_bfloat16_halves_the_memory_and_gives_nearly_the_same_image(pipeline: TextToImage, folder: Path) -> None:
    bfloat16 = TextToImage.load(SPEC, folder, Placement(torch.device("cpu"), torch.bfloat16))
    assert bfloat16.nbytes < 0.6 * pipeline.nbytes
    ours, full = (np.asarray(open_png(*pngs(*generate(p, CAT))), dtype=float) for p in (bfloat16, pipeline))
    assert np.abs(ours - full).mean() < 6
    assert full.std() > 12


def test_numeric_overflow_is_an_error_and_gives_no_black_image(folder: Path) -> None:
    pipe = read_pipeline(folder, CPU)
    pipe.vae.decoder.conv_out.bias.data.fill_(float("nan"))
    (latents,) = run(TextToImage(pipe, clock=stopped_clock), CAT)
    assert isinstance(latents, GenerationFailed)
    assert "overflowed" in latents.user_message
    pipe.unet.conv_out.bias.data.fill_(float("inf"))
    (pixels,) = run(TextToImage(pipe, clock=stopped_clock), CAT)
    assert isinstance(pixels, GenerationFailed)
    assert "overflowed" in pixels.user_message
