"""Test each family of diffusers with a tiny random model: the pixels of diffusers' own call, and what else works."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.generation_settings import Mode
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.pipeline_traits import PipelineTraits
from inference.pipelines.text_to_image.related_pipelines import related_pipeline
from inference.tasks import ImageResult, ImagineRequest, Variation
from inference.types import Progress
from inference.types.errors import InvalidRequest
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.text_to_image.tiny_families import FAMILIES, tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU

ROOT = Path(__file__).parents[4]
CAT = ImagineRequest(prompt="a cat", seed=5, steps=2, width=64, height=64)
PICTURE = encode_png(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)))


@dataclass
class Family:
    """A family with its tiny model on disk, and loaded."""

    name: str
    folder: Path
    pipe: Any
    pipeline: TextToImage

    def draw(self, request: ImagineRequest) -> ImageResult:
        (result,) = run(self.pipeline, request)
        assert isinstance(result, ImageResult), result
        return result

    def pixels(self, request: ImagineRequest) -> Any:
        return np.asarray(Image.open(BytesIO(self.draw(request).pictures[0].png))).astype(int)

    def can(self, request: ImagineRequest) -> bool:
        """Return whether the family can do it. It must refuse what it can't, and not fail."""
        (result,) = run(self.pipeline, request)
        assert isinstance(result, ImageResult | InvalidRequest), result
        return isinstance(result, ImageResult)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    folder = tmp_path_factory.mktemp("family")
    tiny_pipeline(request.param).save_pretrained(folder)
    pipe = read_pipeline(folder, CPU)
    if request.param == "HiDream":
        pipe.default_sample_size = 8  # a number in its code, and not in the files
    return Family(request.param, folder, pipe, TextToImage(pipe, clock=lambda: 0.0))


def pixels_of_diffusers(family: Family) -> Any:
    """Return what the family's own pipeline draws with the arguments that its makers name."""
    pipe: Any = diffusers.DiffusionPipeline.from_pretrained(family.folder)
    pipe.set_progress_bar_config(disable=True)
    if family.name == "HiDream":
        pipe.default_sample_size = 8
    options: dict[str, Any] = {"width": 64, "height": 64, "num_inference_steps": 2}
    if "use_resolution_binning" in PipelineTraits(pipe).parameters:
        options["use_resolution_binning"] = False  # it knows no size as small as that of the tiny models
    if family.name == "Qwen-Image":
        options["negative_prompt"] = " "  # as in its model card
    output = pipe(prompt="a cat", generator=torch.Generator().manual_seed(5), output_type="np", **options)
    return (output.images[0] * 255).round().astype(int)


def test_a_picture_has_the_pixels_of_diffusers_own_call_and_its_seed_repeats_it(family: Family) -> None:
    pixels = family.pixels(CAT)
    difference = np.abs(pixels - pixels_of_diffusers(family))
    assert difference.max() <= 1  # the layout of the weights in memory may round a few otherwise
    assert difference.mean() < 0.01
    assert pixels.std() > 5
    assert np.array_equal(family.pixels(CAT), pixels)
    assert not np.array_equal(family.pixels(replace(CAT, seed=6)), pixels)


def test_a_variation_is_between_its_parent_and_the_picture_of_the_other_seed(family: Family) -> None:
    parent, other = family.pixels(CAT), family.pixels(replace(CAT, seed=9))
    near = family.pixels(replace(CAT, variations=(Variation(9, 0.1),)))
    assert 0 < np.abs(near - parent).mean() < np.abs(other - parent).mean()
    assert np.array_equal(family.pixels(replace(CAT, variations=(Variation(9, 0.0),))), parent)
    assert np.array_equal(family.pixels(replace(CAT, variations=(Variation(9, 1.0),))), other)


def test_the_table_in_the_docs_says_what_each_family_can_do(family: Family) -> None:
    seconds = itertools.count(step=4)
    batch = MemoryBatch.of(CAT)
    batch.run(TextToImage(family.pipe, clock=lambda: float(next(seconds))))  # a preview is due at once
    steps = [event for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert steps[-1].step == 2
    found = {
        "preview": any(event.preview for event in steps),
        "image": family.can(replace(CAT, image=PICTURE, strength=0.6)),
        "inpaint": family.can(replace(CAT, image=PICTURE, region="left half")),
    }
    text = (ROOT / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {re.escape(family.name)} \|(.*)\|$", text, re.MULTILINE)
    assert row, f"{family.name} is missing in the table: {found}"
    drawn, same, preview, vary, image, inpaint = (cell.strip() == "yes" for cell in row[1].split("|")[:6])
    assert (drawn, same, vary) == (True, True, True)
    assert {"preview": preview, "image": image, "inpaint": inpaint} == found


def test_a_size_that_the_family_can_not_draw_becomes_the_nearest_one_and_a_note_says_so(family: Family) -> None:
    result = family.draw(replace(CAT, width=72))
    picture = Image.open(BytesIO(result.pictures[0].png))
    assert picture.size == (result.width, result.height)
    if result.width != 72:
        assert (
            f"can't draw 72 × 64, so this is the nearest size that it can draw: {result.width} × {result.height}"
            in result.note
        )


@pytest.mark.parametrize(("family", "mode"), [("Chroma", "image"), ("FLUX 2 Klein", "inpaint")])
def test_a_related_pipeline_leaves_the_number_format_of_the_networks(family: str, mode: Mode) -> None:
    pipe = tiny_pipeline(family).to(torch.bfloat16)
    related = related_pipeline(pipe, mode)
    assert related is not None
    assert related.transformer is pipe.transformer
    assert {parameter.dtype for parameter in pipe.transformer.parameters()} == {torch.bfloat16}
