"""A summary in words: while it is made, and when it is there."""

from __future__ import annotations

from dataclasses import replace

from cogs.language import ntr, tr
from cogs.reply import Job, Page, Status, neutral
from cogs.reply.text import bar
from inference import Progress, SummarizeRequest, Summary

_BULLETS = ("- ", "* ", "• ")


class Reading(Status):
    """Counts parts of the text instead of steps."""

    def _progress(self, event: Progress) -> str:
        parts = ntr(
            "{step} of {total} part", "{step} of {total} parts", event.total, step=event.step, total=event.total
        )
        return f"{parts} {bar(event.step / max(1, event.total))}"


async def tell_summary(job: Job, text: str, settings: SummarizeRequest, source: str = "") -> None:
    """Summarize `text` as `settings` say; `source` tells what was read."""
    summary = await job.run(replace(settings, text=text), Summary, Reading())
    parts = ntr("{parts} part", "{parts} parts", summary.parts, parts=summary.parts) if summary.parts > 1 else ""
    await job.finish(Page(shown(summary.text), plain=summary.text, note=small_print(source, parts)))


def shown(text: str) -> str:
    """A model's text, made harmless, in which lists stay lists."""
    lines = text.strip().splitlines()
    return "\n".join("- " + neutral(line[2:]) if line.startswith(_BULLETS) else neutral(line) for line in lines)


def listed(text: str) -> list[str]:
    """The lines of a model's text, without the marks of a list."""
    return [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]


def small_print(*facts: str) -> str:
    """What stands below every summary; empty facts are left out."""
    return " · ".join(fact for fact in (tr("In the model's own words, which may be wrong"), *facts) if fact)
