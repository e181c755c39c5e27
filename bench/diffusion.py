"""One step of Stable Diffusion 1.4 at 512 × 512 against the stock diffusers pipeline in float32."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.models import LoneBatch, LoneJob, folder, settings
from bench.row import Row
from inference import ImagineRequest, ModelSpec, Progress
from inference.types import Event

REPO = "CompVis/stable-diffusion-v1-4"
PROMPT = "a lighthouse at dusk, oil on canvas"
STEPS = 5


def measure() -> list[Row]:
    config = settings("imagine", REPO)
    spec = config.specs("imagine")[0]
    here = folder(config, spec)
    ours, stock = _ours(spec, here), _stock(here)
    name = f"a diffusion step at 512 × 512 over stock float32 (the aim is for {_aim()})"
    return [Row(name=name, unit="s", ours=ours, reference=stock, aim=0.3)]


def _ours(spec: ModelSpec, here: Path) -> float:
    from inference import pipelines
    from inference.devices import place

    steps: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Progress):
            steps.append(time.perf_counter())

    request = ImagineRequest(prompt=PROMPT, width=512, height=512, steps=STEPS, guidance=7.5, seed=1)
    pipelines.load(spec, here, place(spec.device, spec.dtype)).run(LoneBatch(LoneJob(request, note)))
    return _median_gap(steps)


def _stock(here: Path) -> float:
    import torch
    from diffusers import StableDiffusionPipeline  # pyright: ignore[reportPrivateImportUsage]

    steps: list[float] = []

    def note(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps.append(time.perf_counter())
        return tensors

    pipeline: Any = StableDiffusionPipeline.from_pretrained(here, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline(PROMPT, num_inference_steps=STEPS, height=512, width=512, output_type="latent", callback_on_step_end=note)
    return _median_gap(steps)


def _median_gap(moments: list[float]) -> float:
    return median(after - before for before, after in pairwise(moments))


def _aim() -> str:
    import torch

    has_amx = torch.cpu.get_capabilities().get("amx_bf16", False)
    return "CPUs with AMX, as this one" if has_amx else "CPUs with AMX, which this one lacks"
