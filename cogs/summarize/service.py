"""Making a summary and showing it, with its progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cogs.common import MessageContent, ProgressRenderer, ReplyJob, ReplySession, neutral
from cogs.common.markdown import bar, unsupported
from cogs.i18n import ntr, tr
from inference import CheckedRequest, Progress, SummarizeRequest, Summary, TextSource, serializable

_BULLETS = ("- ", "* ", "• ")


class ReadingProgress(ProgressRenderer):
    """A progress renderer that counts parts of the text instead of steps."""

    def _progress(self, event: Progress) -> str:
        parts = ntr(
            "{step} of {total} part", "{step} of {total} parts", event.total, step=event.step, total=event.total
        )
        return f"{parts} {bar(event.step / max(1, event.total))}"


@serializable
@dataclass(frozen=True, slots=True)
class SummaryJob(ReplyJob):
    """The summary of a text; `source` says what was read."""

    checked: CheckedRequest[SummarizeRequest]
    source: str

    async def answer(self, session: ReplySession) -> None:
        summary = await session.run(self.checked, Summary, ReadingProgress())
        parts = ntr("{parts} part", "{parts} parts", summary.parts, parts=summary.parts) if summary.parts > 1 else ""
        note = small_print(summary, self.source, parts)
        await session.finish(MessageContent(summary_text(summary.text), plain=summary.text, note=note))


async def show_summary(
    session: ReplySession,
    checked: CheckedRequest[SummarizeRequest],
    text: str,
    source: str = "",
    boundaries: Sequence[int] = (),
    *,
    text_source: TextSource,
) -> None:
    """Summarize `text`; `source` says what was read, and `boundaries` are the positions where new sources begin."""
    checked = session.engine.with_inputs(checked, text=text, boundaries=tuple(boundaries), text_source=text_source)
    await session.perform(SummaryJob(checked, source))


def summary_text(text: str) -> str:
    """Escape a model's text, but keep its lists."""
    lines = text.strip().splitlines()
    return "\n".join("- " + neutral(line[2:]) if line.startswith(_BULLETS) else neutral(line) for line in lines)


def listed(text: str) -> list[str]:
    """Return the lines of a model's text without list marks."""
    return [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]


def small_print(summary: Summary, *facts: str) -> str:
    """Return the small print below a summary; empty facts are left out."""
    warnings = tr("In the model's own words, which may be wrong"), unsupported(summary.unsupported_figures)
    return " · ".join(fact for fact in (*warnings, *facts) if fact)
