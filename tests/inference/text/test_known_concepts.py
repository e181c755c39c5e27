"""Test how a small model handles words that it does not know."""

from __future__ import annotations

import pytest

from inference.text.known_concepts import KnownConcepts
from inference.types.errors import InvalidRequest

CONCEPTS = KnownConcepts(
    {"hearts": ("red heart", "blue heart"), "animals": ("cat", "polar bear"), "sky": ("drop of water",)}
)


@pytest.mark.parametrize("text", ["a red heart", "The Cat!", "drop of water", "Polar-bear and a cat's heart", "", "of"])
def test_known_words_and_stop_words_are_accepted(text: str) -> None:
    CONCEPTS.require(text)
    assert CONCEPTS.note(text) is None


def test_the_note_lists_the_unknown_words_of_a_prompt_with_known_ones() -> None:
    CONCEPTS.require("a cat in Paris, at dusk, in Paris")
    assert CONCEPTS.note("a cat in Paris, at dusk, in Paris") == "This model does not know: paris, dusk."


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("Tokyo at dusk", "red heart, cat, drop of water"),
        ("two cats", "cat"),
        ("hearth", "red heart, blue heart"),
        ("asdfgh", "red heart, cat, drop of water"),
        ("eat at a beat", "red heart, cat, drop of water"),
        ("ein rotes Hertz", "red heart, blue heart"),
    ],
)
def test_a_prompt_of_only_unknown_words_is_refused_with_the_closest_concepts_first(text: str, proposed: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CONCEPTS.require(text)
    assert str(refused.value).endswith(f"It draws single things, such as {proposed}; /help lists more.")


@pytest.mark.parametrize("text", ["Lord of the Rings", "\N{RED APPLE}", "77", "花火と夏の夜", "हिन्दी"])
def test_stop_words_emoji_numbers_and_other_scripts_alone_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="does not know"):
        CONCEPTS.require(text)


def test_the_note_contains_whole_words_of_other_scripts() -> None:
    assert CONCEPTS.note("a cat in हिन्दी \N{RED APPLE}") == "This model does not know: हिन्दी, \N{RED APPLE}."


def test_the_error_lists_only_the_first_unknown_words() -> None:
    with pytest.raises(InvalidRequest, match=r"know: wo, wor, word, wordy, wordier\. It draws"):
        CONCEPTS.require("wo wor word wordy wordier wordiest")
    with pytest.raises(InvalidRequest) as refused:
        CONCEPTS.require("花" * 6000)
    assert len(str(refused.value)) < 200


def test_unknown_words_are_removed_and_prompt_syntax_is_kept() -> None:
    remaining = CONCEPTS.without_unknown_words("A (Cat:1.3) in Paris BREAK [an old pear] of BLUE")
    assert remaining.split() == ["A", "(Cat:1.3)", "BREAK", "[", "]", "of", "BLUE"]
    assert (
        KnownConcepts({"faces": ("face with mask",)}).without_unknown_words("face with mask and beard")
        == "face with mask  "
    )


def test_a_model_without_a_list_accepts_every_word() -> None:
    assert KnownConcepts({}).without_unknown_words("Paris, in the dusk") == "Paris, in the dusk"
    KnownConcepts({}).require("Paris at dusk")
    assert KnownConcepts({}).note("Paris at dusk") is None
