"""Rows of Postgres that can be used like those of SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from psycopg import Cursor
from psycopg.rows import RowMaker


class PostgresRow:
    """A row: its values in order, or by the names of their columns."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[str, int], values: Sequence[Any]) -> None:
        self._places = places
        self._values = values

    def keys(self) -> Iterable[str]:
        return self._places.keys()

    def __getitem__(self, column: int | str, /) -> Any:
        return self._values[column if isinstance(column, int) else self._places[column]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)


def row_factory(cursor: Cursor[Any]) -> RowMaker[PostgresRow]:
    """Return what makes the rows of this cursor."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: PostgresRow(places, values)
