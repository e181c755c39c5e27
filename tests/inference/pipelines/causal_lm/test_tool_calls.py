"""Test that calls of tools are told apart from the text of a reply, and that what only looks like one is text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inference.pipelines.causal_lm.detokenizer import OutputText
from inference.pipelines.causal_lm.prompts import Prompt
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.causal_lm.tool_calls import parse_tool_calls, text_before_calls
from inference.tasks import ToolCall
from tests.inference.pipelines.causal_lm.test_reasoning import tokenizer_with
from tests.inference.pipelines.tiny_causal import CHAT, save_bytes

NAMES = {"draw", "search"}
DRAW, SEARCH = ToolCall("draw", '{"prompt": "a füchs"}'), ToolCall("search", "{}")
QWEN = '<tool_call>\n{"name": "draw", "arguments": {"prompt": "a füchs"}}\n</tool_call>'


@pytest.mark.parametrize(
    ("written", "text", "calls"),
    [
        (QWEN, "", [DRAW]),
        (f"I draw one.\n{QWEN}", "I draw one.", [DRAW]),
        (f'{QWEN}\n<tool_call>{{"name": "search", "arguments": {{}}}}</tool_call>', "", [DRAW, SEARCH]),
        (f"One.{QWEN}Two.", "One.\nTwo.", [DRAW]),
        (QWEN.removesuffix("</tool_call>"), "", [DRAW]),
        ('<tool_call>{"name": "draw", "arguments": "{\\"prompt\\": \\"a füchs\\"}"}</tool_call>', "", [DRAW]),
        ('[TOOL_CALLS][{"name": "draw", "arguments": {"prompt": "a füchs"}}]', "", [DRAW]),
        ('Well.[TOOL_CALLS] [{"name": "search", "arguments": {}}, {"name": "search", "arguments": {}}]', "Well.",
         [SEARCH, SEARCH]),
        ('{"name": "draw", "parameters": {"prompt": "a füchs"}}', "", [DRAW]),
        (' {"name": "search", "parameters": {}}\n', "", [SEARCH]),
    ],
)  # fmt: skip
def test_calls_are_read_in_the_form_of_each_family(written: str, text: str, calls: list[ToolCall]) -> None:
    assert parse_tool_calls(written, NAMES) == (text, tuple(calls))


@pytest.mark.parametrize(
    "written",
    [
        "",
        " Hello {there} ",
        '<tool_call>{"name": "draw", "arguments": {"prompt": </tool_call>',
        '<tool_call>{"name": "draw"}</tool_call>',
        '<tool_call>{"name": 7, "arguments": {}}</tool_call>',
        '<tool_call>["draw"]</tool_call>',
        "<tool_call>",
        '[TOOL_CALLS][{"name": "draw", "arguments": {}}, 7]',
        "[TOOL_CALLS] none",
        '{"name": "Bob", "parameters": {}}',
        '{"name": "draw", "parameters": {}} is how one draws',
        '{"name": "draw", "parameters": [1]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_call_stays_in_the_text_as_it_is(written: str) -> None:
    assert parse_tool_calls(written, NAMES) == (written, ())


def test_a_broken_call_beside_a_good_one_stays_in_the_text() -> None:
    assert parse_tool_calls(f"{QWEN}<tool_call>{{</tool_call>", NAMES) == ("<tool_call>{</tool_call>", (DRAW,))


@pytest.mark.parametrize("written", [f"I draw.\n{QWEN}", '{"name": "draw", "parameters": {}}', "I draw.[TOOL_CALLS][]"])
def test_a_call_is_never_shown_while_it_grows(written: str) -> None:
    shown = [text_before_calls(written[:end]) for end in range(len(written) + 1)]
    assert {text.rstrip() for text in shown} <= {"I draw."[:end] for end in range(8)}
    assert [len(text.rstrip()) for text in shown] == sorted(len(text.rstrip()) for text in shown)


def test_a_text_that_calls_tools_is_streamed_without_its_calls(tmp_path: Path) -> None:
    tokenizer = Tokenizer(save_bytes(tmp_path))
    for calls_tools in (True, False):
        tokens = tokenizer.encode("Yes. " + QWEN)
        text = OutputText(Prompt([], len(tokens), calls_tools=calls_tools), tokenizer)
        for token in tokens:
            text.append(token, ())
            assert not calls_tools or "<" not in text.stable_text
        assert text.stable_text == ("Yes." if calls_tools else "Yes. " + QWEN)
        assert text.continuation.text == "Yes. " + QWEN


def test_markers_of_calls_that_are_special_tokens_are_decoded(tmp_path: Path) -> None:
    tokenizer = tokenizer_with(["[TOOL_CALLS]", "</s>"], CHAT, tmp_path)
    stock: Any = tokenizer._tokenizer  # pyright: ignore[reportPrivateUsage]
    tokens = stock("yes[TOOL_CALLS]no</s>", add_special_tokens=False)["input_ids"]
    assert len(tokens) == 4
    assert tokenizer.decode(tokens) == "yes[TOOL_CALLS]no"
