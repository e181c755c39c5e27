"""The reply in a conversation: pictures are described, files searched, tools used, and one message shows all of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cogs.ask.rendering import evidence, span
from cogs.ask.service import passages_of
from cogs.chat.rendering import ChatRenderer, reply_buttons, reply_content, seen_line
from cogs.chat.tools import MOST_CALLS, ToolResult, ToolRules, run_tool_call
from cogs.common import ProgressRenderer, ReplyJob, ReplySession, report
from cogs.common.error_messages import in_current_language, with_traceback
from cogs.common.sources import NamedFile, Source
from cogs.i18n import ntr, tr
from inference import (
    Answer,
    AskRequest,
    Caption,
    CaptionRequest,
    ChatAnswerRequest,
    ChatReply,
    ChatRequest,
    CheckedRequest,
    InvalidRequest,
    Message,
    RequestCancelled,
    RequestTimeout,
    serializable,
    shortened,
)
from storage import StorageError

log = logging.getLogger(__name__)

_SURE = 0.3
"""The least score of an answer in a file that was shown earlier: else the turn is not about that file."""

_WHAT_IS_THERE = "Describe this picture."


@serializable
@dataclass(frozen=True, slots=True)
class ChatJob(ReplyJob):
    """A reply. `source` is the text of files, `named` whether this turn is about them; `notes` are small print.

    `rules` hold for the tools that the model calls.
    """

    checked: CheckedRequest[ChatRequest]
    question: str
    rules: ToolRules
    pictures: tuple[NamedFile, ...] = ()
    source: Source | None = None
    named: bool = True
    notes: tuple[str, ...] = ()

    async def answer(self, session: ReplySession) -> None:
        described = [(picture.name, await self._description(session, picture)) for picture in self.pictures]
        answer = await self._search(session) if self.source else None
        passages = passages_of(answer, self.source) if answer and self.source else ""
        quotes = evidence(answer, self.source) if answer and self.source and span(answer) else ""
        in_words = [f"The picture {name} shows: {description}" for name, description in described]
        context = "\n\n".join([*in_words, *filter(None, [passages])])
        await self._write(session, context, [seen_line(*each) for each in described], quotes)

    async def _description(self, session: ReplySession, picture: NamedFile) -> str:
        """Return what a model sees: the one that answers questions about pictures, or the one that describes them."""
        status = ProgressRenderer(tr("Looking at the picture…"))
        try:
            if session.engine.models_for_pictures():
                question = shortened(self.question, session.limits.prompt_characters) or _WHAT_IS_THERE
                about_it = ChatAnswerRequest(question=question, owner=str(session.owner))
                checked = session.check(about_it, pending=["image"])
                return (await session.run(checked, Answer, status, image=picture.data)).text
            if session.engine.models("caption"):
                request = CaptionRequest(owner=str(session.owner))
                checked = session.check(request, pending=["image"])
                return (await session.run(checked, Caption, status, image=picture.data)).text
        except InvalidRequest as error:
            return in_current_language(error)
        return tr("no model here can see pictures")

    async def _search(self, session: ReplySession) -> Answer | None:
        """Return what the files say about the last words; None if the turn is not about them."""
        assert self.source is not None
        if not session.engine.models("ask") or not self.question:
            return Answer("", 0.0, 0, 0) if self.named else None
        question = AskRequest(
            question=shortened(self.question, session.limits.prompt_characters),
            context=self.source.text,
            text_source=self.source.text_source,
            owner=str(session.owner),
        )
        try:
            answer = await session.run(session.check(question), Answer, ProgressRenderer(tr("Looking into the file…")))
        except InvalidRequest:
            if self.named:
                raise
            return None
        return answer if self.named or (answer.text and answer.score >= _SURE) else None

    async def _write(self, session: ReplySession, context: str, seen: Sequence[str], quotes: str) -> None:
        """Write the reply, with what the model does by its tools on the way, and show it."""
        request = replace(self.checked.request, model=self.checked.spec.name, context=context)
        before, why = request.prefill, ""
        renderers, results, thoughts = [ChatRenderer(before, seen)], list[ToolResult](), list[str]()
        try:
            reply = await session.run(session.check(request), ChatReply, renderers[-1])
            while reply.tool_calls:
                thoughts.append(reply.thoughts)
                before += reply.text
                request = await self._use_tools(session, request, reply, results)
                renderers.append(ChatRenderer(before, [*seen, *_lines(results)]))
                reply = await session.run(session.check(request), ChatReply, renderers[-1])
        except (RequestCancelled, RequestTimeout) as error:
            partial = renderers[-1].partial
            if not (partial.text.strip() or any(result.files for result in results)):
                raise
            reply = ChatReply(partial.text, 0, "length", partial.thoughts)
            is_stop = isinstance(error, RequestCancelled)
            why = tr("stopped") if is_stop else report(error, "chat", session.target.request_id)
        if not (before + reply.text).strip() and not results:
            raise InvalidRequest("The model had nothing to say. Say it in other words, or press Try another.")
        thoughts = list(filter(None, [*thoughts, reply.thoughts]))
        await _keep_thoughts(session, "\n\n".join(thoughts))
        files = tuple(file for result in results for file in result.files)
        notes = (*self.notes, _omitted(reply.num_omitted), why)
        content = replace(reply_content(before + reply.text, [*seen, *_lines(results)], quotes, notes), files=files)
        thought = sum(renderer.thought or 0 for renderer in renderers) if thoughts else None
        is_complete = reply.finish_reason == "stop" or bool(files)
        await session.finish(content, reply_buttons(session.owner, thought, complete=is_complete))
        await session.notify_if_late(tr("I have answered you."))

    async def _use_tools(
        self, session: ReplySession, request: ChatRequest, reply: ChatReply, results: list[ToolResult]
    ) -> ChatRequest:
        """Run the calls of a reply, add their results to `results`, and return the request that goes on from them."""
        messages = [*request.messages, Message("assistant", reply.raw)]
        for call in reply.tool_calls:
            if len(results) < MOST_CALLS:
                results.append(await run_tool_call(session, call, self.rules, (reply.seed + len(results)) % 2**32))
                messages.append(Message("tool", results[-1].content))
            else:
                messages.append(Message("tool", "Not done: these were too many calls."))
        tools = request.tools if len(results) < MOST_CALLS else ()
        return replace(request, messages=tuple(messages), prefill="", tools=tools)


def _lines(results: Sequence[ToolResult]) -> list[str]:
    """Return small print about what the model did."""
    return [f"-# {result.line}" for result in results if result.line]


def _omitted(count: int) -> str:
    if not count:
        return ""
    return ntr(
        "The oldest message was too much for the model, so it was left out",
        "The {count} oldest messages were too much for the model, so they were left out",
        count,
        count=count,
    )


async def _keep_thoughts(session: ReplySession, thoughts: str) -> None:
    """Store the thoughts, which a button shows; or forget earlier ones of the same message."""
    table = session.services.store.thoughts
    try:
        if thoughts:
            await table.keep(session.owner, *session.where, thoughts, private=session.target.private)
        else:
            await table.forget_messages([session.where[1]])
    except StorageError as error:
        log.error("thoughts could not be stored: %s", error, exc_info=with_traceback(error))
