"""The errors of this package.

    InferenceError
    ├── InvalidRequest (ValueError)     the request can't be done
    │   └── UnknownModel                … since its model is not listed in the config
    ├── OutputWithheld                  the text classifier objects to what the model wrote
    ├── Overloaded                      the queue is full; try again after `retry_after` seconds
    ├── RequestCancelled                the caller cancelled the request
    ├── RequestTimeout                  the deadline passed
    ├── ModelUnavailable                the model's files are missing or broken, or it does not fit
    │   └── ModelNotServed              … since its server does not have it
    ├── DeviceLost                      the device has gone; another one, or a later try, can do the request
    └── GenerationFailed                the model failed while it ran
            └── OutOfMemory                 … since memory ran out, also in smaller attempts

`user_message` is a sentence or two for the user: the cause and the next step, without paths or tracebacks. `error_id`
connects it to the traceback in the log. `sentence` is the message with placeholders for its `values`, so that it can be
translated:

    InvalidRequest("The prompt has {count:,} characters; {most:,} is the most.", count=7000, most=6000)

A value that is a `Phrase` is translated too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Phrase(str):
    """English words of this package. As for errors, `sentence` and `values` allow a translation."""

    sentence: str
    values: dict[str, object]

    def __new__(cls, sentence: str, /, **values: object) -> Self:
        values = _plain(values)
        phrase = super().__new__(cls, sentence.format(**values) if values else sentence)
        phrase.sentence, phrase.values = sentence, values
        return phrase

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """Make pickle and copy keep the sentence and its values."""
        return (self.sentence,), self.values


class OperatorStep(Phrase):
    """A step that the operator can take on the bot's machine: for log and command line, not for users."""


def addressed_to_operator(message: str) -> str:
    """Return an English message for a terminal: its reader is the operator, whom it names for readers in Discord."""
    return _OPERATOR.sub(_you, message.replace("ask the bot's operator to ", ""))


def _you(match: re.Match[str]) -> str:
    you, verb = "You" if match[0][0].isupper() else "you", match[1]
    return f"{you} {_VERBS_AFTER_YOU.get(verb, verb)}"


def join_phrases(sentences: Iterable[str], separator: str = " ") -> Phrase:
    """Join several phrases to one, with `separator` between them."""
    values = {f"part{index}": sentence for index, sentence in enumerate(sentences)}
    placeholders = separator.join(f"{{{name}}}" for name in values)
    return Phrase(placeholders, **values)


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Convert values other than text, numbers and phrases to text, so that they can be stored and sent."""
    return {name: value if isinstance(value, str | int | float) else str(value) for name, value in values.items()}


_OPERATOR = re.compile(r"\b(?:(?:the|this) bot's|its) operator (\w+)", re.IGNORECASE)
_VERBS_AFTER_YOU = {"has": "have", "finds": "find", "allows": "allow", "does": "do"}

EMPTY_PHRASE = Phrase("")


class InferenceError(Exception):
    """The base class of all errors that leave this package. `str(error)` is its `user_message`."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        self.sentence = sentence
        self.values = _plain(values)
        self.user_message = sentence.format(**self.values) if values else sentence
        self.error_id = secrets.token_hex(4)
        super().__init__(self.user_message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Make pickle and copy keep everything but the cause, whose traceback is in the log."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[InferenceError], args: tuple[Any, ...], state: dict[str, Any]) -> InferenceError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class InvalidRequest(InferenceError, ValueError):
    """The request is not valid: an empty prompt, a broken image, a size out of range."""


class UnknownModel(InvalidRequest):
    """No model with this name is listed for the task."""


class OutputWithheld(InferenceError):
    """The operator's text classifier objects to what the model wrote."""


class Overloaded(InferenceError):
    """The queue is full. `retry_after` is the expected wait in seconds."""

    def __init__(self, sentence: str, /, retry_after: float, **values: object) -> None:
        super().__init__(sentence, **values)
        self.retry_after = retry_after


class RequestCancelled(InferenceError):
    """The caller, or every caller of the batch, has left."""


class RequestTimeout(InferenceError):
    """The request did not end before its deadline."""


class ModelUnavailable(InferenceError):
    """The model can't be loaded: not downloaded and no access to the hub, unreadable, or too large."""


class ModelNotServed(ModelUnavailable):
    """The server does not know the model, which it may have known before."""


class DeviceLost(InferenceError):
    """The device with the request has gone, such as a machine that was switched off. The request can run elsewhere."""


class GenerationFailed(InferenceError):
    """The model failed while it ran. The original exception is the `__cause__`."""


class OutOfMemory(GenerationFailed):
    """The device ran out of memory, even when the request ran alone."""
