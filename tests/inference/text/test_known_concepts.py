"""What a small model says of words that mean nothing to it."""

from __future__ import annotations

import pytest

from inference.text.known_concepts import KnownConcepts
from inference.types.errors import InvalidRequest

CHILD = KnownConcepts(
    {"hearts": ("red heart", "blue heart"), "animals": ("cat", "polar bear"), "sky": ("drop of water",)}
)


@pytest.mark.parametrize("text", ["a red heart", "The Cat!", "drop of water", "Polar-bear and a cat's heart", "", "of"])
def test_words_that_it_knows_and_small_ones_between_them_are_no_trouble(text: str) -> None:
    CHILD.require(text)
    assert CHILD.note(text) is None


def test_words_beside_known_ones_are_drawn_without_and_named() -> None:
    CHILD.require("a cat in Paris, at dusk, in Paris")
    assert CHILD.note("a cat in Paris, at dusk, in Paris") == "This model does not know: paris, dusk."


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("Tokyo at dusk", "red heart, cat, drop of water"),
        ("two cats", "cat, red heart, drop of water"),
        ("hearth", "red heart, blue heart, cat, drop of water"),
        ("ein rotes Hertz", "red heart, blue heart, cat, drop of water"),
    ],
)
def test_nothing_but_unknown_words_is_refused_with_what_comes_closest_first(text: str, proposed: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CHILD.require(text)
    assert str(refused.value).endswith(f"It draws single things, such as {proposed}.")


@pytest.mark.parametrize("text", ["Lord of the Rings", "\N{RED APPLE}", "77", "花火と夏の夜", "हिन्दी"])
def test_neither_small_words_of_names_nor_emoji_numbers_and_other_scripts_are_known(text: str) -> None:
    with pytest.raises(InvalidRequest, match="does not know"):
        CHILD.require(text)


def test_a_word_of_another_script_is_named_whole() -> None:
    assert CHILD.note("a cat in हिन्दी \N{RED APPLE}") == "This model does not know: हिन्दी, \N{RED APPLE}."


def test_a_long_text_of_unknown_words_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidRequest, match=r"know: wo, wor, word, wordy, wordier\. It draws"):
        CHILD.require("wo wor word wordy wordier wordiest")
    with pytest.raises(InvalidRequest) as refused:
        CHILD.require("花" * 6000)
    assert len(str(refused.value)) < 200


def test_unknown_words_are_not_spoken_and_marks_stay() -> None:
    spoken = CHILD.without_unknown_words("A (Cat:1.3) in Paris BREAK [an old pear] of BLUE")
    assert spoken.split() == ["A", "(Cat:1.3)", "BREAK", "[", "]", "of", "BLUE"]
    assert (
        KnownConcepts({"faces": ("face with mask",)}).without_unknown_words("face with mask and beard")
        == "face with mask  "
    )


def test_a_model_without_a_list_takes_every_word() -> None:
    assert KnownConcepts({}).without_unknown_words("Paris, in the dusk") == "Paris, in the dusk"
    KnownConcepts({}).require("Paris at dusk")
    assert KnownConcepts({}).note("Paris at dusk") is None
