"""Test the prompt syntax of other programs."""

from __future__ import annotations

import pytest

from inference.tasks import ImagineRequest
from inference.text.prompt_syntax import PromptSyntax, foreign_syntax, read_syntax


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("a fox", PromptSyntax("a fox")),
        ("a fox  in snow", PromptSyntax("a fox  in snow")),
        ("a fox <lora:ink:0.8>", PromptSyntax("a fox", ("ink:0.8",))),
        ("<lora:ink>a fox, <LoRA:my style:-1:0.5>", PromptSyntax("a fox", ("ink:1", "my style:-1"))),
        ("a fox --ar 16:9", PromptSyntax("a fox", aspect=(16, 9))),
        ("a fox —aspect 2:3 --seed 7", PromptSyntax("a fox", aspect=(2, 3), seed=7)),
        ("a fox --no snow, ice --ar 1:1", PromptSyntax("a fox", aspect=(1, 1), without="snow, ice")),
        (
            "a fox --no snow and  ice--cream\n-- or fog  --v 6",
            PromptSyntax("a fox --v 6", without="snow and  ice--cream\n-- or fog"),
        ),
        ("a fox --no snow --no ice", PromptSyntax("a fox", without="snow, ice")),
        ("a fox --ar wide --seed x", PromptSyntax("a fox --ar wide --seed x")),
        ("He said —no way, and left", PromptSyntax("He said —no way, and left")),
        ("a well-known fox -- really", PromptSyntax("a well-known fox -- really")),
    ],
)
def test_what_other_programs_write_into_prompts_is_read(prompt: str, read: PromptSyntax) -> None:
    assert read_syntax(prompt) == read


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a fox (red:1.2) [small], {a,b} and <3", ()),
        ("a fox --v 6 --stylize 100 --niji", ("--v 6", "--stylize 100", "--niji")),
        ("a __colour__ fox <hypernet:x:1>", ("__colour__", "<hypernet:x:1>")),
        ("[fox:hare:0.5] [red|blue]", ("[fox:hare:0.5]", "[red|blue]")),
        ("[fox:1: 2 ] [a:b:c:7.5] [:ice:3] [a:b]", ("[fox:1: 2 ]", "[a:b:c:7.5]", "[:ice:3]")),
        ("a fox AND a hare BREAK snow and ice", ("AND", "BREAK")),
        ("embedding:bad, a fox", ("embedding:bad",)),
    ],
)
def test_what_is_not_known_from_other_programs_is_named(prompt: str, pieces: tuple[str, ...]) -> None:
    assert foreign_syntax(prompt) == pieces


def test_a_request_that_was_normalized_stays_as_it_is() -> None:
    once = ImagineRequest(prompt="<lo<lora:x:1>ra:ink:1> fox --ar 3:2").normalized()
    assert (once.prompt, once.lora, once.aspect) == ("fox", "x:1, ink:1", (3, 2))
    assert once.normalized() == once


def test_tags_inside_tags_are_read_however_many_there_are() -> None:
    nested = ImagineRequest(prompt=f"fox {'<lo' * 2000}<lora:x:1>{'ra:y:1>' * 2000}").normalized()
    assert nested.prompt == "fox"


@pytest.mark.parametrize("filling", [" ", "[", ":", "--no ", "--no x ", "<lora:", "—"])
def test_a_long_prompt_is_read_in_time(filling: str) -> None:
    """Fail by timeout if reading takes quadratic time."""
    assert read_syntax(f"a fox --no x{filling * 200_000}y --seed 7").seed == 7
    assert "BREAK" in foreign_syntax(f"[a{filling * 20_000}y BREAK ")
