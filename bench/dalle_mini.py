"""A picture of DALL·E mini with its cache of keys and values, over computing every token from all those before it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.models import SingleBatch, SingleJob, equipped, folder, settings
from bench.row import Row
from inference import ImagineRequest

REPO = "dalle-mini/dalle-mini"
REQUEST = ImagineRequest(prompt="an armchair in the shape of an avocado", seed=1)
TIMED = (32, 96, 160, 224)
"""Tokens that are timed without a cache, each in the middle of a quarter: the time grows with their number."""


def measure() -> list[Row]:
    config = settings("imagine", REPO)
    spec = equipped(config, config.specs("imagine")[0])
    here = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    placement = place(spec.device, spec.dtype)
    pipeline = pipelines.load(spec, here, placement)
    pipeline.run(SingleBatch(SingleJob(REQUEST)))  # the first one prepares the kernels
    start = time.perf_counter()
    pipeline.run(SingleBatch(SingleJob(REQUEST)))
    ours = time.perf_counter() - start
    name = f"a DALL·E mini picture over recomputing without a cache (estimated from {len(TIMED)} of its 256 tokens)"
    return [
        Row(name=name, unit="s", ours=ours, reference=_without_cache(Path(here), placement, spec.companion), aim=0.5)
    ]


def _without_cache(here: Path, placement: Any, decoder: str) -> float:
    """Seconds for all tokens, of two rows each (with the prompt and without), and the picture of them."""
    import torch

    from inference.pipelines.dalle_mini.bart import DalleBart
    from inference.pipelines.dalle_mini.vqgan import VQGAN

    bart, vqgan = DalleBart.load(here, placement), VQGAN.load(Path(decoder), placement)
    device = placement.device
    mask = torch.ones(2, bart.text_length, dtype=torch.bool, device=device)

    def token(count: int) -> None:
        tokens = torch.zeros(2, count, dtype=torch.long, device=device)
        bart(tokens, bart.remember(states, mask))[:, -1].argmax(-1).tolist()

    def seconds(work: Any, *arguments: Any) -> float:
        work(*arguments)
        start = time.perf_counter()
        work(*arguments)
        return time.perf_counter() - start

    with torch.inference_mode():
        states = bart.encode(torch.zeros(2, bart.text_length, dtype=torch.long, device=device), mask)
        each = bart.image_length / len(TIMED)
        codes = torch.zeros(1, bart.image_length, dtype=torch.long, device=device)
        return sum(seconds(token, count) * each for count in TIMED) + seconds(lambda: vqgan(codes).cpu())
