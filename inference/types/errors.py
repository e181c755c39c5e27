"""What can go wrong, as one small tree.

    InferenceError
    ├── InvalidRequest (ValueError)     the caller asked for something that can't be done
    │   └── UnknownModel                … of a model that the operator did not list
    ├── Overloaded                      the queue is full; try again after `retry_after` seconds
    ├── RequestCancelled                the caller took the request back
    ├── RequestTimeout                  the deadline passed first
    ├── ModelUnavailable                the model's files are missing, broken, or don't fit
    └── GenerationFailed                the model ran and broke
        └── OutOfMemory                 … for want of memory, after smaller attempts

`user_message` is a sentence or two for the person who asked: the cause and the next step, without
paths or tracebacks. `error_id` joins that message to the traceback in the log. `sentence` is the
message with places for its `values`, so that it can be said in another language:

    InvalidRequest("The prompt has {count:,} characters; {most:,} is the most.", count=7000, most=6000)

A value that is a `Phrase` is said in that language as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Phrase(str):
    """Words of this package, in English; `sentence` and `values` say them in another language, as for errors."""

    sentence: str
    values: dict[str, object]

    def __new__(cls, sentence: str, /, **values: object) -> Self:
        values = _plain(values)
        phrase = super().__new__(cls, sentence.format(**values) if values else sentence)
        phrase.sentence, phrase.values = sentence, values
        return phrase

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Let pickle and copy keep the sentence apart from its values."""
        return (self.sentence,), self.values


class OperatorStep(Phrase):
    """What the operator can do at the bot's machine: for its log and its command line, not for people in a chat."""


def join_phrases(sentences: Iterable[str], between: str = " ") -> Phrase:
    """Return one phrase of several, with a space or something else between them."""
    values = {f"part{number}": sentence for number, sentence in enumerate(sentences)}
    places = between.join(f"{{{name}}}" for name in values)
    return Phrase(places, **values)


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Keep text, numbers and phrases, and take the text of all else, so that values can be stored and sent."""
    return {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}


EMPTY_PHRASE = Phrase("")


class InferenceError(Exception):
    """Base of every error that leaves this package; `str(error)` is its `user_message`."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = sentence
        self.values = _plain(values)
        self.user_message = sentence.format(**self.values) if values else sentence
        self.error_id = secrets.token_hex(4)
        super().__init__(self.user_message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let pickle and copy keep everything but the cause, whose traceback is in the log."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[InferenceError], args: tuple[Any, ...], state: dict[str, Any]) -> InferenceError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidRequest(InferenceError, ValueError):
    """The request itself is wrong: an empty prompt, a broken picture, a size out of range."""


class UnknownModel(InvalidRequest):
    """No model of that name is listed for the task."""


class Overloaded(InferenceError):
    """No place in the queue; `retry_after` is the expected wait in seconds."""

    def __init__(self, sentence: str, /, retry_after: float, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after = retry_after


class RequestCancelled(InferenceError):
    """The caller, or everybody in the batch, has gone."""


class RequestTimeout(InferenceError):
    """The request did not end before its deadline."""


class ModelUnavailable(InferenceError):
    """The model can't be loaded: not downloaded and no hub in reach, unreadable, or too large."""


class GenerationFailed(InferenceError):
    """The model failed while running; the original exception is the `__cause__`."""


class OutOfMemory(GenerationFailed):
    """The device ran out of memory, also when the request ran alone."""
