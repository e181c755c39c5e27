"""Answers to questions: found in a text, in a model's own words, or from its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from cogs.ask.answer_cache import AnswerCache, CachedAnswer
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
from cogs.common.persistent_view import custom_id, persistent_view
from cogs.common.sources import Source, check_size, name_of, read
from cogs.i18n import tr
from inference import Answer, AskRequest, ChatAnswerRequest, CheckedRequest, Engine, serializable

_PASSAGES = 3
"""The number of passages from which a model answers in its own words; more would confuse a small model."""

_LONGEST_PASSAGE = 8000
"""The most characters of a passage, or of the text if there are no passages. One with many spaces can be longer."""

_BETWEEN = "\n\n"


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
            question=question.text, context=source.text, model=question.model, owner=str(session.owner)
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
        cached = _cached(session, question, answer, source)
        if question.own_words and not answer.generated:
            await _answer_in_own_words(session, cached)
            return
        words = not answer.generated and has_language_model(session.engine)
        key = session.services.provided(AnswerCache).add(cached)
        view = _buttons(key, context=bool(cached.around), words=words)
        await session.finish(below(question.text, _found(answer, source, cached), source.note), view)


@serializable
@dataclass(frozen=True, slots=True)
class OwnWordsJob(ReplyJob):
    """An answer in a model's own words, with the evidence of an earlier answer below it."""

    cached: CachedAnswer

    async def answer(self, session: ReplySession) -> None:
        await _answer_in_own_words(session, self.cached)


def check_picture_question(session: ReplySession, question: Question, files: Sequence[discord.Attachment]) -> None:
    """Check a question about pictures before anything is fetched; raise InvalidRequest."""
    session.check(_about_picture(session, question), pending=["image"])
    for file in files:
        check_size(file, session.limits.upload)


async def show_about_pictures(
    session: ReplySession, question: Question, files: Sequence[discord.Attachment], context: str = ""
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


def _about_picture(session: ReplySession, question: Question, context: str = "") -> ChatAnswerRequest:
    return ChatAnswerRequest(question=question.text, context=context, model=question.model, owner=str(session.owner))


async def _answer_in_own_words(session: ReplySession, cached: CachedAnswer) -> None:
    """Show a language model's answer while it grows, and then the evidence below it."""
    request = ChatAnswerRequest(question=cached.question, context=cached.passages, owner=str(session.owner))
    answer = await session.run(
        session.check(request), Answer, ProgressRenderer(draft=lambda text: below(cached.question, neutral(text)))
    )
    await session.finish(below(cached.question, in_own_words(answer.text, cached.evidence), cached.note))


def has_language_model(engine: Engine) -> bool:
    """Return whether a language model is configured."""
    return bool(engine.models("complete"))


def _found(answer: Answer, source: Source, cached: CachedAnswer) -> str:
    if answer.generated and answer.text:
        return in_own_words(answer.text, cached.evidence, always=True)
    return "\n".join(filter(None, (cached.evidence, alternatives(answer, source))))


def _cached(session: ReplySession, question: Question, answer: Answer, source: Source) -> CachedAnswer:
    shown = span(answer)
    windows = sorted(answer.passages[:_PASSAGES]) or [(0, _LONGEST_PASSAGE)]
    return CachedAnswer(
        owner=session.owner,
        question=question.text,
        evidence=evidence(answer, source),
        around=surroundings(*shown, source) if shown else "",
        passages=_BETWEEN.join(source.text[start:end][:_LONGEST_PASSAGE] for start, end in windows),
        note=source.note,
    )


def _buttons(key: str, *, context: bool, words: bool) -> discord.ui.View:
    """Return a view with the buttons that apply."""
    labels = {"context": tr("Show context")} if context else {}
    labels |= {"words": tr("In own words")} if words else {}
    buttons = [discord.ui.Button(label=label, custom_id=custom_id("ask", each, key)) for each, label in labels.items()]
    return persistent_view(*buttons)
