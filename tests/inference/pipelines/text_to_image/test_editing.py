"""Edits in words: the same pictures as diffusers' own call, and what belongs to every picture."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from inference import infotext
from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.editing_families import EDITING_FAMILIES
from inference.pipelines.text_to_image.editing import ImageEditing, read_processors
from inference.tasks import EditRequest, ImageResult, Variation
from inference.types import ModelSpec, Progress
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.text_to_image.tiny_editing import MODELS, save_editing_model
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU

SPEC = ModelSpec(name="tiny", task="edit", repo="tiny")
PIX2PIX = "StableDiffusionInstructPix2PixPipeline"
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8))
EDIT = EditRequest(prompt="make it red", image=encode_png(PICTURE), width=96, height=64, steps=2, seed=5)

# What each pipeline is called with besides picture, instruction, size, steps and seed: its makers' values.
_CALLS: dict[str, dict[str, Any]] = {
    PIX2PIX: {},
    "StableDiffusionXLInstructPix2PixPipeline": {"guidance_scale": 3.0, "width": 96, "height": 64},
    "FluxKontextPipeline": {"guidance_scale": 2.5, "width": 96, "height": 64, "max_area": 96 * 64},
    "Flux2Pipeline": {"guidance_scale": 4.0},
    "Flux2KleinPipeline": {"guidance_scale": 1.0},
    "QwenImageEditPipeline": {"true_cfg_scale": 4.0, "negative_prompt": " ", "width": 96, "height": 64},
    "QwenImageEditPlusPipeline": {"true_cfg_scale": 4.0, "negative_prompt": " ", "width": 96, "height": 64},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that returns the folder of a tiny model, saved once."""
    return cache(lambda name: save_editing_model(tmp_path_factory.mktemp("model"), name))


@pytest.fixture(scope="module")
def pipeline(folders: Any) -> ImageEditing:
    return ImageEditing.load(SPEC, folders(PIX2PIX), CPU)


def edited(pipeline: ImageEditing, request: EditRequest) -> ImageResult:
    [outcome] = run(pipeline, request)
    assert isinstance(outcome, ImageResult), outcome
    return outcome


def pixels(result: ImageResult, index: int = 0) -> Image.Image:
    return Image.open(BytesIO(result.pictures[index].png)).convert("RGB")


@pytest.mark.parametrize("name", _CALLS)
def test_the_picture_equals_that_of_diffusers(folders: Any, name: str) -> None:
    result = edited(ImageEditing.load(SPEC, folders(name), CPU), EDIT)
    pipe: Any = DiffusionPipeline.from_pretrained(folders(name), **read_processors(folders(name)))
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    call = {"image": PICTURE, "prompt": "make it red", "num_inference_steps": 2, "generator": generator}
    expected = pipe(**call, **_CALLS[name]).images[0]
    if expected.size != PICTURE.size:  # a model with one size
        expected = expected.resize(PICTURE.size, Image.Resampling.LANCZOS)
    difference = np.abs(np.asarray(pixels(result)).astype(int) - np.asarray(expected).astype(int))
    assert difference.max() <= 1, "the text encoders are loaded in another way, so the last bits may differ"
    assert difference.mean() < 0.01


def test_each_family_that_is_offered_is_compared_with_diffusers() -> None:
    assert set(MODELS) == set(_CALLS) == set(EDITING_FAMILIES)


@pytest.mark.parametrize(
    ("name", "steps", "guidance_scale", "image_guidance_scale"),
    [
        (PIX2PIX, 100, 7.5, 1.5),
        ("StableDiffusionXLInstructPix2PixPipeline", 30, 3.0, 1.5),
        ("FluxKontextPipeline", 28, 2.5, None),
        ("Flux2Pipeline", 50, 4.0, None),
        ("Flux2KleinPipeline", 4, 1.0, None),
        ("QwenImageEditPipeline", 50, 4.0, None),
        ("QwenImageEditPlusPipeline", 40, 4.0, None),
    ],
)
def test_what_the_request_leaves_open_gets_the_values_of_the_makers(
    folders: Any, name: str, steps: int, guidance_scale: float, image_guidance_scale: float | None
) -> None:
    runner = ImageEditing.load(SPEC, folders(name), CPU)._runner  # pyright: ignore[reportPrivateUsage]
    request = replace(EDIT, steps=0)
    settings = runner.settings_for(request, runner.read_source(request))
    assert (settings.steps, settings.guidance_scale, settings.image_guidance_scale) == (
        steps,
        guidance_scale,
        image_guidance_scale,
    )


def test_the_guidance_of_the_config_takes_the_place_of_the_makers(folders: Any) -> None:
    pipeline = ImageEditing.load(replace(SPEC, guidance_scale=3.5), folders(PIX2PIX), CPU)
    assert edited(pipeline, EDIT).guidance_scale == 3.5
    assert edited(pipeline, replace(EDIT, guidance_scale=2.0)).guidance_scale == 2.0


def test_the_file_repeats_the_edit(pipeline: ImageEditing) -> None:
    result = edited(pipeline, replace(EDIT, width=0, height=0, image_guidance_scale=2.0, model="tiny"))
    request = infotext.read(result.pictures[0].png)
    assert isinstance(request, EditRequest)
    assert (request.prompt, request.seed, request.image_guidance_scale) == ("make it red", 5, 2.0)
    again = edited(pipeline, replace(request, image=EDIT.image, steps=2))
    assert again.pictures[0].png == result.pictures[0].png


def test_the_result_has_the_size_of_the_picture_in_sides_that_the_model_can_have(folders: Any) -> None:
    picture = encode_png(PICTURE.resize((30, 21)))
    pipeline = ImageEditing.load(SPEC, folders(PIX2PIX), CPU)
    result = edited(pipeline, replace(EDIT, image=picture, width=0, height=0))
    assert (result.width, result.height) == pixels(result).size == (24, 16)


def test_a_size_that_the_model_can_not_have_is_snapped_and_said(folders: Any) -> None:
    pipeline = ImageEditing.load(SPEC, folders("Flux2KleinPipeline"), CPU)
    result = edited(pipeline, replace(EDIT, width=88, height=72))
    assert pixels(result).size == (80, 64)
    assert result.note.startswith("This model has no pictures of 88 × 72, so this is 80 × 64.")


def test_of_an_animated_picture_the_first_frame_is_edited_and_that_is_said(pipeline: ImageEditing) -> None:
    file = BytesIO()
    PICTURE.save(file, "WEBP", save_all=True, append_images=[PICTURE.rotate(180)], lossless=True, duration=100)
    result = edited(pipeline, replace(EDIT, image=file.getvalue()))
    assert result.note == "The picture is animated; its first frame was edited."
    assert result.pictures[0].seed == 5
    assert pixels(result).tobytes() == pixels(edited(pipeline, EDIT)).tobytes()


@pytest.mark.parametrize("name", [PIX2PIX, "FluxKontextPipeline", "QwenImageEditPipeline", "Flux2KleinPipeline"])
def test_a_variation_is_between_two_edits(folders: Any, name: str) -> None:
    pipeline = ImageEditing.load(SPEC, folders(name), CPU)
    plain, other = (pixels(edited(pipeline, replace(EDIT, seed=seed))).tobytes() for seed in (5, 9))
    varied = {
        strength: pixels(edited(pipeline, replace(EDIT, variations=(Variation(9, strength),)))).tobytes()
        for strength in (0.0, 0.4)
    }
    assert varied[0.4] not in (plain, other)
    difference = np.abs(np.frombuffer(varied[0.0], np.uint8).astype(int) - np.frombuffer(plain, np.uint8)).max()
    assert difference <= 1
    assert pixels(edited(pipeline, EDIT)).tobytes() == plain, "the pipeline is as it was"


def test_every_step_is_reported_and_yields(pipeline: ImageEditing) -> None:
    batch = MemoryBatch.of(replace(EDIT, count=2))
    [result] = batch.run(pipeline)
    assert isinstance(result, ImageResult)
    assert [picture.seed for picture in result.pictures] == [5, 6]
    progress = [event for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert [(event.step, event.total) for event in progress] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert batch.yield_points >= 4


def test_a_cancelled_edit_stops_at_the_next_step(pipeline: ImageEditing) -> None:
    batch = MemoryBatch.of(EDIT, replace(EDIT, seed=6))
    batch.on_yield = lambda: batch.jobs[0].cancel() if batch.yield_points == 4 else None
    assert len(batch.run(pipeline)) == 1
    assert len(batch.jobs[0].events) == 1


@pytest.mark.parametrize("name", [PIX2PIX, "FluxKontextPipeline"])
def test_previews_show_the_unfinished_edit(folders: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = ImageEditing.load(SPEC, folders(name), CPU)
    monkeypatch.setattr(pipeline._previews, "due", lambda: True)  # pyright: ignore[reportPrivateUsage]
    batch = MemoryBatch.of(EDIT)
    batch.run(pipeline)
    previews = [event.preview for event in batch.jobs[0].events if isinstance(event, Progress)]
    assert len(previews) == 2
    for preview in previews:
        assert preview
        assert Image.open(BytesIO(preview)).width / Image.open(BytesIO(preview)).height == 1.5


def test_flagged_edits_are_withheld(tmp_path: Path) -> None:
    folder = save_editing_model(tmp_path, PIX2PIX, flags_everything=True)
    pipeline = ImageEditing.load(SPEC, folder, CPU)
    [picture] = edited(pipeline, EDIT).pictures
    assert (picture.flagged, picture.png) == (True, b"")


def test_an_edit_that_runs_out_of_memory_becomes_smaller_and_says_so(
    pipeline: ImageEditing, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner: Any = pipeline._runner  # pyright: ignore[reportPrivateUsage]
    draw, sizes = runner.draw, list[tuple[int, int]]()

    def draw_small(specs: Any, settings: Any, after_step: Any) -> Any:
        sizes.append((settings.width, settings.height))
        if settings.width > 100:
            raise MemoryError
        return draw(specs, settings, after_step)

    monkeypatch.setattr(runner, "draw", draw_small)
    result = edited(pipeline, replace(EDIT, width=128, height=128))
    assert sizes == [(128, 128), (128, 128), (96, 96)]
    assert pixels(result).size == (96, 96)
    assert str(result.note).startswith("Memory was too short for 128 × 128")


def test_bfloat16_works(folders: Any) -> None:
    pipeline = ImageEditing.load(SPEC, folders(PIX2PIX), Placement(torch.device("cpu"), torch.bfloat16))
    assert pixels(edited(pipeline, EDIT)).size == PICTURE.size
