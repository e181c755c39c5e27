"""A piece of a story on its way: shown as it grows, and kept as far as it is when somebody stops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cogs.common import MessageContent, ProgressRenderer, ReplySession, report
from cogs.complete.rendering import draft_content, finished_content
from cogs.i18n import tr
from inference import CheckedRequest, CompleteRequest, Completion, Event, PartialText, RequestCancelled, RequestTimeout
from storage import TextThread


class ThreadRenderer(ProgressRenderer):
    """Shows `thread` with what is being added to it; `chunk` is the latest of that."""

    def __init__(self, thread: TextThread) -> None:
        super().__init__(finished_content(thread).text if thread.segments else "", self._grown, stop=tr("Stop"))
        self._thread = thread
        self.chunk = PartialText("", thread.chat)

    def render(self, event: Event) -> tuple[Callable[[], MessageContent], float]:
        if isinstance(event, PartialText):
            self.chunk = event
        return super().render(event)

    def _grown(self, text: str) -> MessageContent:
        return draft_content(replace(self._thread, chat=self.chunk.chat), text)


async def generate(
    session: ReplySession, thread: TextThread, checked: CheckedRequest[CompleteRequest]
) -> tuple[Completion, str]:
    """What comes next in `thread`, and why it ends, where that is not the model's doing.

    Raises what `Engine.stream` raises, unless there are words already when it is stopped.
    """
    writing = ThreadRenderer(thread)
    try:
        return await session.run(checked, Completion, writing), ""
    except (RequestCancelled, RequestTimeout) as error:
        text, chat = writing.chunk.text, writing.chunk.chat
        if not text.strip():
            raise
        seed = checked.request.seed
        assert seed is not None, "checked requests have one"
        why = tr("stopped") if isinstance(error, RequestCancelled) else report(error, "complete")
        return Completion(text, seed, chat=chat), why
