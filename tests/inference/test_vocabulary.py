"""What a small model says of words that mean nothing to it."""

from __future__ import annotations

import pytest

from inference.errors import InvalidRequest
from inference.vocabulary import Vocabulary

CHILD = Vocabulary({"hearts": ("red heart", "blue heart"), "animals": ("cat", "polar bear"), "fruit": ("pear",)})


@pytest.mark.parametrize("text", ["a red heart", "The Cat!", "polar bear and cat", "", "a picture of the", "77"])
def test_words_that_it_knows_and_small_ones_between_them_are_no_trouble(text: str) -> None:
    CHILD.require(text)
    assert CHILD.note(text) is None


def test_words_beside_known_ones_are_drawn_without_and_named() -> None:
    CHILD.require("a cat in Paris, at dusk, in Paris")
    assert CHILD.note("a cat in Paris, at dusk, in Paris") == "This model does not know: paris, dusk."


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("Tokyo at dusk", "red heart, cat, pear"),
        ("two cats", "cat, red heart, pear"),
        ("hearth", "red heart, blue heart, cat, pear"),
        ("ein rotes Hertz", "red heart, blue heart, cat, pear"),
    ],
)
def test_nothing_but_unknown_words_is_refused_with_what_comes_closest_first(text: str, proposed: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CHILD.require(text)
    assert str(refused.value).endswith(f"It draws single things, such as {proposed}.")


def test_a_long_text_of_unknown_words_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidRequest, match=r"know: w, wo, wor, word, wordy\. It draws"):
        CHILD.require("w wo wor word wordy wordier wordiest")


def test_a_model_without_a_list_takes_every_word() -> None:
    Vocabulary({}).require("Paris at dusk")
    assert Vocabulary({}).note("Paris at dusk") is None
