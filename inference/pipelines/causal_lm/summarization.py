"""Summaries of texts of any length: part by part, then again from the partial summaries while they are too long."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from inference.pipelines.causal_lm.postprocessing import clean_bullets, clean_summary
from inference.pipelines.causal_lm.prompts import Continuation, Plan, Prompt, PromptBuilder, T
from inference.pipelines.summary_sections import unsupported_figures
from inference.pipelines.text_splitting import split_into_parts
from inference.tasks import Length, Section, SummarizeRequest, Summary

_PART_TOKENS = 1500
"""Small models lose track of longer texts, even within their window."""
_MIN_TOKENS = 24
"""The number of tokens that a summary may always have, even of a very short text."""


@dataclass(frozen=True, slots=True)
class SummaryStyle:
    """The instruction, the first words of the reply (`lead`), and the limits in tokens for one part and in total."""

    instruction: str
    lead: str
    max_part_tokens: int
    max_total_tokens: int


_STYLES: dict[Length, SummaryStyle] = {
    "short": SummaryStyle("in one short sentence", "In short,", 60, 60),
    "medium": SummaryStyle("in two or three sentences", "In short,", 160, 320),
    "long": SummaryStyle("in two paragraphs that keep names, places and figures", "The text says that", 400, 1200),
    "bullets": SummaryStyle("as three to five short bullet points", "-", 200, 400),
}


def summarize(template: PromptBuilder[T], request: SummarizeRequest) -> Plan[T]:
    """Summarize each part and join the summaries. Repeat with the joined text until it is short enough."""
    style = _STYLES[request.length]
    style = replace(style, max_part_tokens=min(style.max_part_tokens, template.window // 3))
    bullets = request.length == "bullets"
    parts = _parts(template, style, request.text, request.boundaries)
    summaries = yield from _summarize_parts(template, style, parts, bullets=bullets)
    sections, text = _sections(parts, summaries), _join(summaries, bullets=bullets)
    num_parts = len(parts)
    while len(summaries) > 1 and template.count(text) > style.max_total_tokens:
        parts_of_summary = _parts(template, style, text)
        if len(parts_of_summary) >= num_parts:
            break  # the window is too small to make the summaries shorter
        num_parts = len(parts_of_summary)
        summaries = yield from _summarize_parts(template, style, parts_of_summary, bullets=bullets)
        text = _join(summaries, bullets=bullets)
    return Summary(text, len(parts), sections, unsupported_figures(request.text, text, sections))


def _parts(template: PromptBuilder[T], style: SummaryStyle, text: str, boundaries: Sequence[int] = ()) -> list[str]:
    room = template.max_prompt_tokens(style.max_part_tokens) - len(_tokens(template, style, ""))
    return split_into_parts(text, max(1, min(room, _PART_TOKENS)), template.count, boundaries)


def _summarize_parts(
    template: PromptBuilder[T], style: SummaryStyle, parts: Sequence[str], *, bullets: bool
) -> Generator[list[Prompt[T]], list[Continuation], list[str]]:
    texts = yield [_prompt(template, style, part) for part in parts]
    clean = clean_bullets if bullets else clean_summary
    return [clean(text.text, complete=text.finish_reason == "stop") for text in texts]


def _prompt(template: PromptBuilder[T], style: SummaryStyle, part: str) -> Prompt[T]:
    max_new_tokens = min(style.max_part_tokens, max(_MIN_TOKENS, template.count(part) // 2))
    is_long = template.can_chat and style.instruction == _STYLES["long"].instruction
    stop = ("\n\n",) if template.can_lead and not is_long else ()  # without a lead, a preamble may stand before it
    tokens = template.check_fits(_tokens(template, style, part), max_new_tokens)
    return Prompt(tokens, max_new_tokens, stop=stop, stop_at_repetition=True)


def _tokens(template: PromptBuilder[T], style: SummaryStyle, text: str) -> T:
    if not template.can_chat:
        return template.instruct(
            f"{text}\n\n", lead="TL;DR:" if style.lead != "-" else "The main points:\n-", system=""
        )
    return template.instruct(
        f"Summarize this text {style.instruction}:\n\n{text}",
        lead=style.lead,
        system="You summarize texts. You keep the names of who said or did what, and add nothing of your own.",
    )


def _join(summaries: Sequence[str], *, bullets: bool) -> str:
    return ("\n" if bullets else "\n\n").join(filter(None, summaries))


def _sections(parts: Sequence[str], summaries: Sequence[str]) -> tuple[Section, ...]:
    ends = list(accumulate(map(len, parts)))
    starts = [0, *ends[:-1]]
    return tuple(Section(*section) for section in zip(summaries, starts, ends, strict=True))
