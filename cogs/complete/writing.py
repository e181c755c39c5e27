"""A piece of a story on its way: shown as it grows, and kept as far as it is when somebody stops it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from cogs.complete.page import finished, growing
from cogs.language import tr
from cogs.reply import Job, Page, Status, report
from inference import Chunk, CompleteRequest, Completion, Event, RequestCancelled, RequestTimeout
from storage import Story


class Writing(Status):
    """Shows `story` with what is being added to it; `chunk` is the latest of that."""

    def __init__(self, story: Story) -> None:
        super().__init__(finished(story).text if story.pieces else "", self._grown, stop=tr("Stop"))
        self._story = story
        self.chunk = Chunk("", story.chat)

    def page(self, event: Event) -> tuple[Callable[[], Page], float]:
        if isinstance(event, Chunk):
            self.chunk = event
        return super().page(event)

    def _grown(self, text: str) -> Page:
        return growing(replace(self._story, chat=self.chunk.chat), text)


async def write(job: Job, story: Story, request: CompleteRequest) -> tuple[Completion, str]:
    """What comes next in `story`, and why it ends, where that is not the model's doing.

    Raises what `Engine.stream` raises, unless there are words already when it is stopped.
    """
    request = replace(request, seed=secrets.randbelow(2**32) if request.seed is None else request.seed)
    writing = Writing(story)
    try:
        return await job.run(request, Completion, writing), ""
    except (RequestCancelled, RequestTimeout) as error:
        text, chat = writing.chunk.text, writing.chunk.chat
        if not text.strip():
            raise
        assert request.seed is not None
        why = tr("stopped") if isinstance(error, RequestCancelled) else report(error, "complete")
        return Completion(text, request.seed, chat=chat), why
