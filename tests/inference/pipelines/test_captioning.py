"""Test captions: the text, batches, cancellation, and pictures that cannot be decoded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from inference.images.decoding import encode_png
from inference.pipelines.captioning import Captioning
from inference.pipelines.devices import Placement
from inference.tasks import Caption, CaptionRequest
from inference.text.known_concepts import FILE
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable, RequestCancelled
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import save_blip, save_vit_gpt2

SPEC = ModelSpec(name="tiny", task="caption", repo="tiny")
CPU = Placement(torch.device("cpu"), torch.float32)
PICTURES = [Image.effect_noise((30 + i, 20), 60 + 40 * i).convert("RGB") for i in range(3)]
REQUESTS = [CaptionRequest(image=encode_png(picture)) for picture in PICTURES]


@pytest.fixture(scope="module")
def vit_gpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vit_gpt2(tmp_path_factory.mktemp("vit-gpt2"))


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def vit_gpt2(vit_gpt2_folder: Path) -> Captioning:
    return Captioning.load(SPEC, vit_gpt2_folder, CPU)


@pytest.fixture(scope="module")
def blip(blip_folder: Path) -> Captioning:
    return Captioning.load(SPEC, blip_folder, CPU)


def expected_captions(folder: Path, max_new_tokens: int) -> list[Caption]:
    """Return the caption of each picture, generated one by one with the code of the model cards."""
    processor = AutoImageProcessor.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForImageTextToText.from_pretrained(folder)
    captions: list[Caption] = []
    for picture in PICTURES:
        pixels = processor(images=picture, return_tensors="pt").pixel_values
        tokens = model.generate(pixel_values=pixels, num_beams=4, max_new_tokens=max_new_tokens)
        captions.append(Caption(tokenizer.decode(tokens[0], skip_special_tokens=True).strip()))
    return captions


def test_vit_gpt2_captions_equal_those_of_its_model_card_with_four_beams_and_sixteen_tokens(
    vit_gpt2: Captioning, vit_gpt2_folder: Path
) -> None:
    expected = expected_captions(vit_gpt2_folder, max_new_tokens=16)
    assert run(vit_gpt2, *REQUESTS) == expected
    assert len(set(expected)) == len(expected)


def test_blip_captions_equal_those_of_its_model_card(blip: Captioning, blip_folder: Path) -> None:
    expected = expected_captions(blip_folder, max_new_tokens=32)
    assert run(blip, *REQUESTS) == expected
    assert len(set(expected)) == len(expected)


@pytest.mark.parametrize("kind", ["vit_gpt2", "blip"])
def test_a_caption_is_the_same_alone_and_in_a_batch(kind: str, request: pytest.FixtureRequest) -> None:
    pipeline: Captioning = request.getfixturevalue(kind)
    assert run(pipeline, *REQUESTS) == [run(pipeline, single)[0] for single in REQUESTS]


def test_a_broken_picture_fails_only_its_own_request(vit_gpt2: Captioning) -> None:
    good, broken, other = run(vit_gpt2, REQUESTS[0], CaptionRequest(image=b"not a picture"), REQUESTS[1])
    assert isinstance(broken, InvalidRequest)
    assert [good, other] == run(vit_gpt2, *REQUESTS[:2])


@pytest.mark.parametrize("kind", ["vit_gpt2", "blip"])
def test_generation_stops_between_tokens_when_all_jobs_are_cancelled(kind: str, request: pytest.FixtureRequest) -> None:
    batch = MemoryBatch.of(REQUESTS[0])
    batch.on_yield = lambda: batch.yield_points == 3 and batch.jobs[0].cancel()
    batch.run(request.getfixturevalue(kind))
    assert batch.yield_points == 3


def test_a_cancelled_job_gets_no_caption(vit_gpt2: Captioning) -> None:
    batch = MemoryBatch.of(*REQUESTS[:2])
    batch.on_yield = lambda: batch.yield_points == 3 and batch.jobs[0].cancel()
    cancelled, caption = batch.run(vit_gpt2)
    assert isinstance(cancelled, RequestCancelled)
    assert caption == run(vit_gpt2, REQUESTS[1])[0]


def test_each_request_gets_its_caption_before_the_next_picture_is_processed(vit_gpt2: Captioning) -> None:
    batch = MemoryBatch.of(*REQUESTS)
    answered: list[int] = []
    batch.on_yield = lambda: answered.append(sum(job.outcome is not None for job in batch.jobs))
    batch.run(vit_gpt2)
    assert set(answered) == {0, 1, 2}


def test_a_model_type_that_needs_a_prompt_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "blip-2"}')
    with pytest.raises(ModelUnavailable, match="blip-2"):
        Captioning.load(SPEC, tmp_path, CPU)


def test_a_model_that_knows_few_things_says_that_it_may_guess(vit_gpt2_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(vit_gpt2_folder, tmp_path / "small")
    (folder / FILE).write_text("fruit: red apple, pear\nanimals: cat\n")
    (unsure,) = run(Captioning.load(SPEC, folder, CPU), REQUESTS[0])
    assert isinstance(unsure, Caption)
    assert str(unsure.note).startswith("This small model knows 3 things, as single drawings.")
    (other,) = run(Captioning.load(SPEC, vit_gpt2_folder, CPU), REQUESTS[0])
    assert other == Caption(unsure.text), "other models say nothing"
