"""Splitting and escaping, over many random texts."""

from __future__ import annotations

import random

import pytest

from cogs.reply.page import Attached, Page, pages
from cogs.reply.text import PART, as_written, bar, neutral, ordinal, quoted, seconds, split

_PIECES = ["word", " ", "\n", "\n\n", ". ", "!", "\\*", "\\\\", "```\n", "long" * 40, "…", "日本語", "👩‍🚀", "\t"]


def _random_text(seed: int) -> str:
    source = random.Random(seed)
    return "".join(source.choice(_PIECES) for _ in range(source.randrange(400)))


@pytest.mark.parametrize("seed", range(40))
def test_the_parts_are_the_text_in_order_and_none_is_too_long(seed: int):
    text = _random_text(seed)
    parts = split(text, 100)
    assert "".join(parts) == text
    assert all(0 < len(part) <= 100 for part in parts if text)


@pytest.mark.parametrize("seed", range(40))
def test_an_escape_stays_with_what_it_escapes(seed: int):
    text = neutral("*" * random.Random(seed).randrange(300) + "_" * (100 + seed))
    assert all(len(part) % 2 == 0 for part in split(text, 101))


def test_a_part_ends_after_a_paragraph_rather_than_a_sentence_rather_than_a_word():
    assert split("One two. Three four.\n\nFive six. Seven", 30)[0] == "One two. Three four.\n\n"
    assert split("One two. Three four. Five six seven", 30)[0] == "One two. Three four. "
    assert split("One two three four five six seven", 20)[0] == "One two three four "
    assert split("x" * 50, 20) == ["x" * 20, "x" * 20, "x" * 10]


def test_blank_parts_are_not_sent():
    text = "start" + "\n" * 2 * PART + "end"
    assert [page.text.strip() for page in pages(Page(text), 10**6)] == ["start", "end"]


def test_a_message_without_text_still_has_some():
    assert pages(Page(""), 10**6)[0].text


def test_a_file_over_the_upload_limit_is_explained_and_the_others_are_sent():
    small, large = Attached("small.png", b"1"), Attached("large.png", b"1" * 3_000_000)
    [page] = pages(Page("Done.", (small, large)), 2_000_000)
    assert page.files == (small,)
    assert "1 of 2 files are over the 2 MB that Discord takes here." in page.text


@pytest.mark.parametrize("text", ["# heading", "> quote", "- item", "-# small", "||hidden||", "`code`", "~~gone~~"])
def test_formatting_of_others_is_shown_as_it_was_written(text: str):
    assert "\\" in neutral(text)
    assert neutral(text).replace("\\", "") == text


def test_a_quotation_is_one_line():
    assert quoted("one\n# two\n" + "x" * 500).count("\n") == 0
    assert len(quoted("x" * 500)) == 302


def test_numbers_are_written_as_people_say_them():
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th",
    ]  # fmt: skip
    assert [seconds(amount) for amount in (0.2, 40, 180)] == ["1 s", "40 s", "3 min"]
    assert bar(0.3) == "▰▰▰▱▱▱▱▱▱▱"


@pytest.mark.parametrize(
    "text",
    [
        "a *fat* cat_1",
        "@everyone <@1>",
        r"a \ b",
        "`code` ||x|| ~~y~~",
        "> quote",
        "# heading",
        "- item",
        "",
        "(a:1.3)",
    ],
)
def test_what_was_made_harmless_can_be_read_back(text: str):
    assert as_written(neutral(text)) == text
