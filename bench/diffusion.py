"""Stable Diffusion 1.4 at 512 × 512 with guidance, beside diffusers in float32: a step, the rest, a picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.machine import Cost, has_amx, precisions
from bench.models import FixedBatch, SingleJob, folder, settings
from bench.peers import Candidate, fastest
from bench.result_table import Row, at_most
from inference import ImagineRequest, ModelSpec, Progress
from inference.types import Event

REPO = "CompVis/stable-diffusion-v1-4"
PROMPT = "a lighthouse at dusk, oil on canvas"
SIDE = 512
GUIDANCE = 7.5
STEPS = 25
"""The bot's default."""
TIMED_STEPS = 3
"""Steps that are computed for a measurement. A picture's time has the others too, with the median of a step."""
ROUNDS = 2


@dataclass(slots=True)
class _Times:
    """Seconds of steps, of what follows the last step, and of whole pictures with `STEPS` steps."""

    steps: list[float] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)

    def add(self, start: float, moments: list[float], end: float) -> None:
        """Add a picture whose steps ended at `moments`."""
        steps = [after - before for before, after in pairwise(moments)]
        self.steps += steps
        self.rests.append(end - moments[-1])
        self.pictures.append(end - start + (STEPS - len(moments)) * median(steps))


Draw = Callable[[Callable[[], None]], object]
"""Draws a picture and calls its argument after each step."""


def measure(repo: str = REPO) -> list[Row]:
    """Return rows for a step, for what follows the last one, and for a picture at our defaults."""
    config = settings("imagine", repo)
    spec = config.specs("imagine")[0]
    model_folder = folder(config, spec)
    stock = _stock_pipeline(model_folder)
    step, rest = _costs(stock)
    ours, theirs = _compare(_ours(spec, model_folder), _stock(stock))
    peer = fastest(_openvino(model_folder))
    aims = (at_most(0.30 if has_amx() else 0.75, "stock"),)
    return [
        Row(
            work=f"a step at {SIDE} × {SIDE} with guidance; stock: float32",
            unit="s",
            ours=median(ours.steps),
            stock=median(theirs.steps),
            peer=peer.seconds,
            peer_name=peer.name,
            cost=(step,),
            aims=aims,
        ),
        Row(
            work="after the last step: VAE, safety checker, file; stock: float32, without a file",
            unit="s",
            ours=median(ours.rests),
            stock=median(theirs.rests),
            cost=(rest,),
            aims=aims,
        ),
        Row(
            work=f"a picture at our defaults ({STEPS - TIMED_STEPS} of {STEPS} steps reckoned); stock: float32",
            unit="s",
            ours=median(ours.pictures),
            stock=median(theirs.pictures),
            cost=(*[step] * STEPS, rest),
            aims=aims,
        ),
    ]


def _compare(ours: Draw, stock: Draw) -> tuple[_Times, _Times]:
    """Draw with both in turn, after a first picture by ours. Stock has run before, for the costs."""
    times = _Times(), _Times()
    ours(lambda: None)
    for _ in range(ROUNDS):
        for draw, column in zip((ours, stock), times, strict=True):
            moments: list[float] = []
            start = time.perf_counter()
            draw(lambda moments=moments: moments.append(time.perf_counter()))
            column.add(start, moments, time.perf_counter())
    return times


def _ours(spec: ModelSpec, model_folder: Path) -> Draw:
    from inference import pipelines
    from inference.pipelines.devices import place

    pipeline = pipelines.load(spec, model_folder, place(spec.device, precisions()[-1]))
    request = ImagineRequest(prompt=PROMPT, steps=TIMED_STEPS, guidance_scale=GUIDANCE, seed=1, width=SIDE, height=SIDE)

    def draw(after_step: Callable[[], None]) -> None:
        def on_event(event: Event) -> None:
            if isinstance(event, Progress):
                after_step()

        pipeline.run(FixedBatch.of(SingleJob(request, on_event)))

    return draw


def _stock_pipeline(model_folder: Path) -> Any:
    import torch
    from diffusers import StableDiffusionPipeline  # pyright: ignore[reportPrivateImportUsage]

    pipeline: Any = StableDiffusionPipeline.from_pretrained(model_folder, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _stock(pipeline: Any) -> Draw:
    def draw(after_step: Callable[[], None]) -> None:
        def on_step_end(_: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            after_step()
            return tensors

        size = {"height": SIDE, "width": SIDE, "callback_on_step_end": on_step_end}
        pipeline(PROMPT, num_inference_steps=TIMED_STEPS, guidance_scale=GUIDANCE, **size)

    return draw


def _costs(pipeline: Any) -> tuple[Cost, Cost]:
    """Return the cost of a step, and of decoding."""
    import torch

    from bench.costs import forward

    latents = torch.zeros(2, pipeline.unet.config.in_channels, SIDE // 8, SIDE // 8)
    states = torch.zeros(2, 77, pipeline.unet.config.cross_attention_dim)
    precision = precisions()[-1]
    step = forward(lambda: pipeline.unet(latents, 500, states), pipeline.unet, precision)
    return step, forward(lambda: pipeline.vae.decode(latents[:1]), pipeline.vae, precision)


def _openvino(model_folder: Path) -> Candidate:
    precision = precisions()[-1]
    arguments = {"folder": str(model_folder), "side": SIDE, "precision": precision, "rounds": ROUNDS}
    return Candidate(f"OpenVINO {precision}", "openvino-unet", arguments)
