"""Test the operator's list of words that a prompt must not contain."""

from __future__ import annotations

import pytest

from inference.config.schema import Config
from inference.limits import SafetySection
from inference.tasks import CompleteRequest, ImagineRequest
from inference.types.errors import InvalidRequest

CONFIG = Config(safety=SafetySection(words=("ass", "fruit salad", "C++", "naïve")))


@pytest.mark.parametrize(
    "prompt",
    [
        "ass",
        "an ASS in a field",
        "ass, horse",
        "(ass:1.3)",
        "an ass's ears",
        "bowl of Fruit Salad.",
        "fruit \n salad",
        "a c++ logo",
        "NAÏVE art",
        "nai\u0308ve art",
        "(a:1)(ss:1)",
        "a[s]s, ((a (horse:0.5)))",
        "as(: -.5 )s",
        "ａｓｓ",
        "an &#97;ss",
        "a<b>ss",
        "fruit-salad",
        "fruit_salad",
    ],
)
def test_a_listed_word_or_phrase_is_refused_in_any_spelling_or_context(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="does not allow a word of this prompt"):
        ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


@pytest.mark.parametrize(
    "prompt", ["grass", "assets", "class", "fruit, salad", "C", "naïvety", "naive", "ass2", "a ss"]
)
def test_only_whole_words_are_refused(prompt: str) -> None:
    ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


def test_a_negative_prompt_may_contain_listed_words() -> None:
    ImagineRequest(prompt="a horse", negative_prompt="ass").check(CONFIG.limits, CONFIG.safety)


def test_the_word_list_applies_only_to_pictures() -> None:
    CompleteRequest(prompt="ass").check(CONFIG.limits, CONFIG.safety)


def test_an_empty_word_in_the_config_is_refused() -> None:
    with pytest.raises(ValueError, match="would refuse every prompt"):
        SafetySection(words=("ass", " "))
