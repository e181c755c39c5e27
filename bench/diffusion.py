"""Stable Diffusion 1.4 at 512 × 512 compared with stock diffusers in float32: one step, and image-to-image."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.models import FixedBatch, SingleJob, folder, settings
from bench.result_table import Row
from inference import ImagineRequest, ModelSpec, Progress
from inference.types import Event

REPO = "CompVis/stable-diffusion-v1-4"
PROMPT = "a lighthouse at dusk, oil on canvas"
SIDE = 512
STEPS = 5
STRENGTH = 0.8
GUIDANCE = 7.5


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds for one step, and for a whole image-to-image generation."""

    step: float
    remix: float


def measure() -> list[Row]:
    config = settings("imagine", REPO)
    spec = config.specs("imagine")[0]
    model_folder = folder(config, spec)
    ours, stock = _measure_ours(spec, model_folder), _measure_stock(model_folder)
    step = f"a diffusion step at 512 × 512 with the default sampler over stock float32 (the aim is for {_aim()})"
    remix = f"a picture from a picture, {STRENGTH:.0%} of {STEPS} steps, over stock float32"
    return [
        Row(name=step, unit="s", ours=ours.step, reference=stock.step, aim=0.3),
        Row(name=remix, unit="s", ours=ours.remix, reference=stock.remix, aim=0.35),
    ]


def _measure_ours(spec: ModelSpec, model_folder: Path) -> Times:
    from inference import pipelines
    from inference.images.decoding import encode_png
    from inference.pipelines.devices import place

    pipeline = pipelines.load(spec, model_folder, place(spec.device, spec.dtype))
    steps: list[float] = []

    def record_step(event: Event) -> None:
        if isinstance(event, Progress):
            steps.append(time.perf_counter())

    text: dict[str, Any] = {"prompt": PROMPT, "steps": STEPS, "guidance_scale": GUIDANCE, "seed": 1}
    pipeline.run(FixedBatch.of(SingleJob(ImagineRequest(**text, width=SIDE, height=SIDE), record_step)))
    remix = ImagineRequest(**text, image=encode_png(_init_image()), strength=STRENGTH)
    return Times(_median_gap(steps), _seconds(lambda: pipeline.run(FixedBatch.of(SingleJob(remix)))))


def _measure_stock(model_folder: Path) -> Times:
    import torch
    from diffusers import (  # pyright: ignore[reportPrivateImportUsage]
        StableDiffusionImg2ImgPipeline,
        StableDiffusionPipeline,
    )

    steps: list[float] = []

    def record_step(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps.append(time.perf_counter())
        return tensors

    text_to_image: Any = StableDiffusionPipeline.from_pretrained(
        model_folder, dtype=torch.float32, local_files_only=True
    )
    image_to_image: Any = StableDiffusionImg2ImgPipeline(**text_to_image.components)
    for pipeline in (text_to_image, image_to_image):
        pipeline.set_progress_bar_config(disable=True)
    text: dict[str, Any] = {"prompt": PROMPT, "num_inference_steps": STEPS, "guidance_scale": GUIDANCE}
    text_to_image(**text, height=SIDE, width=SIDE, callback_on_step_end=record_step)
    return Times(_median_gap(steps), _seconds(lambda: image_to_image(**text, image=_init_image(), strength=STRENGTH)))


def _init_image() -> Any:
    """Return an initial image."""
    from PIL import Image

    return Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median_gap(moments: list[float]) -> float:
    return median(after - before for before, after in pairwise(moments))


def _aim() -> str:
    import torch

    has_amx = torch.cpu.get_capabilities().get("amx_bf16", False)
    return "CPUs with AMX, as this one" if has_amx else "CPUs with AMX, which this one lacks"
