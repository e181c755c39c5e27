"""The summary of changes of a prompt."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

import pytest

from cogs.imagine import settings_line
from cogs.imagine.settings_line import changes, options_of, with_settings
from inference import EditRequest, ImagineRequest, InvalidRequest


def _changes(before: str, after: str) -> str:
    old = ImagineRequest(prompt=before, model="m", seed=7)
    return changes(old, replace(old, prompt=after))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("a fox", "a fox", "nothing changed"),
        ("a fox by day", "a red fox at night", 'prompt −"by day" +"red" +"at night"'),
        ("a a", "a", 'prompt −"a"'),
        ("a b c d e f", "a 1 b 2 c 3 d 4 e 5 f", 'prompt +"1" +"2" +"3" +"4" …'),
        ("", "a fox", 'prompt +"a fox"'),
    ],
)
def test_each_change_of_the_prompt_is_shown(before: str, after: str, said: str) -> None:
    assert _changes(before, after) == said


def test_a_small_change_of_a_long_prompt_is_shown_exactly() -> None:
    words = ["a"] * 2000
    assert _changes(" ".join(words), " ".join([*words[:1000], "red", *words[1000:]])) == 'prompt +"red"'


def test_many_changes_of_a_long_prompt_are_shown_as_one_without_a_long_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []

    class Counting(SequenceMatcher[str]):
        def __init__(self, isjunk: None, a: list[str], b: list[str], **options: Any) -> None:
            compared.append(max(len(a), len(b)))
            super().__init__(isjunk, a, b, **options)

    monkeypatch.setattr(settings_line, "SequenceMatcher", Counting)
    said = _changes(" ".join("aaab" * 500), " ".join("aaac" * 500))
    assert said.startswith('prompt −"b a a a b')
    assert said.count('"') == 4
    assert not [words for words in compared if words > 200]


def test_another_image_guidance_of_an_edit_is_a_change() -> None:
    old = EditRequest(prompt="make it red", model="m", seed=7, image_guidance_scale=1.5)
    assert changes(old, replace(old, image_guidance_scale=2)) == "image guidance 1.5 → 2"


def test_the_options_of_an_edit_leave_out_the_unwanted_words_that_only_remix_takes() -> None:
    assert options_of(EditRequest(prompt="make it red", negative_prompt="blue")) == {"instruction": "make it red"}
    assert options_of(ImagineRequest(prompt="a fox", negative_prompt="blue")) == {"prompt": "a fox", "negative": "blue"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (ImagineRequest(prompt="x"), "Steps, Sampler, CFG scale, Size, Model, Lora, Temperature, Top k, Fast"),
        (EditRequest(prompt="x"), "Steps, CFG scale, Image CFG scale, Size, Model, Temperature, Top k"),
    ],
)
def test_an_unknown_setting_is_answered_with_those_of_the_command(asked: ImagineRequest, names: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        with_settings(asked, "Stops: 9")
    said = f"I don't understand 'Stops: 9' in the settings. They are {names}, each with a colon and a value."
    assert str(raised.value) == said
