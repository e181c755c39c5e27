"""Test previews by a small decoder that the operator has chosen."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from PIL import Image

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.latent_preview import LatentPreviews
from inference.pipelines.text_to_image.loading import read_pipeline, read_preview_decoder
from inference.pipelines.text_to_image.safety_checker import SafetyChecker
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec, Progress
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import MemoryBatch
from tests.inference.pipelines.tiny_images import save_stable_diffusion

CPU = Placement(torch.device("cpu"), torch.float32)
CAT = ImagineRequest(prompt="a cat", sampler="DDIM", steps=7, seed=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


def save_decoder(folder: Path, latent_channels: int = 4) -> ModelSpec:
    """Save a decoder as small as TAESD, and return the spec of a model that has chosen it."""
    torch.manual_seed(0)
    AutoencoderTiny(latent_channels=latent_channels).save_pretrained(folder)
    return ModelSpec(name="tiny", task="imagine", repo="tiny", preview_decoder="org/taesd", companion=str(folder))


def test_previews_are_the_pixels_of_the_decoder(folder: Path, tmp_path: Path) -> None:
    pipe, spec = read_pipeline(folder, CPU), save_decoder(tmp_path)
    previews = LatentPreviews(pipe, SafetyChecker(pipe), decoder=read_preview_decoder(spec, pipe, CPU))
    latents = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        decoded: Any = AutoencoderTiny.from_pretrained(tmp_path).decode(latents[None]).sample[0]  # type: ignore[union-attr]
    expected = Image.fromarray((decoded.permute(1, 2, 0).add(1).div(2).clamp(0, 1) * 255).byte().numpy())
    expected = expected.resize((32, 32), Image.Resampling.BICUBIC)
    preview = previews.draw(latents)
    assert preview
    assert np.array_equal(np.asarray(Image.open(BytesIO(preview))), np.asarray(expected))


def test_only_previews_change_and_the_decoder_counts_as_memory(folder: Path, tmp_path: Path) -> None:
    spec = save_decoder(tmp_path)
    drawn: list[tuple[bytes, list[bytes]]] = []
    sizes: list[int] = []
    for each in (replace(spec, preview_decoder="", companion=""), spec):
        batch = MemoryBatch.of(CAT)
        pipeline = TextToImage.load(each, folder, CPU)
        pipeline._previews._clock = lambda batch=batch: float(batch.yield_points)  # pyright: ignore[reportPrivateUsage]
        pipeline._previews._last = 0  # pyright: ignore[reportPrivateUsage]
        (result,) = batch.run(pipeline)
        assert isinstance(result, ImageResult)
        events = [event.preview for event in batch.jobs[0].events if isinstance(event, Progress) and event.preview]
        drawn.append((result.pictures[0].png, events))
        sizes.append(pipeline.nbytes)
    (picture, estimated), (same_picture, decoded) = drawn
    assert picture == same_picture
    assert len(estimated) == len(decoded) > 0
    assert estimated != decoded
    weights = sum(each.numel() for each in AutoencoderTiny.from_pretrained(tmp_path).decoder.parameters())  # type: ignore[union-attr]
    assert sizes[1] - sizes[0] == weights * 4


def test_a_decoder_for_other_latents_is_refused_with_the_next_step(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="has to name another `preview_decoder`"):
        TextToImage.load(save_decoder(tmp_path, latent_channels=16), folder, CPU)
    with pytest.raises(ModelUnavailable, match="that is no AutoencoderTiny"):
        TextToImage.load(replace(save_decoder(tmp_path), companion=str(folder / "vae")), folder, CPU)
