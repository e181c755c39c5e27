"""Test DALL·E mini: batches, settings, notes about unsupported options, progress, memory and loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from inference.backends.model_manager import ModelManager
from inference.config.models import ModelEntry
from inference.config.schema import Config
from inference.hub.hub import Hub
from inference.images.decoding import open_picture
from inference.pipelines import load
from inference.pipelines.dalle_mini import DalleMini
from inference.pipelines.dalle_mini.bart import DalleBart
from inference.pipelines.dalle_mini.prompt_tokenizer import PromptTokenizer
from inference.pipelines.dalle_mini.vqgan import VQGAN
from inference.pipelines.devices import Placement
from inference.tasks import FastMode, GeneratedImage, ImageResult, ImagineRequest, Variation
from inference.tasks.infotext import read
from inference.types import ModelSpec, Progress
from inference.types.errors import GenerationFailed, InvalidRequest, ModelUnavailable, OutOfMemory, RequestCancelled
from tests.fakes import model_lists
from tests.inference.images.test_origin import source_type
from tests.inference.pipelines.dalle_mini.test_numbers import CPU
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_dalle import save_dalle_mini

CAT = ImagineRequest(prompt="a cat", seed=5, model="tiny")
DOG = ImagineRequest(prompt="a dog, running", seed=9, model="tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_dalle_mini(tmp_path_factory.mktemp("dalle-mini"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> DalleMini:
    return load_dalle_mini(folder, CPU)


def load_dalle_mini(folder: Path, placement: Placement) -> DalleMini:
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), companion=str(folder / "vqgan"))
    pipeline = load(spec, folder, placement)
    assert isinstance(pipeline, DalleMini)
    return pipeline


def generate(pipeline: DalleMini, *requests: ImagineRequest) -> list[ImageResult]:
    outcomes = run(pipeline, *requests)
    assert all(isinstance(outcome, ImageResult) for outcome in outcomes), outcomes
    return outcomes  # type: ignore[return-value]


def pixels(picture: GeneratedImage) -> np.ndarray:
    return np.asarray(open_picture(picture.png, 1), dtype=int)


# --- pictures ---------------------------------------------------------------------------------


def test_an_image_is_the_same_alone_in_a_series_and_in_a_batch(pipeline: DalleMini) -> None:
    alone = [generate(pipeline, replace(CAT, seed=5 + i))[0].pictures[0].png for i in range(4)]
    series, other, *_ = generate(pipeline, replace(CAT, count=4), DOG, *[replace(DOG, seed=i) for i in range(7)])
    assert [picture.png for picture in series.pictures] == alone
    assert [picture.seed for picture in series.pictures] == [5, 6, 7, 8]
    assert len(set(alone)) == 4
    assert other.pictures[0].png == generate(pipeline, DOG)[0].pictures[0].png


def test_waiting_requests_are_drawn_with_the_first_while_there_is_room(pipeline: DalleMini) -> None:
    batch = MemoryBatch.of(replace(CAT, count=5))
    batch.arrivals = [MemoryJob(replace(DOG, count=2, seed=seed)) for seed in range(3)]
    batch.on_yield = lambda: waiting.append(len(batch.arrivals))
    waiting: list[int] = []
    results = batch.run(pipeline)
    assert waiting[0] == 1, "nine images are asked for, and eight drawn together"
    assert [len(result.pictures) for result in results if isinstance(result, ImageResult)] == [5, 2, 2, 2]
    assert next(event.together for event in batch.jobs[1].events if isinstance(event, Progress)) == 2
    assert results[1] == generate(pipeline, replace(DOG, count=2, seed=0))[0]


def test_the_result_has_the_settings_that_were_used(pipeline: DalleMini) -> None:
    plain, given = generate(pipeline, CAT)[0], generate(pipeline, replace(CAT, guidance_scale=3.0))[0]
    assert (plain.width, plain.height, plain.steps, plain.guidance_scale, plain.sampler) == (16, 16, 16, 10.0, "")
    assert open_picture(plain.pictures[0].png, 1).size == (16, 16)
    assert given.guidance_scale == 3.0
    assert given.pictures[0].png != plain.pictures[0].png


def test_the_parameters_in_a_file_repeat_its_image(pipeline: DalleMini) -> None:
    request = replace(CAT, guidance_scale=4.0, temperature=0.7, top_k=20, variations=(Variation(8, 0.2),), count=2)
    first, second = generate(pipeline, request)[0].pictures
    for picture in (first, second):
        repeated = read(picture.png)
        assert repeated
        assert generate(pipeline, repeated)[0].pictures[0].png == picture.png


def test_greedy_sampling_ignores_the_seed(pipeline: DalleMini) -> None:
    greedy = [generate(pipeline, replace(CAT, temperature=0.0, seed=seed))[0].pictures[0] for seed in (1, 2)]
    narrow = [generate(pipeline, replace(CAT, top_k=1, seed=seed))[0].pictures[0] for seed in (1, 2)]
    assert len({pixels(picture).tobytes() for picture in (*greedy, *narrow)}) == 1


def test_variations_keep_the_seed_and_increase_their_last_seed(pipeline: DalleMini) -> None:
    chain = (Variation(3, 0.2), Variation(8, 0.1))
    result = generate(pipeline, replace(CAT, variations=chain, count=2))[0]
    assert [picture.seed for picture in result.pictures] == [5, 5]
    assert [picture.variations[1].seed for picture in result.pictures] == [8, 9]
    single = generate(pipeline, replace(CAT, variations=(chain[0], Variation(9, 0.1))))[0]
    assert single.pictures[0].png == result.pictures[1].png


# --- unsupported options ----------------------------------------------------------------------


def test_the_fast_mode_is_refused(pipeline: DalleMini) -> None:
    (error,) = run(pipeline, replace(CAT, fast=FastMode()))
    assert str(error) == "This model has no fast mode. Leave `fast` out, or choose another model."


def test_unsupported_options_are_noted(pipeline: DalleMini) -> None:
    assert generate(pipeline, replace(CAT, width=16, steps=16))[0].note == "This model has no safety checker."
    assert generate(pipeline, replace(CAT, has_classifier=True))[0].note == ""
    request = replace(CAT, negative_prompt="dogs", width=512, steps=20, sampler="DDIM", lora="ink")
    note = generate(pipeline, request)[0].note
    for words in ("no negative prompt", "16 × 16 pixels", "16 steps", "no choice of sampler", "no LoRA"):
        assert words in note
    long = generate(pipeline, replace(CAT, prompt="abcdefghijklm nopq"))[0].note
    assert "did not read “nopq”" in long


def test_requests_that_require_a_safety_checker_are_refused(pipeline: DalleMini) -> None:
    refused, result = run(pipeline, replace(CAT, require_safety_checker=True), DOG)
    assert isinstance(refused, InvalidRequest)
    assert "age-restricted" in refused.user_message
    assert isinstance(result, ImageResult)


def test_an_initial_image_is_refused(pipeline: DalleMini) -> None:
    refused, result = run(pipeline, replace(CAT, image=b"png", region="left half"), DOG)
    assert isinstance(refused, InvalidRequest)
    assert "choose another model" in refused.user_message
    assert isinstance(result, ImageResult)


# --- steps ------------------------------------------------------------------------------------


def test_progress_counts_tokens_and_reaches_all_of_them(pipeline: DalleMini) -> None:
    batch = MemoryBatch.of(replace(CAT, count=12), DOG)
    batch.run(pipeline)
    for job, count in zip(batch.jobs, (12, 1), strict=True):
        events = [event for event in job.events if isinstance(event, Progress)]
        assert {(event.total, event.pictures) for event in events} == {(16 * count, count)}
        assert {event.step_of_picture[1] for event in events} == {16}, "as many as the person is told"
        assert [event.step for event in events] == sorted(event.step for event in events)
        assert events[-1].step == 16 * count
        assert events[-1].step_of_picture == (16, 16)


def test_cancelling_all_jobs_stops_at_the_next_token(pipeline: DalleMini) -> None:
    batch = MemoryBatch.of(replace(CAT, count=4))
    batch.on_yield = lambda: batch.yield_points == 3 and batch.jobs[0].cancel()
    assert batch.run(pipeline) == []
    assert batch.yield_points <= 4


def test_a_cancelled_job_does_not_affect_the_others(pipeline: DalleMini) -> None:
    batch = MemoryBatch.of(replace(CAT, count=3), DOG, replace(CAT, seed=7))
    batch.on_yield = lambda: batch.yield_points == 9 and batch.jobs[0].cancel()
    dog, cat = batch.run(pipeline)
    assert isinstance(dog, ImageResult)
    assert isinstance(cat, ImageResult)
    assert dog.pictures == generate(pipeline, DOG)[0].pictures
    assert cat.pictures == generate(pipeline, replace(CAT, seed=7))[0].pictures
    assert batch.jobs[0].outcome is None


def test_other_jobs_can_use_the_model_at_a_yield_point(pipeline: DalleMini) -> None:
    batch = MemoryBatch.of(CAT)
    batch.on_yield = lambda: batch.yield_points == 5 and run(pipeline, DOG)
    (result,) = batch.run(pipeline)
    assert isinstance(result, ImageResult)
    assert result.pictures == generate(pipeline, CAT)[0].pictures


def test_stopping_the_bot_does_not_wait_for_images(pipeline: DalleMini) -> None:
    def stop() -> None:
        assert batch.yield_points < 10
        raise RequestCancelled("The bot is stopping.")

    batch = MemoryBatch.of(CAT, DOG)
    batch.on_yield = stop
    assert [type(outcome) for outcome in batch.run(pipeline)] == [RequestCancelled, RequestCancelled]


# --- memory -----------------------------------------------------------------------------------


def limit_memory(rows: int, bart: DalleBart) -> Any:
    """Make the network run out of memory in a forward pass with more than `rows` rows."""

    def run_out(_: Any, inputs: tuple[Tensor, ...]) -> None:
        if len(inputs[0]) > rows:
            raise MemoryError

    return bart.register_forward_pre_hook(run_out)


def test_batches_are_halved_when_memory_runs_out(folder: Path) -> None:
    pipeline, bart = pipeline_and_bart(folder)
    limit_memory(4, bart)
    batch = MemoryBatch.of(replace(CAT, count=5), DOG)
    five, one = batch.run(pipeline)
    assert isinstance(five, ImageResult)
    assert isinstance(one, ImageResult)
    assert [picture.seed for picture in five.pictures] == [5, 6, 7, 8, 9]
    assert batch.freed == 2  # after the attempts with eight and with four rows


def test_all_jobs_fail_without_memory_for_one_image(folder: Path) -> None:
    pipeline, bart = pipeline_and_bart(folder)
    limit_memory(1, bart)
    for outcome in run(pipeline, replace(CAT, count=2), DOG):
        assert isinstance(outcome, OutOfMemory)
        assert outcome.user_message == "There is too little memory for this model now. Try again later."


def pipeline_and_bart(folder: Path) -> tuple[DalleMini, DalleBart]:
    bart, vqgan = DalleBart.load(folder, CPU), VQGAN.load(folder / "vqgan", CPU)
    return DalleMini(bart, vqgan, PromptTokenizer(folder, bart.text_length)), bart


# --- loading ----------------------------------------------------------------------------------


def test_bfloat16_halves_the_memory_and_generates_an_image(pipeline: DalleMini, folder: Path) -> None:
    half = load_dalle_mini(folder, Placement(torch.device("cpu"), torch.bfloat16))
    assert half.nbytes < 0.6 * pipeline.nbytes
    alone, (series, _) = generate(half, CAT), generate(half, replace(CAT, count=3), DOG)
    assert alone[0].pictures[0].png == series.pictures[0].png
    assert pixels(alone[0].pictures[0]).std() > 10


def test_both_checkpoint_layouts_generate_the_same_image(pipeline: DalleMini, tmp_path: Path) -> None:
    stacked = load_dalle_mini(save_dalle_mini(tmp_path, stacked=True), CPU)
    assert generate(stacked, CAT)[0].pictures == generate(pipeline, CAT)[0].pictures


def test_numeric_overflow_is_an_error_and_gives_no_black_image(folder: Path) -> None:
    pipeline = load_dalle_mini(folder, CPU)
    broken_vqgan = VQGAN.load(folder / "vqgan", CPU)
    broken_vqgan.decoder.conv_out.weight.data.fill_(float("nan"))
    (outcome,) = run(DalleMini(DalleBart.load(folder, CPU), broken_vqgan, pipeline.tokenizer), CAT)
    assert isinstance(outcome, GenerationFailed)
    assert "overflowed" in outcome.user_message


def test_an_unknown_variant_is_refused(tmp_path: Path) -> None:
    save_dalle_mini(tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"use_head_scale": false', '"use_head_scale": true'))
    with pytest.raises(ModelUnavailable, match="variant of DALL·E mini"):
        load_dalle_mini(tmp_path, CPU)


def test_the_model_manager_finds_the_companion(pipeline: DalleMini, folder: Path) -> None:
    config = Config(
        models=model_lists(imagine=(ModelEntry(repo=str(folder)),)),
        data=folder / "data",
        dtype="float32",
        device=("cpu",),
    )
    (spec,) = config.specs("imagine")
    models = ModelManager("cpu", config, Hub(config))
    models.check(spec, config, probe=False)
    with models.lease(spec, lambda _: None) as leased:
        assert isinstance(leased, DalleMini)
        assert generate(leased, CAT)[0].pictures == generate(pipeline, CAT)[0].pictures
    assert models.loaded_bytes(spec) == pipeline.nbytes


def test_marked_pictures_tell_that_a_model_drew_them(pipeline: DalleMini) -> None:
    marked = generate(pipeline, replace(CAT, mark_origin=True))[0].pictures[0]
    assert source_type(marked.png) == "trainedAlgorithmicMedia"
    assert source_type(generate(pipeline, CAT)[0].pictures[0].png) == ""
