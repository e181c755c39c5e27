"""Test prompts: any length, weights, and the same embeddings as diffusers for short prompts without weights."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inference.pipelines.devices import Placement
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.generation_settings import ImageSpec
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.prompt_inputs import prompt_inputs_for
from inference.pipelines.text_to_image.prompt_weighting import parse_weights, without_weights
from inference.tasks import ImageResult, ImagineRequest
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

CPU = Placement(torch.device("cpu"), torch.float32)
FULL_CHUNK = "a " * 75  # each letter is one token, and 75 tokens fill a chunk


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return read_pipeline(folder, CPU)


@pytest.fixture(scope="module")
def pipe_xl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return read_pipeline(save_stable_diffusion_xl(tmp_path_factory.mktemp("xl")), CPU)


def prompt_inputs(pipe: Any, prompt: str, negative: str = "") -> dict[str, torch.Tensor]:
    """Return the inputs of the pipeline for one image, without the batch dimension."""
    arguments = prompt_inputs_for(pipe).arguments([ImageSpec(prompt, negative, seed=0)])
    return {name: states[0] for name, states in arguments.items()}


def diffusers_embeddings(pipe: Any, prompt: str, negative: str | None = None) -> Any:
    """Return the embeddings of diffusers: prompt and negative prompt, and for XL both pooled embeddings."""
    with torch.no_grad():
        return [states[0] for states in pipe.encode_prompt(prompt, negative_prompt=negative, **pipe_options(pipe))]


def pipe_options(pipe: Any) -> dict[str, Any]:
    own = {} if hasattr(pipe, "tokenizer_2") else {"device": "cpu", "num_images_per_prompt": 1}
    return {**own, "do_classifier_free_guidance": True}


# --- prompt weighting -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a cat", [("a cat", 1)]),
        ("a (cat)", [("a ", 1), ("cat", 1.1)]),
        ("a [cat] b", [("a ", 1), ("cat", 1 / 1.1), (" b", 1)]),
        ("(a:1.3), (b: .5 )", [("a", 1.3), (", ", 1), ("b", 0.5)]),
        ("((a) [b] (c:2))", [("a", 1.21), (" ", 1.1), ("b", 1), (" ", 1.1), ("c", 2.2)]),
        ("(a: b:1.5)", [("a: b", 1.5)]),
        (r"\(a\) \[b\] \\ \c", [(r"(a) [b] \ \c", 1)]),
        ("", []),
    ],
)
def test_brackets_set_the_weight_of_their_content(prompt: str, pieces: list[tuple[str, float]]) -> None:
    parsed = parse_weights(prompt)
    assert [piece.text for piece in parsed] == [text for text, _ in pieces]
    assert [piece.weight for piece in parsed] == pytest.approx([weight for _, weight in pieces])


@pytest.mark.parametrize("prompt", [":) a (cat", "a) (b] [c", "at 3:00) or :1.5", "(((", "(a:1.3"])
def test_unmatched_brackets_are_text(prompt: str) -> None:
    assert [(piece.text, piece.weight) for piece in parse_weights(prompt)] == [(prompt, 1)]
    assert without_weights(prompt) == prompt


def test_an_unmatched_bracket_does_not_affect_the_brackets_around_it() -> None:
    assert [(piece.text, piece.weight) for piece in parse_weights("(a [b [c) d]")] == [("a [b [c", 1.1), (" d]", 1)]


# --- embeddings -------------------------------------------------------------------------------


def test_short_prompts_without_weights_have_the_embeddings_of_diffusers(pipe: Any, pipe_xl: Any) -> None:
    for negative in ("", "a dog"):
        positive_embeddings, negative_embeddings = diffusers_embeddings(pipe, "a cat", negative)
        ours = prompt_inputs(pipe, "a cat", negative)
        assert torch.equal(ours["prompt_embeds"], positive_embeddings)
        assert torch.equal(ours["negative_prompt_embeds"], negative_embeddings)
        ours, theirs = (
            prompt_inputs(pipe_xl, "a cat", negative),
            diffusers_embeddings(pipe_xl, "a cat", negative or None),
        )
        names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
        assert all(torch.equal(ours[name], states) for name, states in zip(names, theirs, strict=True))


def test_an_empty_negative_prompt_is_encoded_if_the_model_does_not_use_zeros(tmp_path: Path) -> None:
    pipe_xl = read_pipeline(save_stable_diffusion_xl(tmp_path), CPU)
    pipe_xl.register_to_config(force_zeros_for_empty_prompt=False)
    assert torch.equal(
        prompt_inputs(pipe_xl, "a cat")["negative_prompt_embeds"], diffusers_embeddings(pipe_xl, "a cat", "")[1]
    )


def test_long_prompts_are_encoded_in_chunks_and_shorter_ones_are_padded(pipe: Any, pipe_xl: Any) -> None:
    for each in (pipe, pipe_xl):
        ours = prompt_inputs(each, FULL_CHUNK + "a cat", "a dog")
        parts = [diffusers_embeddings(each, text, "") for text in (FULL_CHUNK, "a cat", "a dog", "")]
        expected = [part[0] for part in parts]
        assert torch.equal(ours["prompt_embeds"], torch.cat(expected[:2]))
        assert torch.equal(ours["negative_prompt_embeds"], torch.cat(expected[2:]))
    assert torch.equal(
        prompt_inputs(pipe_xl, FULL_CHUNK + "a cat")["pooled_prompt_embeds"],
        diffusers_embeddings(pipe_xl, FULL_CHUNK)[2],
    )


def test_break_starts_a_new_chunk(pipe: Any) -> None:
    ours = prompt_inputs(pipe, "a cat BREAK a dog")["prompt_embeds"]
    assert torch.equal(
        ours, torch.cat([diffusers_embeddings(pipe, "a cat")[0], diffusers_embeddings(pipe, "a dog")[0]])
    )


def test_the_number_of_chunks_is_limited_and_equal_chunks_are_encoded_once(pipe: Any) -> None:
    calls: list[int] = []
    handle = pipe.text_encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    states = prompt_inputs(pipe, "BREAK " * 1000)["prompt_embeds"]
    handle.remove()
    assert len(states) == 16 * 77
    assert len(calls) == 2  # one for the empty chunk of the prompt, one for the empty negative prompt
    assert torch.equal(states, diffusers_embeddings(pipe, "")[0].repeat(16, 1))


def test_the_note_quotes_the_start_of_the_truncated_text(pipe: Any, pipe_xl: Any) -> None:
    for each in (pipe, pipe_xl):
        notes = prompt_inputs_for(each).notes
        assert notes(ImagineRequest(prompt=FULL_CHUNK * 16, negative_prompt="BREAK " * 1000)) == []
        (note,) = notes(ImagineRequest(prompt="a", negative_prompt=FULL_CHUNK * 16 + "zebra " + "b " * 1000))
        assert note.startswith("The model reads only the start of a long negative prompt; it did not read “z")
        assert note.endswith("…”.")
        assert len(note) < 300


def test_weights_scale_the_embeddings_and_keep_their_mean(pipe: Any, pipe_xl: Any) -> None:
    plain_embeddings = diffusers_embeddings(pipe, "a b c")[0]
    weights = torch.ones(77, 1)
    weights[2] = 1.5  # token 2 is "b", after the start token and "a"
    weighted = plain_embeddings * weights
    expected = weighted * (plain_embeddings.mean() / weighted.mean())
    assert torch.allclose(prompt_inputs(pipe, "a (b:1.5) c")["prompt_embeds"], expected, atol=1e-6)
    ours = prompt_inputs(pipe_xl, "a (b:1.5) c")["prompt_embeds"]
    assert torch.allclose(ours.mean(), diffusers_embeddings(pipe_xl, "a b c")[0].mean(), atol=1e-6)
    assert not torch.allclose(ours, diffusers_embeddings(pipe_xl, "a b c")[0], atol=1e-3)


# --- pictures ---------------------------------------------------------------------------------


def pixels(result: Any) -> Any:
    assert isinstance(result, ImageResult), result
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def test_long_prompts_are_used_completely_and_do_not_depend_on_the_batch(folder: Path, pipe: Any) -> None:
    cat = ImagineRequest(prompt=FULL_CHUNK + "cat", steps=3, seed=5)
    requests = (
        cat,
        replace(cat, prompt=FULL_CHUNK + "cow"),
        replace(cat, prompt="cat"),
        replace(cat, prompt="(cat:1.4)"),
    )
    alone = [pixels(*run(TextToImage(pipe, clock=lambda: 0.0), request)) for request in requests]
    batched = run(TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=lambda: 0.0), *requests)
    assert all(np.abs(pixels(ours) - expected).max() <= 2 for ours, expected in zip(batched, alone, strict=True))
    assert len({picture.tobytes() for picture in alone}) == 4
    assert not any(result.note for result in batched if isinstance(result, ImageResult))


class OtherPipeline(SimpleNamespace):
    """A pipeline that encodes the prompt itself, like newer models."""

    def __call__(self, prompt: str, max_sequence_length: int = 12) -> None: ...


def test_other_models_get_the_prompt_as_text_and_the_note_quotes_the_truncated_part(pipe: Any) -> None:
    prompts = prompt_inputs_for(OtherPipeline(tokenizer=pipe.tokenizer))
    spec = ImageSpec("a (cat:1.3)", "[dogs]", seed=0)
    assert prompts.arguments([spec]) == {"prompt": ["a cat"], "negative_prompt": ["dogs"]}
    notes = prompts.notes(ImagineRequest(prompt="(" + "a " * 10 + ") Zebra", negative_prompt="a cat"))
    assert notes == ["The model reads only the start of a long prompt; it did not read “Zebra”."]
