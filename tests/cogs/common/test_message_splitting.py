"""Splitting of texts into messages, with many random texts."""

from __future__ import annotations

import random
import re

import pytest

from cogs.common.markdown import neutral
from cogs.common.message_content import MOST_MESSAGES, AttachedFile, MessageContent, split_into_messages
from cogs.common.message_splitting import MESSAGE_LIMIT, PART_LIMIT, split_text

_WORDS = [
    "word",
    " ",
    "\n",
    "\n\n",
    ". ",
    "!",
    "\\*",
    "\\\\",
    "long" * 40,
    "…",
    "日本語。",
    "👩\u200d🚀",
    "\t",
    "\U0001f3fb",
]
_BLOCKS = [
    "```py\nprint(1)\n```",
    "```\n" + "x = 1\n" * 30 + "```",
    "```c++\n" + "y" * 250 + "\n```",
    "\n```oneline```\n",
]


def _random_text(seed: int, pieces: list[str]) -> str:
    source = random.Random(seed)
    return "".join(source.choice(pieces) for _ in range(source.randrange(400)))


def _follows(text: str, parts: list[str]) -> int:
    """Return how many characters of `text` the `parts` repeat, without the fences added at their borders."""
    reached = 0
    for part in parts:
        closed, opened = part.removesuffix("\n```"), re.sub(r"\A```[\w+.#-]*\n", "", part)
        both = opened.removesuffix("\n```")
        same = next((piece for piece in (part, closed, opened, both) if text.startswith(piece, reached)), "")
        reached += len(same)
    return reached


@pytest.mark.parametrize("seed", range(60))
def test_the_parts_make_up_the_text_and_none_is_too_long(seed: int):
    text = _random_text(seed, [*_WORDS, "```\n", "`"])
    parts = list(split_text(neutral(text), 100))
    assert "".join(parts) == neutral(text)
    assert all(0 < len(part) <= 100 for part in parts if text)


@pytest.mark.parametrize("seed", range(60))
def test_splitting_code_blocks_adds_only_fences(seed: int):
    text = _random_text(seed, [*_WORDS, *_BLOCKS])
    parts = list(split_text(text, 150))
    assert _follows(text, parts) == len(text)
    assert all(len(part) <= 150 for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts), "every part renders by itself"


@pytest.mark.parametrize("seed", range(60))
def test_splitting_any_text_ends_and_loses_nothing(seed: int):
    text = _random_text(seed, ["`", "``", "```", "```py\n", "\n", " ", "\\", "x", "# ", "y" * 90, " " * 90])
    parts = list(split_text(text, 100))
    assert all(len(part) <= 100 for part in parts)
    left = iter("".join(parts))
    assert all(character in left for character in text), "all characters of the text are there, in order"


def test_a_long_code_block_is_split_at_a_line_and_reopened_with_its_language():
    code = "".join(f"line_{number} = {number}\n" for number in range(200))
    first, second, *_ = split_text(f"Here:\n```py\n{code}```\nDone.")
    assert re.search(r"line_\d+ = \d+\n\n```$", first)
    assert re.match(r"```py\nline_\d+ = ", second)


def test_a_code_block_near_the_end_of_a_part_moves_to_the_next_part():
    assert list(split_text("x" * 80 + "\n```py\n" + "y\n" * 20 + "```", 120)) == [
        "x" * 80 + "\n",
        "```py\n" + "y\n" * 20 + "```",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_an_escape_is_not_separated_from_its_character(seed: int):
    text = neutral("*" * random.Random(seed).randrange(300) + "_" * (100 + seed))
    assert all(len(part) % 2 == 0 for part in split_text(text, 101))


@pytest.mark.parametrize("offset", range(5))
def test_an_emoji_of_several_code_points_is_not_split(offset: int):
    parts = list(split_text("x" * offset + "👩🏽\u200d🚀" * 100, 101))
    assert len(parts) > 1
    assert all(part.count("👩🏽\u200d🚀") * 4 == len(part) - offset * (i == 0) for i, part in enumerate(parts))


@pytest.mark.parametrize("mark", ["# ", "## ", "-# ", "- ", "> ", "1. "])
def test_no_part_begins_with_characters_that_discord_would_format(mark: str):
    parts = list(split_text("A sentence. " * 8 + f"{mark}or not. " * 30, 100))
    assert len(parts) > 2
    assert not any(part.startswith(mark) for part in parts)


def test_a_part_ends_at_a_paragraph_or_else_a_sentence_or_else_a_word():
    half = "word " * 12
    assert next(split_text(f"{half}Three four.\n\nFive six. {half}", 100)) == f"{half}Three four.\n\n"
    assert next(split_text(f"{half}Three four. Five six {half}", 100)) == f"{half}Three four. "
    assert next(split_text("語" * 70 + "。" + "語" * 70, 100)) == "語" * 70 + "。"
    assert next(split_text("word " * 30, 103)) == "word " * 20
    assert list(split_text("x" * 250, 100)) == ["x" * 100, "x" * 100, "x" * 50]


def test_a_message_uses_the_whole_character_limit_and_an_emoji_counts_as_one():
    text = "😀" * (PART_LIMIT * 2)
    assert [len(content.text) for content in split_into_messages(MessageContent(text, note="n" * 50), 10**6)] == [
        PART_LIMIT,
        PART_LIMIT + 54,
    ]


def test_a_note_that_does_not_fit_below_the_text_gets_its_own_message():
    first, second = split_into_messages(
        MessageContent("x" * PART_LIMIT, note="n" * (MESSAGE_LIMIT - PART_LIMIT)), 10**6
    )
    assert first.text == "x" * PART_LIMIT
    assert second.text == "\n-# " + "n" * (MESSAGE_LIMIT - PART_LIMIT)


def test_a_text_of_too_many_messages_is_attached_and_its_beginning_is_shown():
    text = "A sentence. " * (PART_LIMIT * MOST_MESSAGES // 12 + 10)
    [content] = split_into_messages(MessageContent(text, plain=text + "!", note="seed 1"), 10**6)
    assert content.text.startswith("A sentence. ")
    assert content.text.endswith("\n-# The whole text is in the attached file.\n-# seed 1")
    assert len(content.text) <= MESSAGE_LIMIT
    assert content.files == (AttachedFile("text.txt", (text + "!").encode()),)


def test_blank_parts_are_not_sent():
    text = "start" + "\n" * 4 * PART_LIMIT + "middle" + "\n" * 4 * PART_LIMIT + "end"
    assert [content.text.strip() for content in split_into_messages(MessageContent(text), 10**6)] == [
        "start",
        "middle",
        "end",
    ]


def test_an_empty_message_gets_a_replacement_text():
    assert split_into_messages(MessageContent(""), 10**6)[0].text


def test_a_file_over_the_upload_limit_is_explained_and_the_others_are_sent():
    small, large = AttachedFile("small.png", b"1"), AttachedFile("large.png", b"1" * 3_000_000)
    [content] = split_into_messages(MessageContent("Done.", (small, large)), 2_000_000)
    assert content.files == (small,)
    assert "1 of 2 files is over the 2 MB that Discord takes here." in content.text
