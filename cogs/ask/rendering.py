"""The text of answers: the evidence in its sentence, its origin, and how sure the model is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cogs.ask.quotations import cut, in_paragraphs, in_sentence
from cogs.common import MessageContent, neutral, quoted
from cogs.common.markdown import unsupported, without_escapes
from cogs.common.sources import Source
from cogs.i18n import tr
from inference import Answer

_SURE = 0.8
_LIKELY = 0.5
_FAINT = 0.02
"""The least scores to show. A score is the probability of one span, against all other spans and "no answer". From 0.5
on, the span is likelier than everything else together. Alternatives below 0.02 would mislead more often than help."""

_SHORT_REACH = 100
_MOST_NAMES = 5


def below(question: str, text: str, note: str = "") -> MessageContent:
    """Return `text` with the question above it; the file of a long text has it without escapes."""
    text = f"{quoted(question)}\n\n{text}"
    return MessageContent(text, plain=without_escapes(text), note=note)


def in_own_words(written: Answer, quotes: str, *, always: bool = False) -> str:
    """Return a language model's answer with the evidence; `always` is for a model that has no other mode."""
    label = (
        tr("This model always answers in its own words, which may be wrong")
        if always
        else tr("In the model's own words, which may be wrong")
    )
    warning = unsupported(written.unsupported_figures)
    answer = _generated(written.text, f"{label} · {warning}" if warning else label)
    return "\n".join([answer, tr("What I found there:"), quotes] if quotes else [answer])


def from_memory(text: str) -> str:
    """Return a language model's answer without a source, and how to ask about what was written here."""
    answer = _generated(text, tr("From the model's memory, without a source; it may be wrong"))
    return f"{answer}\n-# {tr('To ask about what was written here, use /ask with `messages`.')}"


def from_pictures(names: Sequence[str], answers: Sequence[str]) -> str:
    """Return the answer about a picture, or a numbered line for each of several pictures that has an answer so far."""
    label = tr("From what the model sees in the picture; it may be wrong")
    if len(names) == 1:
        return _generated(answers[0], label)
    named = zip(names, answers, strict=False)
    lines = [f"{number}. **{name}**: {neutral(answer)}" for number, (name, answer) in enumerate(named, 1)]
    return "\n".join([*lines, f"-# {label}"])


def evidence(answer: Answer, source: Source) -> str:
    """Return the sentences of `source` that answer; or say that there is no answer, and show the best guess."""
    shown = span(answer)
    if answer.generated and shown:
        quote = _quote(*shown, source)
        if answer.text:
            return quote
        return f"{tr('I found no reliable answer, but this part is about the question:')}\n{quote}"
    if answer.generated and answer.text:
        return ""
    if answer.text and shown:
        return f"{in_sentence(source.text, *shown)}\n-# {_sureness(answer, source)}"
    guess = _perhaps(answer.alternatives[0], source) if shown else ""
    return "\n".join(filter(None, (tr("The text does not say."), guess)))


def alternatives(answer: Answer, source: Source) -> str:
    """Return the alternative answers, a line each; empty if none is likely enough."""
    others = list(_worth_showing(answer)) if answer.text else []
    lines = (f"{number}. {_alternative(other, source)}" for number, other in enumerate(others, 1))
    return "\n".join([tr("Other possible answers in the text:"), *lines]) if others else ""


def span(answer: Answer) -> tuple[int, int] | None:
    """Return the start and end of the span that `evidence` shows first; None if there is none."""
    if answer.generated:
        return next(iter(answer.passages), None)
    return next(((found.start, found.end) for found in (answer, *_worth_showing(answer)) if found.text), None)


def surroundings(start: int, end: int, source: Source) -> str:
    """Return the paragraphs around a span, and their origin."""
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
