"""Drawings that people can still do something with: what it takes to repeat each, and who may."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

import aiosqlite

from inference import Drawing, ImagineRequest
from storage.plain import drawing_from_json, drawing_to_json, request_from_json, request_to_json
from storage.table import PRIVATE_SECONDS, Table


@dataclass(frozen=True, slots=True)
class Origin:
    """What a drawing was made from: another one, perhaps one `picture` of it (counted from 0), and `how`."""

    drawing: str
    how: Literal["picture", "variations", "reroll", "remix"]
    picture: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A drawing as it is kept: its pictures without their pixels, which are in Discord's message.

    `owner`, `channel` and `message` are Discord's ids, `created` is in seconds since 1970.
    """

    id: str
    owner: int
    channel: int
    message: int
    created: float
    request: ImagineRequest
    drawing: Drawing
    origin: Origin | None = None


_WITH_PICTURES = """
SELECT drawings.*, images.data AS image_data, masks.data AS mask_data FROM drawings
LEFT JOIN files AS images ON images.hash = image LEFT JOIN files AS masks ON masks.hash = mask
WHERE id = ?
"""
_WITHOUT_PICTURES = "SELECT *, NULL AS image_data, NULL AS mask_data FROM drawings WHERE id = ?"
_FILES_OF = """
SELECT hash, length(data) AS size FROM files
WHERE hash IN (SELECT image FROM drawings WHERE owner = ? UNION SELECT mask FROM drawings WHERE owner = ?)
ORDER BY size
"""
_JSON = ("request", "drawing", "origin")


class Drawings(Table):
    """The table, and that of the pictures that requests carry. A picture is kept once, while a drawing needs it."""

    name = "drawings"

    async def keep(
        self,
        owner: int,
        channel: int,
        message: int,
        request: ImagineRequest,
        drawing: Drawing,
        origin: Origin | None = None,
        *,
        private: bool = False,
    ) -> Kept:
        """Keep what message `message` shows, for a day where it is `private`; the id is new."""
        kept = Kept(secrets.token_urlsafe(6), owner, channel, message, time.time(), request, drawing, origin)
        async with self._store.writing() as connection:
            await _insert(connection, kept, kept.created + PRIVATE_SECONDS if private else None)
        return kept

    async def get(self, drawing_id: str, *, pictures: bool = True) -> Kept | None:
        """The drawing, None if it was forgotten; without `pictures`, as if its request had neither image nor mask."""
        rows = await self._store.read(_WITH_PICTURES if pictures else _WITHOUT_PICTURES, (drawing_id,))
        return _kept(rows[0]) if rows else None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """All that is kept of this person's drawings, oldest first; the pictures they started from by their hashes."""
        rows = await self._store.read("SELECT * FROM drawings WHERE owner = ? ORDER BY created", (owner,))
        return [_plain(row) for row in rows]

    async def files_of(self, owner: int) -> list[tuple[str, int]]:
        """Hash and size in bytes of each picture that this person's drawings started from, smallest first."""
        rows = await self._store.read(_FILES_OF, (owner, owner))
        return [(row["hash"], row["size"]) for row in rows]

    async def file(self, name: str) -> bytes:
        """The picture with that hash, empty if it was forgotten."""
        rows = await self._store.read("SELECT data FROM files WHERE hash = ?", (name,))
        return rows[0]["data"] if rows else b""


async def _insert(connection: aiosqlite.Connection, kept: Kept, expires: float | None) -> None:
    values = {
        "id": kept.id,
        "owner": kept.owner,
        "channel": kept.channel,
        "message": kept.message,
        "created": kept.created,
        "request": request_to_json(kept.request),
        "image": await _insert_file(connection, kept.request.image),
        "mask": await _insert_file(connection, kept.request.mask),
        "drawing": drawing_to_json(kept.drawing),
        "origin": json.dumps(asdict(kept.origin)) if kept.origin else None,
        "expires": expires,
    }
    names = ", ".join(values)
    await connection.execute(
        f"INSERT INTO drawings ({names}) VALUES (:{names.replace(', ', ', :')})",
        values,
    )


async def _insert_file(connection: aiosqlite.Connection, data: bytes) -> str | None:
    """Its hash, None for no file; equal files are one row."""
    if not data:
        return None
    name = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
    await connection.execute("INSERT OR IGNORE INTO files VALUES (?, ?)", (name, data))
    return name


def _plain(row: aiosqlite.Row) -> dict[str, Any]:
    """A row with its JSON read."""
    return {name: json.loads(value) if name in _JSON and value else value for name, value in dict(row).items()}


def _kept(row: aiosqlite.Row) -> Kept:
    origin: dict[str, Any] | None = json.loads(row["origin"]) if row["origin"] else None
    return Kept(
        id=row["id"],
        owner=row["owner"],
        channel=row["channel"],
        message=row["message"],
        created=row["created"],
        request=request_from_json(row["request"], row["image_data"] or b"", row["mask_data"] or b""),
        drawing=drawing_from_json(row["drawing"]),
        origin=Origin(**origin) if origin else None,
    )
