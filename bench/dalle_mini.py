"""DALL·E mini with its key-value cache, compared with a full computation for every token."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.models import FixedBatch, SingleJob, folder, settings, with_companions
from bench.result_table import Row, at_most
from inference import ImagineRequest

REPO = "dalle-mini/dalle-mini"
REQUEST = ImagineRequest(prompt="an armchair in the shape of an avocado", seed=1)
TIMED_POSITIONS = (32, 96, 160, 224)
"""Positions that are timed without a cache, each in the middle of a quarter: time grows with the position."""


def measure() -> list[Row]:
    config = settings("imagine", REPO)
    spec = with_companions(config, config.specs("imagine")[0])
    model_folder = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    placement = place(spec.device, spec.dtype)
    pipeline = pipelines.load(spec, model_folder, placement)
    pipeline.run(FixedBatch.of(SingleJob(REQUEST)))  # the first run initializes the kernels
    start = time.perf_counter()
    pipeline.run(FixedBatch.of(SingleJob(REQUEST)))
    ours = time.perf_counter() - start
    timed = f"estimated from {len(TIMED_POSITIONS)} of its 256 tokens"
    work = f"a DALL·E mini picture; stock: without a cache, {timed}"
    return [
        Row(
            work=work,
            unit="s",
            ours=ours,
            stock=_without_cache(Path(model_folder), placement, spec.companion),
            aims=(at_most(0.5, "stock"),),
        )
    ]


def _without_cache(model_folder: Path, placement: Any, decoder: str) -> float:
    """Return the seconds for all tokens, with two rows each (with and without the prompt), and for decoding."""
    import torch

    from inference.pipelines.dalle_mini.bart import DalleBart
    from inference.pipelines.dalle_mini.vqgan import VQGAN

    bart, vqgan = DalleBart.load(model_folder, placement), VQGAN.load(Path(decoder), placement)
    device = placement.device
    mask = torch.ones(2, bart.text_length, dtype=torch.bool, device=device)

    def token(count: int) -> None:
        tokens = torch.zeros(2, count, dtype=torch.long, device=device)
        bart(tokens, bart.new_cache(states, mask))[:, -1].argmax(-1).tolist()

    def seconds(work: Any, *arguments: Any) -> float:
        work(*arguments)
        start = time.perf_counter()
        work(*arguments)
        return time.perf_counter() - start

    with torch.inference_mode():
        states = bart.encode(torch.zeros(2, bart.text_length, dtype=torch.long, device=device), mask)
        each = bart.image_length / len(TIMED_POSITIONS)
        codes = torch.zeros(1, bart.image_length, dtype=torch.long, device=device)
        return sum(seconds(token, count) * each for count in TIMED_POSITIONS) + seconds(lambda: vqgan(codes).cpu())
