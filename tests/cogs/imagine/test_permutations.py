"""Expansion of a prompt with alternatives into prompts."""

from __future__ import annotations

import pytest

from cogs.imagine.permutations import Permutations, escaped, permutations


def _all(prompt: str) -> list[str]:
    return list(permutations(prompt, 100).prompts)


def test_every_combination_is_made_and_the_last_group_varies_fastest() -> None:
    assert _all("a {red,blue} {cat,dog}") == ["a red cat", "a red dog", "a blue cat", "a blue dog"]


@pytest.mark.parametrize(
    "plain",
    [
        "a red cat",
        "",
        "red, blue  and green",
        "{red}",
        "{}",
        "a } b { c",
        "{red,blue",
        "red,blue}",
        "}{",
        r"a\b (c:1.3)",
    ],
)
def test_a_prompt_without_alternatives_is_unchanged(plain: str) -> None:
    assert _all(plain) == [plain]


def test_escaped_braces_and_commas_are_plain_characters() -> None:
    assert _all(r"\{a,b\}") == ["{a,b}"]
    assert _all(r"{a\, b,c}") == ["a, b", "c"]
    assert _all(r"{a\},b}") == ["a}", "b"]


def test_bars_separate_alternatives_as_in_other_programs() -> None:
    assert _all("a {red|blue} cat") == ["a red cat", "a blue cat"]
    assert _all("a {red, round|blue} cat") == ["a red, round cat", "a blue cat"]
    assert _all(r"a \{red|blue\} cat | dog") == ["a {red|blue} cat | dog"]
    assert _all(escaped("a {red|blue} cat")) == ["a {red|blue} cat"]


def test_an_empty_alternative_leaves_no_gap() -> None:
    assert _all("a {,red} cat") == ["a cat", "a red cat"]
    assert _all("{,}") == ["", ""]


def test_alternatives_may_be_nested() -> None:
    assert _all("{a {small,big} cat,dogs}") == ["a small cat", "a big cat", "dogs"]


def test_an_unclosed_brace_does_not_affect_other_braces() -> None:
    assert _all("{a,b} {c") == ["a {c", "b {c"]
    assert _all("x {y, {a,b}") == ["x {y, a", "x {y, b"]
    assert _all("{red {a,b}}") == ["{red a}", "{red b}"]


def test_a_huge_number_of_prompts_is_counted_but_not_created() -> None:
    flood = permutations("{a,b}" * 1000, 3)
    assert flood.count == 2**1000
    assert flood.prompts == ("a" * 1000, "a" * 999 + "b", "a" * 998 + "ba")


def test_deep_nesting_works() -> None:
    assert permutations("{" * 3000 + "," * 2 + "}" * 3000, 5).count == 3


@pytest.mark.parametrize("prompt", ["a fox", "a {fox}", "{a,b}", "a, b", r"\{a,b\}", r"a\, {b,{c}", r"\\{,}"])
def test_an_escaped_prompt_gives_only_the_original_prompt(prompt: str) -> None:
    assert permutations(escaped(prompt), 9) == Permutations(1, (prompt,))
