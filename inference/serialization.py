"""Requests, events, results and errors as JSON and back unchanged, so that they can be stored or sent elsewhere.

Every object names its class. A field that a class no longer has is passed over; a new one gets its default.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

from inference.tasks import TASKS, CheckedRequest
from inference.types import Loading, ModelSpec, PartialText, Progress, Queued, Result, Started
from inference.types.errors import InferenceError, OperatorStep, Overloaded, Phrase

_SHARED = (ModelSpec, CheckedRequest, Queued, Loading, Started, Progress, PartialText, Result)
"""Classes that belong to no task."""

T = TypeVar("T")


def to_json(value: object) -> str:
    """Return `value` as JSON; raise TypeError if it is of another type."""
    return json.dumps(_encoded(value), ensure_ascii=False)


def from_json(text: str, kind: type[T]) -> T:
    """Return what `to_json` wrote; raise TypeError if it is no `kind`, and ValueError if it is damaged."""
    value = _decoded(json.loads(text))
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} is no {kind.__name__}")
    return value


def _encoded(value: Any) -> Any:
    match value:
        case Phrase():
            return {"type": type(value).__name__, "sentence": value.sentence, "values": _encoded_values(value.values)}
        case InferenceError():
            more = {"retry_after": value.retry_after} if isinstance(value, Overloaded) else {}
            words = {"sentence": value.sentence, "values": _encoded_values(value.values)}
            return {"type": type(value).__name__, **words, **more, "error_id": value.error_id}
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return {"type": "bytes", "base64": b64encode(value).decode()}
        case tuple():
            return [_encoded(each) for each in cast("tuple[Any, ...]", value)]
        case frozenset():
            return {"type": "frozenset", "items": sorted(cast("frozenset[str]", value))}
        case _ if type(value).__name__ in _classes():
            return {
                "type": type(value).__name__,
                **{field.name: _encoded(getattr(value, field.name)) for field in fields(value)},
            }
        case _:
            raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _encoded_values(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: _encoded(value) for name, value in values.items()}


def _decoded(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_decoded(each) for each in cast("list[Any]", data))
    if not isinstance(data, dict):
        return data
    parts = cast("dict[str, Any]", data)
    match parts.pop("type", None):
        case "bytes":
            return b64decode(parts["base64"])
        case "frozenset":
            return frozenset(parts["items"])
        case str(name) if name in _phrases():
            return _phrases()[name](parts["sentence"], **_decoded_values(parts["values"]))
        case str(name) if name in _errors():
            return _decoded_error(_errors()[name], parts)
        case str(name) if name in _classes():
            kind = _classes()[name]
            known = {field.name for field in fields(kind)}
            return kind(**{name: _decoded(value) for name, value in parts.items() if name in known})
        case name:
            raise ValueError(f"there is no type {name!r}")


def _decoded_error(kind: type[InferenceError], parts: Mapping[str, Any]) -> InferenceError:
    more = {"retry_after": parts["retry_after"]} if "retry_after" in parts else {}
    error = kind(parts["sentence"], **more, **_decoded_values(parts["values"]))
    error.error_id = parts["error_id"]
    return error


def _decoded_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _decoded(value) for name, value in values.items()}


@cache
def _classes() -> dict[str, type[Any]]:
    """All dataclasses by name: the tasks' requests and results, what they are made of, and events."""
    of_tasks = [kind for task in TASKS for kind in (*task.requests, task.output, *task.parts)]
    return {kind.__name__: kind for kind in (*of_tasks, *_SHARED)}


@cache
def _errors() -> dict[str, type[InferenceError]]:
    return {kind.__name__: kind for kind in (InferenceError, *_below(InferenceError))}


@cache
def _phrases() -> dict[str, type[Phrase]]:
    return {kind.__name__: kind for kind in (Phrase, OperatorStep)}


def _below(kind: type[InferenceError]) -> Iterator[type[InferenceError]]:
    """Every subclass, however far below."""
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _below(narrower)
