"""Conversion of requests, events, results and errors to JSON and back, for storage and transfer.

Every object has the name of its class. Unknown fields are ignored; missing ones get their defaults.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Any, TypeVar, cast

from inference.tasks import CLASSIFIERS, TASKS, CheckedRequest, Message
from inference.types import GGUFSummary, Loading, ModelServer, ModelSpec, PartialText, Progress, Queued, Result, Started
from inference.types.errors import InferenceError, OperatorStep, Overloaded, Phrase

_SHARED_CLASSES = (
    *(ModelSpec, ModelServer, GGUFSummary, CheckedRequest, Message),
    *(Queued, Loading, Started, Progress, PartialText, Result),
)
"""Classes that belong to no task, or to several."""

_registered: dict[str, type[Any]] = {}

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


def serializable(cls: C) -> C:
    """Let a dataclass of another package be written as JSON; its name must be unique. Use it as a decorator."""
    assert cls.__name__ not in _registered, f"there is another class {cls.__name__}"
    _registered[cls.__name__] = cls
    return cls


def to_json(value: object) -> str:
    """Return `value` as JSON. Raise TypeError for a value of an unsupported type."""
    return json.dumps(_encode(value), ensure_ascii=False, allow_nan=False)


def from_json(text: str, kind: type[T]) -> T:
    """Return the value that `to_json` wrote. Raise TypeError if it is not a `kind`, and ValueError if it is damaged."""
    try:
        value = _decode(json.loads(text))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"this is damaged: {error!r}") from error
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} is no {kind.__name__}")
    return value


def _encode(value: Any) -> Any:
    match value:
        case Phrase():
            return {"type": type(value).__name__, "sentence": value.sentence, "values": _encode_values(value.values)}
        case InferenceError():
            extra = {"retry_after": _encode(value.retry_after)} if isinstance(value, Overloaded) else {}
            message = {"sentence": value.sentence, "values": _encode_values(value.values)}
            return {"type": type(value).__name__, **message, **extra, "error_id": value.error_id}
        case float() if not isfinite(value):  # JSON has no such numbers
            return {"type": "float", "value": str(value)}
        case datetime():
            return {"type": "datetime", "value": value.isoformat()}
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return {"type": "bytes", "base64": b64encode(value).decode()}
        case tuple():
            return [_encode(item) for item in cast("tuple[Any, ...]", value)]
        case dict():
            pairs = cast("dict[str, Any]", value).items()
            return {"type": "dict", "items": [[key, _encode(item)] for key, item in pairs]}
        case frozenset():
            return {"type": "frozenset", "items": sorted(cast("frozenset[str]", value))}
        case _ if _class_named(type(value).__name__):
            return {
                "type": type(value).__name__,
                **{field.name: _encode(getattr(value, field.name)) for field in fields(value)},
            }
        case _:
            raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _encode_values(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: _encode(value) for name, value in values.items()}


def _decode(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(_decode(item) for item in cast("list[Any]", data))
    if not isinstance(data, dict):
        return data
    fields_by_name = cast("dict[str, Any]", data)
    match fields_by_name.pop("type", None):
        case "float":
            return float(fields_by_name["value"])
        case "datetime":
            return datetime.fromisoformat(fields_by_name["value"])
        case "bytes":
            return b64decode(fields_by_name["base64"])
        case "dict":
            return {key: _decode(item) for key, item in fields_by_name["items"]}
        case "frozenset":
            return frozenset(fields_by_name["items"])
        case str(name) if name in _phrases():
            return _phrases()[name](fields_by_name["sentence"], **_decode_values(fields_by_name["values"]))
        case str(name) if name in _errors():
            return _decode_error(_errors()[name], fields_by_name)
        case str(name) if cls := _class_named(name):
            known = {field.name for field in fields(cls)}
            return cls(**{name: _decode(value) for name, value in fields_by_name.items() if name in known})
        case name:
            raise ValueError(f"there is no type {name!r}")


def _decode_error(cls: type[InferenceError], fields_by_name: Mapping[str, Any]) -> InferenceError:
    extra = {"retry_after": _decode(fields_by_name["retry_after"])} if "retry_after" in fields_by_name else {}
    error = cls(fields_by_name["sentence"], **extra, **_decode_values(fields_by_name["values"]))
    error.error_id = fields_by_name["error_id"]
    return error


def _decode_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _decode(value) for name, value in values.items()}


def _class_named(name: str) -> type[Any] | None:
    return _classes().get(name) or _registered.get(name)


@cache
def _classes() -> dict[str, type[Any]]:
    """Return all dataclasses by name: requests and results of the tasks, their parts, and events."""
    task_classes = [cls for task in (*TASKS, *CLASSIFIERS) for cls in (*task.requests, task.output, *task.parts)]
    return {cls.__name__: cls for cls in (*task_classes, *_SHARED_CLASSES)}


@cache
def _errors() -> dict[str, type[InferenceError]]:
    return {cls.__name__: cls for cls in (InferenceError, *_subclasses(InferenceError))}


@cache
def _phrases() -> dict[str, type[Phrase]]:
    return {cls.__name__: cls for cls in (Phrase, OperatorStep)}


def _subclasses(cls: type[InferenceError]) -> Iterator[type[InferenceError]]:
    """Yield all direct and indirect subclasses."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
