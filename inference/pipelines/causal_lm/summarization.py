"""Shortening texts of any length: by parts, and the parts' summaries again while they are too long."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from inference.pipelines.causal_lm.postprocessing import clean_bullets, clean_summary
from inference.pipelines.causal_lm.prompt_template import PromptTemplate
from inference.pipelines.causal_lm.prompts import Continuation, Plan, Prompt
from inference.pipelines.text_splitting import split_into_parts
from inference.tasks import Length, Section, SummarizeRequest, Summary

_PART_TOKENS = 1500
"""Small models lose the thread of longer texts, also where their window would hold them."""
_SHORTEST = 24
"""Tokens that a summary may have however short its text is."""


@dataclass(frozen=True, slots=True)
class SummaryStyle:
    """What is asked for (`ask`, and `lead`, the first words of the reply), and how long it may get, in tokens:
    that of one part, and that of a whole text.
    """

    ask: str
    lead: str
    tokens: int
    whole: int


_STYLES: dict[Length, SummaryStyle] = {
    "short": SummaryStyle("in one short sentence", "In short,", 60, 60),
    "medium": SummaryStyle("in two or three sentences", "In short,", 160, 320),
    "long": SummaryStyle("in two paragraphs that keep names, places and figures", "The text says that", 400, 1200),
    "bullets": SummaryStyle("as three to five short bullet points", "-", 200, 400),
}


def summarize(instructions: PromptTemplate, request: SummarizeRequest) -> Plan:
    """Summaries of the parts, joined, and summarized again until they are as short as they should be."""
    style = _STYLES[request.length]
    style = replace(style, tokens=min(style.tokens, instructions.window // 3))
    bullets = request.length == "bullets"
    parts = _parts(instructions, style, request.text, request.boundaries)
    summaries = yield from _shorten(instructions, style, parts, bullets=bullets)
    sections, text = _sections(parts, summaries), _joined(summaries, bullets=bullets)
    size = len(parts)
    while len(summaries) > 1 and instructions.count(text) > style.whole:
        again = _parts(instructions, style, text)
        if len(again) >= size:
            break  # the window is so small that summaries get no shorter
        size = len(again)
        summaries = yield from _shorten(instructions, style, again, bullets=bullets)
        text = _joined(summaries, bullets=bullets)
    return Summary(text, len(parts), sections)


def _parts(instructions: PromptTemplate, style: SummaryStyle, text: str, borders: Sequence[int] = ()) -> list[str]:
    room = instructions.room(style.tokens) - len(_tokens(instructions, style, ""))
    return split_into_parts(text, max(1, min(room, _PART_TOKENS)), instructions.count, borders)


def _shorten(
    instructions: PromptTemplate, style: SummaryStyle, parts: Sequence[str], *, bullets: bool
) -> Generator[list[Prompt], list[Continuation], list[str]]:
    texts = yield [_prompt(instructions, style, part) for part in parts]
    return [
        (clean_bullets if bullets else clean_summary)(text.text, whole=text.finish_reason == "stop") for text in texts
    ]


def _prompt(instructions: PromptTemplate, style: SummaryStyle, part: str) -> Prompt:
    tokens = min(style.tokens, max(_SHORTEST, instructions.count(part) // 2))
    stop = () if instructions.can_chat and style.ask == _STYLES["long"].ask else ("\n\n",)
    return Prompt(instructions.fitting(_tokens(instructions, style, part), tokens), tokens, stop=stop, once=True)


def _tokens(instructions: PromptTemplate, style: SummaryStyle, text: str) -> list[int]:
    if not instructions.can_chat:
        return instructions.instruct(
            f"{text}\n\n", lead="TL;DR:" if style.lead != "-" else "The main points:\n-", system=""
        )
    return instructions.instruct(
        f"Summarize this text {style.ask}:\n\n{text}",
        lead=style.lead,
        system="You summarize texts. You keep the names of who said or did what, and add nothing of your own.",
    )


def _joined(summaries: Sequence[str], *, bullets: bool) -> str:
    return ("\n" if bullets else "\n\n").join(filter(None, summaries))


def _sections(parts: Sequence[str], summaries: Sequence[str]) -> tuple[Section, ...]:
    ends = list(accumulate(map(len, parts)))
    starts = [0, *ends[:-1]]
    return tuple(Section(*section) for section in zip(summaries, starts, ends, strict=True))
