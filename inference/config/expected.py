"""What a field of the settings takes, in words: from the types, bounds and descriptions in the schema."""

from __future__ import annotations

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from inference.limits import Expected

_NAMES: dict[Any, str] = {
    bool: "yes or no (true or false)",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "the path of a folder",
}

SECTION = "a section (indented lines like `key: value`)"

_ITEMS: dict[Any, str] = {int: "whole numbers", str: "texts"}


def field_at(kind: Any, position: Iterable[str | int]) -> Any:
    """Return the type at this position below a section. Bounds and descriptions stay with it as `Annotated`."""
    for part in position:
        kind = _inside(_bare(kind), part)
    return kind


def known_keys(kind: Any) -> list[str]:
    """Return the keys of a section; none for other types."""
    section = _bare(kind)
    return list(section.model_fields) if _is_section(section) else []


def is_list(kind: Any) -> bool:
    return get_origin(_bare(kind)) is tuple


def own_words(kind: Any) -> str:
    """Return the words that the schema has for this field, or nothing."""
    return next((item.words for item in _metadata(kind) if isinstance(item, Expected)), "")


def expected(kind: Any) -> str:
    """Return words that complete "must be …"."""
    if words := own_words(kind):
        return words
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        return f"one of: {', '.join(map(str, get_args(bare)))}"
    if is_list(bare):
        items = _ITEMS.get(_bare(get_args(bare)[0]))
        return f"a list of {items}" if items else "a list"
    if _is_section(bare) or get_origin(bare) is dict:
        return SECTION
    return " ".join([_NAMES[bare], *_bounds(_metadata(kind))])


def _inside(kind: Any, part: str | int) -> Any:
    """Return the type of one value in a section, a list or a dict."""
    if _is_section(kind):
        field = kind.model_fields[part]
        return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return get_args(kind)[-1] if get_origin(kind) is dict else get_args(kind)[0]


def _bare(kind: Any) -> Any:
    """Return the type without `Annotated`, and without `None` as an alternative."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return next(inner for inner in get_args(kind) if inner is not types.NoneType)
    return kind


def _metadata(kind: Any) -> tuple[Any, ...]:
    return get_args(kind)[1:] if get_origin(kind) is Annotated else ()


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bounds(metadata: Iterable[Any]) -> list[str]:
    """Return `between 1 and 8`, `at least 0` and the like."""
    limits = {name: getattr(item, name) for item in metadata for name in ("ge", "gt", "le") if hasattr(item, name)}
    if {"ge", "le"} <= limits.keys():
        return [f"between {limits['ge']:g} and {limits['le']:g}"]
    words = {"ge": "of at least", "gt": "above", "le": "of at most"}
    return [f"{words[name]} {limit:g}" for name, limit in limits.items()]
