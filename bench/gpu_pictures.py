"""Pictures by Stable Diffusion with random weights, compared with stock diffusers: a part of `bench.gpu`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from diffusers import (  # pyright: ignore[reportPrivateImportUsage]
    AutoencoderKL,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
)

from bench.gpu_comparison import Comparison, Peak, Sizes
from bench.models import FixedBatch, SingleJob
from inference import ImageResult, ImagineRequest, Progress
from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.types import Event

_PROMPT = "a lighthouse at dusk, oil on canvas"
_GUIDANCE = 7.5


def compare_pictures(placement: Placement, sizes: Sizes) -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _stable_diffusion(sizes).save_pretrained(folder)
        stock: Any = StableDiffusionPipeline.from_pretrained(folder, dtype=placement.dtype).to(placement.device)
        stock.set_progress_bar_config(disable=True)
        pipe = read_pipeline(folder, placement)
        reference = _reference(folder, placement, sizes)
    what = f"Stable Diffusion 1.4, {sizes.side}²"
    ours, one_by_one = TextToImage(pipe, max_batch_size=4), TextToImage(pipe, max_batch_size=1)
    _draw(ours, sizes, 1)  # the first calls warm up
    _draw_by_stock(stock, sizes, 1)
    with Peak(placement.device) as memory:
        picture = _draw(ours, sizes, 1)
    with Peak(placement.device) as memory_of_stock:
        stock_picture = _draw_by_stock(stock, sizes, 1)
    yield Comparison(f"{what}: a step with guidance", "s", picture.step, stock_picture.step)
    yield Comparison(f"{what}: a picture of {sizes.steps} steps", "s", picture.seconds, stock_picture.seconds)
    yield Comparison(f"{what}: peak memory, both models loaded", "GB", memory.gigabytes, memory_of_stock.gigabytes)
    error, error_of_stock = (_difference(each.pixels, reference) for each in (picture, stock_picture))
    yield Comparison(f"{what}: mean difference from stock in float32, of 255", "", error, error_of_stock)
    again = _draw(ours, sizes, 1)
    yield Comparison(
        f"{what}: largest difference when drawn again, of 255", "", float(np.abs(again.pixels - picture.pixels).max())
    )
    _draw(ours, sizes, 4)
    _draw_by_stock(stock, sizes, 4)
    together, of_stock = _draw(ours, sizes, 4), _draw_by_stock(stock, sizes, 4)
    yield Comparison(f"{what}: 4 pictures together", "s", together.seconds, of_stock.seconds)
    yield Comparison(
        f"{what}: 4 pictures together, over one by one", "s", together.seconds, _draw(one_by_one, sizes, 4).seconds
    )
    difference = _difference(together.pixels, picture.pixels)
    yield Comparison(f"{what}: mean difference of a picture of 4 from the one alone, of 255", "", difference)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first picture, and seconds for a step and for all pictures."""

    pixels: Any
    step: float
    seconds: float


def _draw(pipeline: TextToImage, sizes: Sizes, count: int) -> Drawn:
    moments: list[float] = []

    def record_step(event: Event) -> None:
        if isinstance(event, Progress):
            moments.append(time.perf_counter())

    size: dict[str, Any] = {"width": sizes.side, "height": sizes.side, "steps": sizes.steps}
    request = ImagineRequest(prompt=_PROMPT, sampler="PNDM", guidance_scale=_GUIDANCE, seed=1, count=count, **size)
    job = SingleJob(request, record_step)
    seconds = _seconds(lambda: pipeline.run(FixedBatch.of(job)))
    assert isinstance(job.value, ImageResult)
    picture = Image.open(BytesIO(job.value.pictures[0].png))
    return Drawn(_pixels(picture), _gap(moments), seconds)


def _draw_by_stock(pipe: Any, sizes: Sizes, count: int) -> Drawn:
    moments: list[float] = []
    pictures: list[Image.Image] = []

    def record_step(_: Any, __: int, ___: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        tensors["latents"].flatten()[0].item()  # wait for the device
        moments.append(time.perf_counter())
        return {}

    def draw() -> None:
        output = pipe(
            _PROMPT,
            num_images_per_prompt=count,
            num_inference_steps=sizes.steps,
            guidance_scale=_GUIDANCE,
            width=sizes.side,
            height=sizes.side,
            generator=[torch.Generator().manual_seed(1 + i) for i in range(count)],
            callback_on_step_end=record_step,
        )
        pictures.extend(output.images)

    seconds = _seconds(draw)
    return Drawn(_pixels(pictures[0]), _gap(moments), seconds)


def _reference(folder: Path, placement: Placement, sizes: Sizes) -> Any:
    """Return the pixels that stock diffusers draws in float32."""
    pipe: Any = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32).to(placement.device)
    pipe.set_progress_bar_config(disable=True)
    return _draw_by_stock(pipe, sizes, 1).pixels


def _stable_diffusion(sizes: Sizes) -> StableDiffusionPipeline:
    """Return Stable Diffusion 1.4 with random weights, and with single characters as its vocabulary."""
    torch.manual_seed(0)
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    width, down, up = (16, 2, 2) if sizes.tiny else (320, 4, 4)
    scale = (1, 1) if sizes.tiny else (1, 2, 4, 4)
    heads = 2 if sizes.tiny else 8
    states = 32 if sizes.tiny else 768
    attention = ("CrossAttn",) * (down - 1)
    unet = UNet2DConditionModel(
        sample_size=sizes.side // (2 ** (down - 1)),
        block_out_channels=tuple(width * factor for factor in scale),  # type: ignore[arg-type]
        down_block_types=(*(f"{kind}DownBlock2D" for kind in attention), "DownBlock2D"),  # type: ignore[arg-type]
        up_block_types=("UpBlock2D", *(f"{kind}UpBlock2D" for kind in attention)),  # type: ignore[arg-type]
        cross_attention_dim=states,
        attention_head_dim=heads,
        norm_num_groups=8 if sizes.tiny else 32,
    )
    channels = (16, 16) if sizes.tiny else (128, 256, 512, 512)
    vae = AutoencoderKL(
        block_out_channels=channels,  # type: ignore[arg-type]
        down_block_types=("DownEncoderBlock2D",) * len(channels),  # type: ignore[arg-type]
        up_block_types=("UpDecoderBlock2D",) * up,  # type: ignore[arg-type]
        layers_per_block=2,
        norm_num_groups=8 if sizes.tiny else 32,
        force_upcast=True,
    )
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=states,
        intermediate_size=states * 4,
        num_hidden_layers=2 if sizes.tiny else 12,
        num_attention_heads=4 if sizes.tiny else 12,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
    )
    schedule: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=77),
        unet=unet,
        scheduler=PNDMScheduler(**schedule, skip_prk_steps=True, steps_offset=1),  # type: ignore[arg-type]
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )


def _pixels(picture: Image.Image) -> Any:
    return np.asarray(picture.convert("RGB"), dtype=float)


def _difference(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours - theirs).mean())


def _gap(moments: Sequence[float]) -> float:
    return median(after - before for before, after in pairwise(moments))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start
