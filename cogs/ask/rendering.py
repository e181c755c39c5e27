"""How answers are put: the evidence in its own sentence, where it is from, and how sure it is in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from cogs.ask.excerpts import cut, in_paragraphs, in_sentence
from cogs.common import MessageContent, neutral, quoted
from cogs.common.markdown import without_escapes
from cogs.common.sources import Source
from cogs.i18n import tr
from inference import Answer

_SURE = 0.8
_LIKELY = 0.5
_FAINT = 0.02
"""A score is the share of belief in one span, among all other spans and "the text does not say" together. From 0.8 on,
at most one in five is left for anything else; from 0.5 on, the span is likelier than all else together. Other answers
of less than one in fifty would mislead more often than help."""

_SHORT_REACH = 100
_MOST_NAMES = 5


def below(question: str, text: str, note: str = "") -> MessageContent:
    """`text` with the question above it; a file of a long one holds it as it was written."""
    text = f"{quoted(question)}\n\n{text}"
    return MessageContent(text, plain=without_escapes(text), note=note)


def in_own_words(text: str, quotes: str, *, always: bool = False) -> str:
    """What a language model made of a text, and what that text says; `always`: this model does nothing else."""
    label = (
        tr("This model always answers in its own words, which may be wrong")
        if always
        else tr("In the model's own words, which may be wrong")
    )
    words = _generated(text, label)
    return "\n".join([words, tr("What I found there:"), quotes] if quotes else [words])


def from_memory(text: str) -> str:
    """What a language model says without any text to look in."""
    return _generated(text, tr("From the model's memory, without a source; it may be wrong"))


def evidence(answer: Answer, source: Source) -> str:
    """What `source` says, in its own sentences; or honestly that it does not, and what might be meant."""
    shown = span(answer)
    if answer.generated and shown:
        quote = _quote(*shown, source)
        return quote if answer.text else f"{tr('No answer held up, but this speaks of the question:')}\n{quote}"
    if answer.generated and answer.text:
        return ""
    if answer.text and shown:
        return f"{in_sentence(source.text, *shown)}\n-# {_sureness(answer, source)}"
    guess = _perhaps(answer.alternatives[0], source) if shown else ""
    return "\n".join(filter(None, (tr("The text does not say."), guess)))


def alternatives(answer: Answer, source: Source) -> str:
    """Other answers than the one found, a line each; empty if there are none worth telling."""
    others = list(_worth_showing(answer)) if answer.text else []
    lines = (f"{number}. {_alternative(other, source)}" for number, other in enumerate(others, 1))
    return "\n".join([tr("Other answers that the text may hold:"), *lines]) if others else ""


def span(answer: Answer) -> tuple[int, int] | None:
    """Start and end of what `evidence` shows first, if anything."""
    if answer.generated:
        return next(iter(answer.passages), None)
    return next(((found.start, found.end) for found in (answer, *_worth_showing(answer)) if found.text), None)


def surroundings(start: int, end: int, source: Source) -> str:
    """The paragraphs around a span, and where they are from."""
    return _from(in_paragraphs(source.text, start, end), source.origin(start))


def _generated(text: str, label: str) -> str:
    return f"{neutral(text)}\n-# {label}" if text.strip() else tr("The model had nothing to say.")


def _worth_showing(answer: Answer) -> Iterator[Answer]:
    return (other for other in answer.alternatives if other.score >= _FAINT)


def _quote(start: int, end: int, source: Source) -> str:
    return _from(cut(source.text[start:end].strip()), source.origin(start))


def _from(text: str, origin: str) -> str:
    return f"{text}\n-# {origin}" if origin else text


def _perhaps(guess: Answer, source: Source) -> str:
    sentence = in_sentence(source.text, guess.start, guess.end)
    return f"{tr('Perhaps: {sentence}', sentence=sentence)}\n-# {_sureness(guess, source)}"


def _alternative(other: Answer, source: Source) -> str:
    sentence, origin = in_sentence(source.text, other.start, other.end, _SHORT_REACH), source.origin(other.start)
    return f"{sentence} · {origin}" if origin else sentence


def _sureness(shown: Answer, source: Source) -> str:
    origin = source.origin(shown.start)
    if shown.score >= _SURE:
        return tr("Sure, from {source}", source=origin) if origin else tr("Sure")
    if shown.score >= _LIKELY:
        return tr("Likely, from {source}", source=origin) if origin else tr("Likely")
    return tr("A guess, from {source}", source=origin) if origin else tr("A guess")
