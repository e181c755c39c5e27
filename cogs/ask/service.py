"""Answers to questions: found in a text, in a model's own words, or from its memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from cogs.ask.rendering import (
    alternatives,
    below,
    evidence,
    from_memory,
    from_pictures,
    in_own_words,
    span,
    surroundings,
)
from cogs.common import MessageContent, ProgressRenderer, ReplyJob, ReplySession, neutral
from cogs.common.delivery import DELIVERY
from cogs.common.error_messages import with_traceback
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.sources import Source, check_size, name_of, read
from cogs.common.target import now
from cogs.i18n import tr
from inference import Answer, AskRequest, ChatAnswerRequest, CheckedRequest, Engine, serializable
from storage import StorageError, StoredAnswer

log = logging.getLogger(__name__)

_PASSAGES = 3
"""The number of passages from which a model answers in its own words; more would confuse a small model."""

_LONGEST_PASSAGE = 8000
"""The most characters of a passage, or of the text if there are no passages. One with many spaces can be longer."""

_BETWEEN = "\n\n"

_SECONDS_STORED = 3600.0
"""How long the buttons below an answer work."""


@serializable
@dataclass(frozen=True, slots=True)
class Question:
    """A question and how to answer it; `model` is empty for the task's default."""

    text: str
    model: str = ""
    own_words: bool = False


def check_question(session: ReplySession, question: Question, *, sourced: bool) -> None:
    """Check the question before its source is fetched (`sourced`: there is one); raise InvalidRequest."""
    if sourced:
        session.check(AskRequest(question=question.text, model=question.model), pending=["context"])
    if question.own_words or not sourced:
        session.check(ChatAnswerRequest(question=question.text, model="" if sourced else question.model))


async def show_answer(session: ReplySession, question: Question, source: Source | None) -> None:
    """Answer from `source`; without one, from a language model's memory."""
    if source is None:
        request = ChatAnswerRequest(question=question.text, model=question.model, owner=str(session.owner))
        await session.perform(MemoryJob(session.check(request)))
    else:
        request = AskRequest(
            question=question.text,
            context=source.text,
            text_source=source.text_source,
            model=question.model,
            owner=str(session.owner),
        )
        await session.perform(AnswerJob(session.check(request), question, source))


@serializable
@dataclass(frozen=True, slots=True)
class MemoryJob(ReplyJob):
    """An answer from a language model's memory."""

    checked: CheckedRequest[ChatAnswerRequest]

    async def answer(self, session: ReplySession) -> None:
        question = self.checked.request.question
        status = ProgressRenderer(draft=lambda text: below(question, neutral(text)))
        answer = await session.run(self.checked, Answer, status)
        await session.finish(below(question, from_memory(answer.text)))


@serializable
@dataclass(frozen=True, slots=True)
class AnswerJob(ReplyJob):
    """An answer found in a source, or below it an answer in a model's own words."""

    checked: CheckedRequest[AskRequest]
    question: Question
    source: Source

    async def answer(self, session: ReplySession) -> None:
        question, source = self.question, self.source
        answer = await session.run(self.checked, Answer)
        found = _stored_answer(session, question, answer, source)
        if question.own_words and not answer.generated:
            await _answer_in_own_words(session, found)
            return
        content = below(question.text, _found(answer, source, found), source.note)
        try:
            view = await _buttons(session, found, generated=answer.generated)
        except StorageError as error:
            log.error("an answer is shown without buttons: %s", error, exc_info=with_traceback(error))
            note = tr("The bot could not store this answer, so there are no buttons.")
            await session.finish(replace(content, note=" · ".join(filter(None, (source.note, note)))))
            return
        try:
            await session.finish(content, view)
        except DELIVERY:
            await session.services.store.answers.forget_messages([session.where[1]])
            raise


@serializable
@dataclass(frozen=True, slots=True)
class OwnWordsJob(ReplyJob):
    """An answer in a model's own words, with the evidence of an earlier answer below it."""

    stored: StoredAnswer

    async def answer(self, session: ReplySession) -> None:
        await _answer_in_own_words(session, self.stored)


def check_picture_question(session: ReplySession, question: Question, files: Sequence[discord.Attachment]) -> None:
    """Check a question about pictures before anything is fetched; raise InvalidRequest."""
    session.check(_about_picture(session, question), pending=["image"])
    for file in files:
        check_size(file, session.limits.upload)


async def show_about_pictures(
    session: ReplySession, question: Question, files: Sequence[discord.Attachment], context: Source | None = None
) -> None:
    """Answer the question about each picture, while the answers grow. `context` is a text that belongs to them."""
    checked = session.check(_about_picture(session, question, context), pending=["image"])
    await session.acknowledge()
    names = tuple(name_of(file) for file in files)
    await session.perform(PicturesJob(checked, names, tuple([await read(file) for file in files])))


@serializable
@dataclass(frozen=True, slots=True)
class PicturesJob(ReplyJob):
    """An answer about each of the pictures, which have `names`."""

    checked: CheckedRequest[ChatAnswerRequest]
    names: tuple[str, ...]
    pictures: tuple[bytes, ...]

    async def answer(self, session: ReplySession) -> None:
        question, answers = self.checked.request.question, list[str]()

        def draft(text: str) -> MessageContent:
            return below(question, from_pictures(self.names, [*answers, text]))

        for picture in self.pictures:
            answer = await session.run(self.checked, Answer, ProgressRenderer(draft=draft), image=picture)
            answers.append(answer.text)
        await session.finish(below(question, from_pictures(self.names, answers)))


def _about_picture(session: ReplySession, question: Question, context: Source | None = None) -> ChatAnswerRequest:
    context = context or Source("")
    return ChatAnswerRequest(
        question=question.text,
        context=context.text,
        text_source=context.text_source,
        model=question.model,
        owner=str(session.owner),
    )


async def _answer_in_own_words(session: ReplySession, found: StoredAnswer) -> None:
    """Show a language model's answer while it grows, and then the evidence below it."""
    request = ChatAnswerRequest(
        question=found.question,
        context=found.passages,
        text_source="channel",  # wherever they came from: they were checked when they were searched
        owner=str(session.owner),
    )
    answer = await session.run(
        session.check(request), Answer, ProgressRenderer(draft=lambda text: below(found.question, neutral(text)))
    )
    await session.finish(below(found.question, in_own_words(answer, found.evidence), found.note))


def has_language_model(engine: Engine) -> bool:
    """Return whether a language model is configured."""
    return bool(engine.models("complete"))


def _found(answer: Answer, source: Source, found: StoredAnswer) -> str:
    if answer.generated and answer.text:
        return in_own_words(answer, found.evidence, always=True)
    return "\n".join(filter(None, (found.evidence, alternatives(answer, source))))


def passages_of(answer: Answer, source: Source) -> str:
    """Return the parts of the source from which a model can answer the question."""
    windows = sorted(answer.passages[:_PASSAGES]) or [(0, _LONGEST_PASSAGE)]
    return _BETWEEN.join(source.text[start:end][:_LONGEST_PASSAGE] for start, end in windows)


def _stored_answer(session: ReplySession, question: Question, answer: Answer, source: Source) -> StoredAnswer:
    shown = span(answer)
    return StoredAnswer(
        owner=session.owner,
        question=question.text,
        evidence=evidence(answer, source),
        around=surroundings(*shown, source) if shown else "",
        passages=passages_of(answer, source),
        note=source.note,
    )


async def _buttons(session: ReplySession, found: StoredAnswer, *, generated: bool) -> discord.ui.View | None:
    """Store the answer if it has buttons, which need it. Return a view with them, None for none; raise StorageError."""
    labels = {"context": tr("Show context")} if found.around else {}
    labels |= {"words": tr("In own words")} if not generated and has_language_model(session.engine) else {}
    if not labels:
        return None
    answer_id = await session.services.store.answers.keep(*session.where, now() + _SECONDS_STORED, found)
    ids = {action: custom_id("ask", action, answer_id) for action in labels}
    return persistent_view(*(Button(label=label, custom_id=ids[action]) for action, label in labels.items()))
