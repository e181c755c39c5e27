"""What chat models write, as Discord shows it."""

from __future__ import annotations

import pytest

from cogs.chat.formatting import plain_formula, readable


@pytest.mark.parametrize(
    "text", ["**bold** and *thin*, `x = 1`", "# Title\n- one\n- two\n\n1. first", "> quoted", "a_b and 3 * 4 < 5"]
)
def test_markdown_stays(text: str):
    assert readable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hi @everyone", "hi \\@\u200beveryone"),
        ("ask <@123> or <#5>", "ask \\<@123> or \\<#5>"),
        ("see https://a.example/b", "see https\\://a.example/b"),
        ("[bank](https://evil.example)", "\\[bank](https\\://evil.example)"),
        ("join discord.gg/abc", "join discord.gg\\/abc"),
        ("-# seed 7", "\\-# seed 7"),
    ],
)
def test_nothing_pings_links_or_passes_for_small_print(text: str, shown: str):
    assert readable(text) == shown


def test_code_blocks_stay_whole_and_open_ones_are_closed():
    assert readable("Look:\n```python\nprint('<@1>')\n```\nDone") == "Look:\n```python\nprint('<@1>')\n```\nDone"
    assert readable("```js\nlet a") == "```js\nlet a\n```"


def test_a_table_becomes_columns_in_a_code_block():
    table = "Sizes:\n\n| Name | Size |\n|:--|--:|\n| Ann | 4 |\n| Benjamin | 12 |\nThat is all."
    assert readable(table) == (
        "Sizes:\n\n```\nName      Size\n────────  ────\nAnn       4\nBenjamin  12\n```\nThat is all."
    )


def test_bars_that_are_no_table_stay():
    assert readable("| a |\n| b |\n") == "| a |\n| b |\n"


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (r"\frac{1}{2}x^2", "1/2x²"),
        (r"\frac{a+b}{\sqrt{2}}", "(a+b)/(√2)"),
        (r"x_{1} \cdot y_2 \le \alpha", "x₁ · y₂ ≤ α"),
        (r"e^{i\pi} + 1 = 0", "e^(iπ) + 1 = 0"),
        (r"\text{speed} = 3\,\text{m}", "speed = 3 m"),
    ],
)
def test_formulas_are_in_plain_signs(formula: str, plain: str):
    assert plain_formula(formula) == plain
    assert readable(rf"So \({formula}\).") == f"So `{plain}`."


def test_prices_are_no_formulas():
    assert readable("from $5 to $10") == "from $5 to $10"
