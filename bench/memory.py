"""The forecast of the memory that a diffusion model takes, beside the peak while it is loaded and draws one step."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from bench.loading import peak_memory
from bench.models import FixedBatch, SingleJob, folder, settings
from bench.result_table import Note, Row, Skipped, TableRow, at_least, at_most
from inference import ImagineRequest

PROMPT = "a lighthouse at dusk"
SD, SDXL, FLUX = (
    "CompVis/stable-diffusion-v1-4",
    "stabilityai/stable-diffusion-xl-base-1.0",
    "black-forest-labs/FLUX.1-dev",
)

AIMS = (at_most(1 / 0.85, "limit"), at_least(1 / 1.15, "limit"))
"""The forecast is at most 15 % of the peak below or above it."""

Case = tuple[str, dict[str, Any]]
"""A repository, and the options of its entry in config.yaml."""

CASES: Sequence[Case] = (
    (SD, {"offload": "none"}),
    (SD, {"offload": "none", "dtype": "float32"}),
    (SD, {"offload": "model"}),
    (SD, {"offload": "none", "quantize": "int8"}),
    (SDXL, {"offload": "none"}),
    (SDXL, {"offload": "model"}),
    (SDXL, {"offload": "none", "quantize": "int8"}),
    (SDXL, {"offload": "none", "quantize": "int4"}),
    (FLUX, {"offload": "none", "quantize": "int4", "size": 512}),  # at 1024, a step takes long on a CPU
)


def measure(cases: Sequence[Case] = CASES) -> list[TableRow]:
    """Return a row for each case, each measured in a process of its own: a process keeps memory that it has freed."""
    return [_in_own_process(case) for case in cases]


def _in_own_process(case: Case) -> TableRow:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        try:
            return executor.submit(measure_one, *case).result()
        except Skipped as skipped:
            return Note("skipped", f"memory of {case[0]}", str(skipped))


def measure_one(repo: str, options: dict[str, Any]) -> Row:
    """Return the peak of this process while it loads the model and draws one step, with the forecast as its limit."""
    config = settings("imagine", repo, **options)
    spec = config.specs("imagine")[0]
    model_folder = folder(config, spec)

    from inference.backends.model_check import expected_bytes
    from inference.hub import loaded_size
    from inference.pipelines.compatibility import compatible_family, load_pipeline
    from inference.pipelines.devices import place

    placement = place(spec.device, spec.dtype)
    nbytes = loaded_size(model_folder, spec.file)
    forecast = expected_bytes(spec, model_folder, nbytes, placement.dtype.itemsize, placement.device.type)
    family = compatible_family(spec, model_folder, placement.device.type)
    family.load_class()  # its imports do not count
    with peak_memory() as peak:
        pipeline = load_pipeline(family, spec, model_folder, placement)
        pipeline.run(FixedBatch.of(SingleJob(ImagineRequest(prompt=PROMPT, steps=1, seed=1))))
    chosen = ", ".join(f"{name}: {value}" for name, value in options.items() if value != "none")
    return Row(
        work=f"peak memory of {spec.name} ({chosen or 'as it is'}), loaded and drawing; limit: the forecast",
        unit="GB",
        ours=peak.gigabytes,
        limit=forecast / 10**9,
        aims=AIMS,
    )
