"""Escaping, quotations, durations and bars."""

from __future__ import annotations

import random
import re
from itertools import islice

import pytest

from cogs.common.markdown import bar, neutral, quoted, seconds, tail, without_escapes
from cogs.common.message_splitting import split_text

_HOSTILE = [
    "@everyone", "@here", "@\u200beveryone", "<@1234567890123456789>", "<@!1>", "<@&1>", "<#1>", "</imagine:1>",
    "<t:1700000000:R>", "<id:guide>", "<:cat:1>", "<a:cat:1>", ":tada:", "[text](https://evil.example)", "[a]",
    "https://evil.example/a_b", "http://x.y", "<https://x.y>", "steam://run/1", "discord.gg/abc",
    "discord.com/invite/abc",
    "# heading", "## heading", "-# small", "- item", "* item", "+ item", "1. item", "> quote", ">>> all", "  - inner",
    "||spoiler||", "**bold**", "__under__", "~~gone~~", "`code`", "``co`de``", "```py\ncode\n```", "\\", "\\*", "\\\\_",
    "\u200b", "\u2028# heading", "\r# heading", "\n", " ", "¯\\_(ツ)_/¯", "a < b > c", "12:30:45", "word",
]  # fmt: skip
_ACTIVE = [
    r"@everyone|@here",
    r"<[@#/:at]|<id:",
    r"https?://|steam://|discord\.gg/|discord\.com/",
    r"(?m)^\s*(?:#|-|\+|>|\d+\.\s)",
    r"[*_~|`\[\]<]",
    r":\w+:",
]


def _without_escapes(text: str) -> str:
    """Return the text without its escaped characters, which Discord shows as plain text."""
    return re.sub(r"\\[^A-Za-z0-9\s]", "\0", text)


@pytest.mark.parametrize("text", _HOSTILE)
def test_escaped_text_neither_pings_nor_links_nor_formats(text: str):
    left = _without_escapes(neutral(text))
    assert not any(re.search(pattern, left) for pattern in _ACTIVE), left


@pytest.mark.parametrize("seed", range(200))
def test_escaped_text_can_be_unescaped(seed: int):
    source = random.Random(seed)
    text = "".join(source.choices([*_HOSTILE, "\n", "\n"], k=source.randrange(12)))
    assert without_escapes(neutral(text)) == text
    assert without_escapes(neutral(text, code=True)) == text
    left = _without_escapes(neutral(text))
    assert not any(re.search(pattern, left) for pattern in _ACTIVE), left


@pytest.mark.parametrize("text", _HOSTILE)
def test_escaped_text_looks_like_the_original(text: str):
    assert neutral(text).replace("\\@\u200b", "@").replace("\\", "") == text.replace("\\", "")


def test_code_blocks_can_be_left_unescaped():
    text = "Use **this**:\n```py\na * b  # <@1>\n```\nand *that*"
    assert neutral(text, code=True) == "Use \\*\\*this\\*\\*:\n```py\na * b  # <@1>\n```\nand \\*that\\*"


@pytest.mark.parametrize("text", ["```py\n\n```", "```open\ncode", "x```\na\n```", "```\na\n```b", "```\na```b\n```"])
def test_text_that_only_looks_like_a_code_block_is_escaped(text: str):
    assert "```" not in neutral(text, code=True)


def test_a_quotation_is_one_line():
    assert quoted("one\n# two\n" + "x" * 500).count("\n") == 0
    assert len(quoted("x" * 500)) == 302


def test_the_tail_of_an_escaped_text_does_not_split_an_escape():
    assert tail("a\\*b", 4) == "a\\*b"
    assert tail("ab\\*b", 3) == "…\\*b"
    assert tail("ab\\*b", 2) == "…b"
    assert tail("ab\\\\\\*b", 4) == "…\\*b"


def test_durations_and_bars_are_rounded():
    assert [seconds(amount) for amount in (0.2, 40, 180)] == ["1 s", "40 s", "3 min"]
    assert bar(0.3) == "▰▰▰▱▱▱▱▱▱▱"


_RUNS = [
    "\r", "\x85", "\u2028", "\u2028 ", "\r1", "\r    ", " ", "\n", "\t", "1", "1.", "`", "```\n", "```a", "\n```\n",
    "\\", "*", "[", ":", ":a", "@", ".", '."', ". ", "。」", "\u200d", "#", "-",
]  # fmt: skip


@pytest.mark.parametrize("run", _RUNS)
def test_long_runs_of_one_string_take_linear_time(run: str):
    """With a quadratic algorithm, this would take minutes."""
    text = "x" + run * (100_000 // len(run)) + "y"
    for escaped in (neutral(text), neutral(text, code=True)):
        assert without_escapes(escaped) == text
        assert escaped.startswith("".join(islice(split_text(escaped), 4))[:100])
        assert len(tail(escaped, 1000)) <= 1001
