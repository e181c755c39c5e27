"""Splitting, over many random texts."""

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
    """How far `parts` follow `text` when fences that were added at their borders are left out."""
    reached = 0
    for part in parts:
        closed, opened = part.removesuffix("\n```"), re.sub(r"\A```[\w+.#-]*\n", "", part)
        both = opened.removesuffix("\n```")
        same = next((piece for piece in (part, closed, opened, both) if text.startswith(piece, reached)), "")
        reached += len(same)
    return reached


@pytest.mark.parametrize("seed", range(60))
def test_the_parts_are_the_text_in_order_and_none_is_too_long(seed: int):
    text = _random_text(seed, [*_WORDS, "```\n", "`"])
    parts = list(split_text(neutral(text), 100))
    assert "".join(parts) == neutral(text)
    assert all(0 < len(part) <= 100 for part in parts if text)


@pytest.mark.parametrize("seed", range(60))
def test_with_code_blocks_only_their_fences_are_added(seed: int):
    text = _random_text(seed, [*_WORDS, *_BLOCKS])
    parts = list(split_text(text, 150))
    assert _follows(text, parts) == len(text)
    assert all(len(part) <= 150 for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts), "every part renders by itself"


@pytest.mark.parametrize("seed", range(60))
def test_splitting_any_text_loses_nothing_and_ends(seed: int):
    text = _random_text(seed, ["`", "``", "```", "```py\n", "\n", " ", "\\", "x", "# ", "y" * 90, " " * 90])
    parts = list(split_text(text, 100))
    assert all(len(part) <= 100 for part in parts)
    left = iter("".join(parts))
    assert all(character in left for character in text), "the text is in there, in its order"


def test_a_long_block_is_closed_and_opened_again_in_its_language_at_a_line():
    code = "".join(f"line_{number} = {number}\n" for number in range(200))
    first, second, *_ = split_text(f"Here:\n```py\n{code}```\nDone.")
    assert re.search(r"line_\d+ = \d+\n\n```$", first)
    assert re.match(r"```py\nline_\d+ = ", second)


def test_a_block_that_begins_late_begins_the_next_part():
    assert list(split_text("x" * 80 + "\n```py\n" + "y\n" * 20 + "```", 120)) == [
        "x" * 80 + "\n",
        "```py\n" + "y\n" * 20 + "```",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_an_escape_stays_with_what_it_escapes(seed: int):
    text = neutral("*" * random.Random(seed).randrange(300) + "_" * (100 + seed))
    assert all(len(part) % 2 == 0 for part in split_text(text, 101))


@pytest.mark.parametrize("offset", range(5))
def test_an_emoji_of_several_characters_stays_whole(offset: int):
    parts = list(split_text("x" * offset + "👩🏽\u200d🚀" * 100, 101))
    assert len(parts) > 1
    assert all(part.count("👩🏽\u200d🚀") * 4 == len(part) - offset * (i == 0) for i, part in enumerate(parts))


@pytest.mark.parametrize("mark", ["# ", "## ", "-# ", "- ", "> ", "1. "])
def test_no_part_begins_with_what_would_then_be_formatted(mark: str):
    parts = list(split_text("A sentence. " * 8 + f"{mark}or not. " * 30, 100))
    assert len(parts) > 2
    assert not any(part.startswith(mark) for part in parts)


def test_a_part_ends_after_a_paragraph_rather_than_a_sentence_rather_than_a_word():
    half = "word " * 12
    assert next(split_text(f"{half}Three four.\n\nFive six. {half}", 100)) == f"{half}Three four.\n\n"
    assert next(split_text(f"{half}Three four. Five six {half}", 100)) == f"{half}Three four. "
    assert next(split_text("語" * 70 + "。" + "語" * 70, 100)) == "語" * 70 + "。"
    assert next(split_text("word " * 30, 103)) == "word " * 20
    assert list(split_text("x" * 250, 100)) == ["x" * 100, "x" * 100, "x" * 50]


def test_a_message_takes_as_many_characters_as_discord_allows_and_emoji_count_as_one():
    text = "😀" * (PART_LIMIT * 2)
    assert [len(content.text) for content in split_into_messages(MessageContent(text, note="n" * 50), 10**6)] == [
        PART_LIMIT,
        PART_LIMIT + 54,
    ]


def test_small_print_that_does_not_fit_below_the_text_has_a_message_of_its_own():
    first, second = split_into_messages(
        MessageContent("x" * PART_LIMIT, note="n" * (MESSAGE_LIMIT - PART_LIMIT)), 10**6
    )
    assert first.text == "x" * PART_LIMIT
    assert second.text == "\n-# " + "n" * (MESSAGE_LIMIT - PART_LIMIT)


def test_a_text_of_more_than_a_few_messages_is_a_file_with_the_beginning_in_sight():
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


def test_a_message_without_text_still_has_some():
    assert split_into_messages(MessageContent(""), 10**6)[0].text


def test_a_file_over_the_upload_limit_is_explained_and_the_others_are_sent():
    small, large = AttachedFile("small.png", b"1"), AttachedFile("large.png", b"1" * 3_000_000)
    [content] = split_into_messages(MessageContent("Done.", (small, large)), 2_000_000)
    assert content.files == (small,)
    assert "1 of 2 files is over the 2 MB that Discord takes here." in content.text
