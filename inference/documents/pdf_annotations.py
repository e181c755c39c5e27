"""What people wrote onto a PDF: the fields of its form, and the notes on its pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdf import PageObject

_NOTES = {
    *("/Text", "/FreeText", "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Stamp", "/Ink"),
    *("/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/FileAttachment", "/Redact"),
}
_HIDDEN = 2 | 32
"""The flags of annotations that are not shown on the screen."""
_PASSWORD, _PUSH_BUTTON = 1 << 13, 1 << 16
_MAX_PARENTS = 32


def text_of(page: PageObject) -> str:
    """Return a line for each filled field and each note of a page: `name: Anna Miller`."""
    return "".join(f"{line}\n" for line in dict.fromkeys(_lines(page)))


def _lines(page: PageObject) -> Iterator[str]:
    for annotation in _objects(page.get("/Annots")):
        if _number(annotation.get("/F")) & _HIDDEN:
            continue
        kind = annotation.get("/Subtype")
        text = _field(annotation) if kind == "/Widget" else _text(annotation.get("/Contents")) if kind in _NOTES else ""
        if text:
            yield text


def _objects(array: Any) -> Iterator[Any]:
    """Yield the dictionaries of an array, and leave out what is missing."""
    from pypdf.generic import ArrayObject, DictionaryObject

    array = _resolved(array)
    for entry in array if isinstance(array, ArrayObject) else ():
        if isinstance(entry := _resolved(entry), DictionaryObject):
            yield entry


def _field(widget: Any) -> str:
    """Return the name and the value of a form's field; empty if it is empty, a signature or a password."""
    kind, flags = _inherited(widget, "/FT"), _number(_inherited(widget, "/Ff"))
    if kind == "/Btn" and not flags & _PUSH_BUTTON:
        value = _choice(widget)
    elif kind in ("/Tx", "/Ch") and not flags & _PASSWORD:
        value = _value(widget)
    else:
        return ""
    label = _text(_inherited(widget, "/TU")) or _text(_inherited(widget, "/T"))
    return f"{label}: {value}" if label and value else value


def _choice(widget: Any) -> str:
    """Return what a ticked box stands for, such as `Yes`; empty if it is not ticked. A state may be a number of it."""
    state = _resolved(widget.get("/AS"))
    state = str(state if state is not None else _inherited(widget, "/V") or "/Off").removeprefix("/")
    options = dict(enumerate(map(_text, _list(_inherited(widget, "/Opt")))))
    number = int(state) if len(state) < 5 and state.isdecimal() else -1
    return "" if state == "Off" else options.get(number) or state


def _value(widget: Any) -> str:
    """Return the text of a field, or what was chosen from its list, in the words that the list shows."""
    value = _inherited(widget, "/V")
    shown: dict[str, str] = {}
    for option in _list(_inherited(widget, "/Opt")):
        if isinstance(pair := _resolved(option), list) and len(pair) == 2:
            shown[_text(pair[0])] = _text(pair[1])
    values = [_text(each) for each in (_list(value) or [value])]
    if not any(values):
        values = _chosen(widget)
    return ", ".join(shown.get(each, each) for each in values if each)


def _chosen(widget: Any) -> list[str]:
    """Return the options of a list that are marked by their numbers alone."""
    options = _list(_inherited(widget, "/Opt"))
    numbers = [_number(number) for number in _list(_inherited(widget, "/I"))]
    chosen = (_resolved(options[number]) for number in numbers if 0 <= number < len(options))
    return [_text(option[-1] if isinstance(option, list) and option else option) for option in chosen]


def _inherited(widget: Any, key: str) -> Any:
    """Return an entry of a field, or of the group of fields to which it belongs."""
    for _ in range(_MAX_PARENTS):
        if widget is None or key in widget:
            break
        widget = _resolved(widget.get("/Parent"))
    return None if widget is None else _resolved(widget.get(key))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Return the text of a string or of a stream; empty for anything else."""
    value = _resolved(value)
    if hasattr(value, "get_data"):
        value = value.get_data()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return value.strip() if isinstance(value, str) else ""


def _number(value: Any) -> int:
    value = _resolved(value)
    return value if isinstance(value, int) else 0


def _resolved(value: Any) -> Any:
    """Return the object to which a reference points; None if there is none."""
    from pypdf.generic import NullObject

    value = value.get_object() if hasattr(value, "get_object") else value
    return None if isinstance(value, NullObject) else value
