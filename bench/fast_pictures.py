"""What `fast` saves and changes, as a Markdown table: `python -m bench.fast_pictures`.

Each row compares pictures of the same prompts and seeds: the mean PSNR in dB to those without `fast` (30 and more look
the same, below 20 the picture is another one), the lowest PSNR, and the share of the time that the drawing takes.
`--save FOLDER` keeps a sheet for each model: a column for each row of the table, and a line for each prompt.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image, ImageChops, ImageStat

from bench.models import FixedBatch, SingleJob, folder, settings
from bench.result_table import Skipped
from inference import FastMode, ImageResult, ImagineRequest, ModelSpec, load_config
from inference.pipelines.pipeline import Pipeline

_VARIANTS: dict[str, FastMode | None] = {
    "without `fast`": None,
    "guidance in 80 % of the steps": FastMode(0.8, 1),
    "guidance in 50 %": FastMode(0.5, 1),
    "deep layers every 2 steps": FastMode(1, 2),
    "deep layers every 3 steps": FastMode(1, 3),
    "guidance in 80 %, deep layers every 2 steps": FastMode(0.8, 2),
    "guidance in 50 %, deep layers every 2 steps": FastMode(0.5, 2),
    "guidance in 50 %, deep layers every 3 steps": FastMode(0.5, 3),
}
_STARTER = Path(__file__).parents[1] / "starter" / "config.yaml"
_OBJECTS = ("red apple", "cat", "blue car", "pizza", "house", "green tree", "dog", "rocket")
_SCENES = ("a lighthouse at dusk, oil on canvas", "a fox in the snow")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fast_pictures", description=__doc__, allow_abbrev=False)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="starter, or a hub id in the cache")
    parser.add_argument("--count", type=int, metavar="N", help="of the pictures; times need fewer of them")
    parser.add_argument("--save", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    print("| model | variant | PSNR, mean | lowest | share of the time |\n|---|---|---|---|---|", flush=True)
    for model in arguments.models or ["starter", "CompVis/stable-diffusion-v1-4"]:
        try:
            _measure(model, arguments.count, arguments.save)
        except Skipped as reason:
            print(f"| {model} | skipped: {reason} | | | |", flush=True)


def _measure(model: str, count: int | None, save: Path | None) -> None:
    pipeline, requests = _starter() if model == "starter" else _full_size(model)
    requests = requests[:count]
    _draw(pipeline, requests[:1], None)  # the first picture is slower
    rows = {name: _draw(pipeline, requests, fast) for name, fast in _VARIANTS.items()}
    (expected, usual_time), *_ = rows.values()
    for name, (images, seconds) in rows.items():
        values = [_psnr(image, other) for image, other in zip(images, expected, strict=True)]
        finite = [value for value in values if math.isfinite(value)]
        psnr = f"{sum(finite) / len(finite):.1f} dB | {min(finite):.1f} dB" if finite else "equal | equal"
        print(f"| {model} | {name} | {psnr} | {seconds / usual_time:.2f} ({seconds:.2f} s) |", flush=True)
    if save:
        _sheet([images for images, _ in rows.values()]).save(save / f"{model.rpartition('/')[2]}.png")


def _starter() -> tuple[Pipeline, list[ImagineRequest]]:
    """Return the painter of the preview, and what it is asked for: 16 pictures in its default settings."""
    spec = load_config(_STARTER).specs("imagine")[0]
    return _load(spec, Path(spec.repo)), [
        ImagineRequest(prompt=prompt, seed=seed) for prompt in _OBJECTS for seed in (1, 2)
    ]


def _full_size(repo: str) -> tuple[Pipeline, list[ImagineRequest]]:
    """Return a model of the hub cache, and what it is asked for: pictures that do not take minutes. Raise Skipped."""
    config = settings("imagine", repo)
    spec = config.specs("imagine")[0]
    options: dict[str, Any] = {"steps": 8, "width": 256, "height": 256}
    return _load(spec, folder(config, spec)), [
        ImagineRequest(prompt=prompt, seed=seed, show_flagged=True, **options)
        for seed, prompt in enumerate(_SCENES, start=1)
    ]


def _load(spec: ModelSpec, model_folder: Path) -> Pipeline:
    from inference import pipelines
    from inference.pipelines.devices import place

    return pipelines.load(spec, model_folder, place(spec.device, spec.dtype))


def _draw(
    pipeline: Pipeline, requests: Sequence[ImagineRequest], fast: FastMode | None
) -> tuple[list[Image.Image], float]:
    """Return a picture for each request, and the median of their seconds."""
    images: list[Image.Image] = []
    seconds: list[float] = []
    for request in requests:
        job = SingleJob(replace(request, fast=fast))
        start = time.perf_counter()
        pipeline.run(FixedBatch.of(job))
        seconds.append(time.perf_counter() - start)
        assert isinstance(job.value, ImageResult)
        images.append(Image.open(BytesIO(job.value.pictures[0].png)).convert("RGB"))
    return images, median(seconds)


def _psnr(image: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio in dB; infinity for equal images."""
    squares = sum(ImageStat.Stat(ImageChops.difference(image, other)).sum2)
    mean = squares / (3 * image.width * image.height)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


def _sheet(columns: Sequence[Sequence[Image.Image]]) -> Image.Image:
    width, height = columns[0][0].size
    sheet = Image.new("RGB", (width * len(columns), height * len(columns[0])))
    for x, images in enumerate(columns):
        for y, image in enumerate(images):
            sheet.paste(image, (x * width, y * height))
    return sheet


if __name__ == "__main__":
    main()
