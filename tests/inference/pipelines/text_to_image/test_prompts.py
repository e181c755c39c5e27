"""Prompts: of any length, with emphasis, and exactly as diffusers reads them where they have neither."""

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
FULL = "a " * 75  # a letter is a token, and 75 fill a chunk


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("stable-diffusion"))


@pytest.fixture(scope="module")
def pipe(folder: Path) -> Any:
    return read_pipeline(folder, CPU)


@pytest.fixture(scope="module")
def pipe_xl(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return read_pipeline(save_stable_diffusion_xl(tmp_path_factory.mktemp("xl")), CPU)


def read(pipe: Any, prompt: str, negative: str = "") -> dict[str, torch.Tensor]:
    """What the pipeline is given for one picture, without the dimension of pictures."""
    arguments = prompt_inputs_for(pipe).arguments([ImageSpec(prompt, negative, seed=0)])
    return {name: states[0] for name, states in arguments.items()}


def stock(pipe: Any, prompt: str, negative: str | None = None) -> Any:
    """The states of diffusers' own: of the prompt, of the negative one, and with XL the pooled ones of both."""
    with torch.no_grad():
        return [states[0] for states in pipe.encode_prompt(prompt, negative_prompt=negative, **pipe_options(pipe))]


def pipe_options(pipe: Any) -> dict[str, Any]:
    own = {} if hasattr(pipe, "tokenizer_2") else {"device": "cpu", "num_images_per_prompt": 1}
    return {**own, "do_classifier_free_guidance": True}


# --- emphasis ---------------------------------------------------------------------------------


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
def test_brackets_weigh_what_is_in_them(prompt: str, pieces: list[tuple[str, float]]) -> None:
    parsed = parse_weights(prompt)
    assert [piece.text for piece in parsed] == [text for text, _ in pieces]
    assert [piece.weight for piece in parsed] == pytest.approx([weight for _, weight in pieces])


@pytest.mark.parametrize("prompt", [":) a (cat", "a) (b] [c", "at 3:00) or :1.5", "(((", "(a:1.3"])
def test_brackets_without_a_partner_are_text(prompt: str) -> None:
    assert [(piece.text, piece.weight) for piece in parse_weights(prompt)] == [(prompt, 1)]
    assert without_weights(prompt) == prompt


def test_a_bracket_without_a_partner_does_not_disturb_those_around_it() -> None:
    assert [(piece.text, piece.weight) for piece in parse_weights("(a [b [c) d]")] == [("a [b [c", 1.1), (" d]", 1)]


# --- states -----------------------------------------------------------------------------------


def test_short_prompts_without_emphasis_are_read_as_by_diffusers(pipe: Any, pipe_xl: Any) -> None:
    for negative in ("", "a dog"):
        positive, opposite = stock(pipe, "a cat", negative)
        ours = read(pipe, "a cat", negative)
        assert torch.equal(ours["prompt_embeds"], positive)
        assert torch.equal(ours["negative_prompt_embeds"], opposite)
        ours, theirs = read(pipe_xl, "a cat", negative), stock(pipe_xl, "a cat", negative or None)
        names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
        assert all(torch.equal(ours[name], states) for name, states in zip(names, theirs, strict=True))


def test_without_zeros_for_it_an_empty_negative_prompt_is_read_too(tmp_path: Path) -> None:
    pipe_xl = read_pipeline(save_stable_diffusion_xl(tmp_path), CPU)
    pipe_xl.register_to_config(force_zeros_for_empty_prompt=False)
    assert torch.equal(read(pipe_xl, "a cat")["negative_prompt_embeds"], stock(pipe_xl, "a cat", "")[1])


def test_long_prompts_are_read_in_chunks_and_the_others_filled_up(pipe: Any, pipe_xl: Any) -> None:
    for each in (pipe, pipe_xl):
        ours = read(each, FULL + "a cat", "a dog")
        parts = [stock(each, text, "") for text in (FULL, "a cat", "a dog", "")]
        expected = [part[0] for part in parts]
        assert torch.equal(ours["prompt_embeds"], torch.cat(expected[:2]))
        assert torch.equal(ours["negative_prompt_embeds"], torch.cat(expected[2:]))
    assert torch.equal(read(pipe_xl, FULL + "a cat")["pooled_prompt_embeds"], stock(pipe_xl, FULL)[2])


def test_break_starts_a_new_chunk(pipe: Any) -> None:
    ours = read(pipe, "a cat BREAK a dog")["prompt_embeds"]
    assert torch.equal(ours, torch.cat([stock(pipe, "a cat")[0], stock(pipe, "a dog")[0]]))


def test_a_prompt_of_breaks_is_read_to_a_bound_and_its_empty_chunks_at_once(pipe: Any) -> None:
    calls: list[int] = []
    handle = pipe.text_encoder.register_forward_pre_hook(lambda *_: calls.append(1))
    states = read(pipe, "BREAK " * 1000)["prompt_embeds"]
    handle.remove()
    assert len(states) == 16 * 77
    assert len(calls) == 2  # the prompt's empty chunk, and that of no negative prompt
    assert torch.equal(states, stock(pipe, "")[0].repeat(16, 1))


def test_what_is_beyond_the_bound_is_quoted_by_its_start(pipe: Any, pipe_xl: Any) -> None:
    for each in (pipe, pipe_xl):
        notes = prompt_inputs_for(each).notes
        assert notes(ImagineRequest(prompt=FULL * 16, negative_prompt="BREAK " * 1000)) == []
        (note,) = notes(ImagineRequest(prompt="a", negative_prompt=FULL * 16 + "zebra " + "b " * 1000))
        assert note.startswith("The model reads only the start of a long negative prompt; it did not read “z")
        assert note.endswith("…”.")
        assert len(note) < 300


def test_weights_scale_the_states_and_keep_their_mean(pipe: Any, pipe_xl: Any) -> None:
    plain_states = stock(pipe, "a b c")[0]
    weights = torch.ones(77, 1)
    weights[2] = 1.5  # after the mark of the start, and "a"
    weighted = plain_states * weights
    expected = weighted * (plain_states.mean() / weighted.mean())
    assert torch.allclose(read(pipe, "a (b:1.5) c")["prompt_embeds"], expected, atol=1e-6)
    ours = read(pipe_xl, "a (b:1.5) c")["prompt_embeds"]
    assert torch.allclose(ours.mean(), stock(pipe_xl, "a b c")[0].mean(), atol=1e-6)
    assert not torch.allclose(ours, stock(pipe_xl, "a b c")[0], atol=1e-3)


# --- pictures ---------------------------------------------------------------------------------


def pixels(result: Any) -> Any:
    assert isinstance(result, ImageResult), result
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def test_long_prompts_are_used_completely_and_do_not_depend_on_the_batch(folder: Path, pipe: Any) -> None:
    cat = ImagineRequest(prompt=FULL + "cat", steps=3, seed=5)
    requests = (cat, replace(cat, prompt=FULL + "cow"), replace(cat, prompt="cat"), replace(cat, prompt="(cat:1.4)"))
    alone = [pixels(*run(TextToImage(pipe, clock=lambda: 0.0), request)) for request in requests]
    batched = run(TextToImage(read_pipeline(folder, CPU), max_batch_size=4, clock=lambda: 0.0), *requests)
    assert all(np.abs(pixels(ours) - expected).max() <= 2 for ours, expected in zip(batched, alone, strict=True))
    assert len({picture.tobytes() for picture in alone}) == 4
    assert not any(result.note for result in batched if isinstance(result, ImageResult))


class OtherPipeline(SimpleNamespace):
    """Like newer kinds of models, that read text by encoders of their own."""

    def __call__(self, prompt: str, max_sequence_length: int = 12) -> None: ...


def test_other_models_get_plain_text_and_what_they_do_not_read_is_quoted(pipe: Any) -> None:
    prompts = prompt_inputs_for(OtherPipeline(tokenizer=pipe.tokenizer))
    spec = ImageSpec("a (cat:1.3)", "[dogs]", seed=0)
    assert prompts.arguments([spec]) == {"prompt": ["a cat"], "negative_prompt": ["dogs"]}
    notes = prompts.notes(ImagineRequest(prompt="(" + "a " * 10 + ") Zebra", negative_prompt="a cat"))
    assert notes == ["The model reads only the start of a long prompt; it did not read “Zebra”."]
