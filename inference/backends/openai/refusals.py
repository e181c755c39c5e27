"""What an error of a server says, without what it repeats of the request: servers quote what people have written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, cast

_MOST_LETTERS = 100
"""The length of a value that goes to the log."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """`summary` is for the log. `message` is what the server wrote about the cause; it may quote the request."""

    summary: str = ""
    message: str = ""
    names: frozenset[str] = frozenset()
    """The fields of the request that are wrong; none if the server tells them only in words, or not at all."""

    def is_about(self, field: str) -> bool:
        """Return whether this field of the request is wrong."""
        if self.names:
            return field in self.names
        return bool(re.search(rf"(?<!\w){field}(?!\w)", self.message))


def read_refusal(text: str) -> Refusal:
    """Return what an answer says that is an error: JSON, or a few words."""
    try:
        return refusal_in(json.loads(text))
    except ValueError:
        is_cut_off = text.lstrip().startswith(("{", "["))
        return Refusal(message="" if is_cut_off else text)


def refusal_in(body: Any) -> Refusal:
    """Return what JSON says: OpenAI's `error`, as an object or a text; or FastAPI's `detail`, as a list or a text."""
    fields = _fields(body)
    error = fields.get("error") or fields
    told = _fields(error)
    detail = fields.get("detail")
    message = next((each for each in (error, told.get("message"), detail) if isinstance(each, str)), "")
    places = [_path(_fields(entry).get("loc")) for entry in cast("list[Any]", detail)] if _is_list(detail) else []
    known = {name: told[name] for name in ("type", "code", "param") if isinstance(told.get(name), str | int)}
    values = [f"{name}: {str(value)[:_MOST_LETTERS]}" for name, value in known.items()]
    values += [".".join(path)[:_MOST_LETTERS] for path in places]
    names = {path[0] for path in places if path}
    if param := str(known.get("param", "")):
        names.add(re.split(r"[.\[]", param)[0])
    return Refusal(", ".join(values), message.partition("'input'")[0], frozenset(names))  # vLLM quotes pydantic


def _fields(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _path(place: Any) -> list[str]:
    """Return where in the body of the request something is wrong."""
    path = [str(part) for part in cast("list[Any]", place)] if _is_list(place) else []
    return path[1:] if path[:1] == ["body"] else path
