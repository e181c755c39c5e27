"""Test splitting a text into sentences, and shortening it. No model is needed."""

from __future__ import annotations

import pytest

from inference.text.sentences import sentences, shortened


def test_sentences_end_at_punctuation_and_keep_the_space_after_it() -> None:
    text = 'It rains... "Who?!" (He.) 3.5 m\n\nEnd. 終わり。」はい'
    assert sentences(text) == ["It rains... ", '"Who?!" ', "(He.) ", "3.5 m\n\n", "End. ", "終わり。」", "はい"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith, Mr. Jones and J. R. R. Tolkien met at 5 p.m. on Monday.",
        "See p. 12, Fig. 3 and No. 5, e.g. the maps, i.e. all of them.",
        "It cost 3.50 euros, or approx. 4 dollars, etc. and was worth it.",
        "Wir treffen uns am 3. März, oder vom 1. bis 5. Mai.",
        "Ab 1. Januar gilt im 2. Stock, z. B. bei Dr. Müller, Nr. 5 und d. h. immer.",
        "Das war im 19. Jahrhundert, z.B. in Wien, bzw. Graz, vgl. Kap. 3, u. a. Seite 4.",
        "El Sr. López vive en EE. UU. con la Dra. Ruiz, p. ej. Madrid, núm. 7.",
        "M. Dupont et Mme. Durand, p. ex. Paris, voir p. 3 et vol. 2.",
        "Dr. 田中 は 3.5 キロ、No. 5 は 4 キロ。",
    ],
)
def test_abbreviations_ordinals_and_decimals_end_no_sentence(sentence: str) -> None:
    assert sentences(f"Before. {sentence} After.") == ["Before. ", f"{sentence} ", "After."]


@pytest.mark.parametrize(
    "text",
    [
        "I said no. |Then I left.",
        "It was I. |He knew.",
        "We have 30. |You have 4. |That is all.",
        "They came in 1990. |May was warm.",
        "We left at 5 p.m. |They stayed.",
        "Er kam usw. |Dann ging er.",
        "Es endete 3 zu 2. |Die Leute gingen.",
        "Seite 3.\n|März.",
        "Vive en Madrid. |Ud. lo sabe.",
        "Il part. |M. Dupont reste.",
        "行きます。|来ます。",
    ],
)
def test_other_full_stops_end_a_sentence(text: str) -> None:
    assert sentences(text.replace("|", "")) == text.split("|")


def test_the_number_of_a_point_in_a_list_belongs_to_the_point() -> None:
    assert sentences("1. Wash. 2. Dry.\n3. Go.\n") == ["1. Wash. ", "2. Dry.\n", "3. Go.\n"]


@pytest.mark.parametrize("characters", [".", "?!", ".'", "。", "\n", " ", "a", "'", "a. ", "3. ", "am 3. ", "Dr. "])
def test_repeated_punctuation_is_split_in_time(characters: str) -> None:
    text = characters * 200_000 + "a"
    assert "".join(sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("One. Two.", 9, "One. Two."),
        ("It is the 3. Then more words follow here.", 20, "It is the 3. …"),
        ("One long sentence without any full stop", 20, "One long sentence…"),
        ("Am 3. März kommen alle", 12, "Am 3. März…"),
        ("w" * 30, 10, "w" * 9 + "…"),
        (" " * 30, 10, " " * 9 + "…"),
        ("One. Two.", 1, "…"),
        ("One. Two.", 0, ""),
        ("今日は晴れです。明日は雨が降るでしょう。", 12, "今日は晴れです。 …"),
    ],
)
def test_a_long_text_is_cut_after_a_sentence_or_a_word(text: str, longest: int, shown: str) -> None:
    assert shortened(text, longest) == shown
    assert len(shown) <= longest
