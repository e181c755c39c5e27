"""The operator's words: what a prompt may not say."""

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
def test_a_listed_word_or_phrase_is_refused_whatever_is_around_it(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match="does not allow a word of this prompt"):
        ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


@pytest.mark.parametrize(
    "prompt", ["grass", "assets", "class", "fruit, salad", "C", "naïvety", "naive", "ass2", "a ss"]
)
def test_a_word_is_whole_or_it_is_another(prompt: str) -> None:
    ImagineRequest(prompt=prompt).check(CONFIG.limits, CONFIG.safety)


def test_what_is_to_be_kept_out_may_be_named() -> None:
    ImagineRequest(prompt="a horse", negative_prompt="ass").check(CONFIG.limits, CONFIG.safety)


def test_the_words_are_about_pictures() -> None:
    CompleteRequest(prompt="ass").check(CONFIG.limits, CONFIG.safety)


def test_an_empty_word_is_a_mistake_of_the_file() -> None:
    with pytest.raises(ValueError, match="would refuse every prompt"):
        SafetySection(words=("ass", " "))
