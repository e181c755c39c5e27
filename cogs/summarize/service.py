"""A summary in words: while it is made, and when it is there."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.common import MessageContent, ProgressRenderer, ReplySession, neutral
from cogs.common.markdown import bar
from cogs.i18n import ntr, tr
from inference import CheckedRequest, Progress, SummarizeRequest, Summary

_BULLETS = ("- ", "* ", "• ")


class ReadingProgress(ProgressRenderer):
    """Counts parts of the text instead of steps."""

    def _progress(self, event: Progress) -> str:
        parts = ntr(
            "{step} of {total} part", "{step} of {total} parts", event.total, step=event.step, total=event.total
        )
        return f"{parts} {bar(event.step / max(1, event.total))}"


async def show_summary(
    session: ReplySession,
    checked: CheckedRequest[SummarizeRequest],
    text: str,
    source: str = "",
    boundaries: Sequence[int] = (),
) -> None:
    """Summarize `text`; `source` says what was read, and `boundaries` where something new begins in it."""
    summary = await session.run(checked, Summary, ReadingProgress(), text=text, boundaries=tuple(boundaries))
    parts = ntr("{parts} part", "{parts} parts", summary.parts, parts=summary.parts) if summary.parts > 1 else ""
    await session.finish(
        MessageContent(summary_text(summary.text), plain=summary.text, note=small_print(source, parts))
    )


def summary_text(text: str) -> str:
    """A model's text, made harmless, in which lists stay lists."""
    lines = text.strip().splitlines()
    return "\n".join("- " + neutral(line[2:]) if line.startswith(_BULLETS) else neutral(line) for line in lines)


def listed(text: str) -> list[str]:
    """The lines of a model's text, without the marks of a list."""
    return [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]


def small_print(*facts: str) -> str:
    """What stands below every summary; empty facts are left out."""
    return " · ".join(fact for fact in (tr("In the model's own words, which may be wrong"), *facts) if fact)
