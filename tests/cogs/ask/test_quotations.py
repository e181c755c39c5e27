"""Quotations: an answer in its sentence or its paragraphs."""

from __future__ import annotations

import pytest

from cogs.ask.quotations import in_paragraphs, in_sentence


@pytest.mark.parametrize(
    ("text", "answer", "shown"),
    [
        ("Only one", "one", "Only **one**"),
        ("A.B is x. It is *y*! Then z.", "*y*", r"It is **\*y\***!"),
        ("first line\nsecond line\nthird", "second", "**second** line"),
        ("It was \nhere  now.", " \nhere  ", "It was \n**here**  now."),
        ("He said “no.” She left.", "She", "**She** left."),
        ("東京は首都です。人口は多い。", "人口", "**人口**は多い。"),
    ],
)
def test_the_answer_is_quoted_with_its_whole_sentence(text: str, answer: str, shown: str):
    start = text.index(answer)
    assert in_sentence(text, start, start + len(answer)) == shown


def test_the_full_stop_of_a_date_or_an_abbreviation_does_not_end_the_quotation():
    text = "Maya: Gut. Wir treffen uns am 3. März, z. B. bei Dr. Müller. Bis dann!"
    start = text.index("März")
    assert in_sentence(text, start, start + 4) == "Wir treffen uns am 3. **März**, z. B. bei Dr. Müller."


def test_a_very_long_sentence_is_cut_at_words():
    text = "word " * 1000
    shown = in_sentence(text, 2500, 2504, reach=22)
    assert shown == "…word word word word **word** word word word word…"


def test_an_answer_over_several_sentences_stays_whole():
    assert in_sentence("One. Two. Three. Four.", 5, 16) == "**Two. Three.**"


def test_paragraphs_are_shown_whole_where_they_fit():
    text = "\n".join(["a" * 500, "b" * 500, "c answer c", "d" * 500, "e" * 500])
    start = text.index("answer")
    assert in_paragraphs(text, start, start + 6) == f"{'b' * 500}\nc **answer** c\n{'d' * 500}"


def test_a_very_long_paragraph_is_cut_at_words():
    text = "word " * 1000
    shown = in_paragraphs(text, 2500, 2504)
    assert shown.startswith("word word")
    assert shown.endswith("word word")
    assert 1300 < len(shown) < 1410


def test_a_short_text_is_shown_whole():
    assert in_paragraphs("It is\n\nhere.", 7, 11) == "It is\n\n**here**."


def test_a_very_long_answer_is_cut():
    text = "The city " + "\u2028" * 50_000 + "Berlin."
    for shown in (in_sentence(text, 4, len(text)), in_paragraphs(text, 4, len(text))):
        assert shown.startswith("The **city")
        assert len(shown) < 2000
