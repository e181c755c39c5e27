"""The table of generated images that users can still work with: their parameters and owners."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from inference import ImageResult, ImagineRequest, from_json, serializable, to_json
from storage.connection import Connection
from storage.database import Database
from storage.driver import Row
from storage.table import PRIVATE_SECONDS, ExpiringTable


@serializable
@dataclass(frozen=True, slots=True)
class Lineage:
    """How an image was made from another one: its id, perhaps the number of a `picture` (from 0), and `how`."""

    image_id: str
    how: Literal["picture", "variations", "reroll", "remix", "edit", "outpainting", "enlarged"]
    picture: int | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A generated image as stored: its parameters without the pixels, which are in Discord's message.

    `owner`, `channel` and `message` are Discord's ids. `created` is in seconds since 1970.
    """

    id: str
    owner: int
    channel: int
    message: int
    created: float
    request: ImagineRequest
    result: ImageResult
    lineage: Lineage | None = None


_WITH_PICTURES = """
SELECT images.*, image_files.data AS image_data, mask_files.data AS mask_data FROM images
LEFT JOIN files AS image_files ON image_files.hash = image LEFT JOIN files AS mask_files ON mask_files.hash = mask
WHERE id = ?
"""
_WITHOUT_PICTURES = "SELECT *, NULL AS image_data, NULL AS mask_data FROM images WHERE id = ?"
_FILES_OF = """
SELECT hash, length(data) AS size FROM files
WHERE hash IN (SELECT image FROM images WHERE owner = ? UNION SELECT mask FROM images WHERE owner = ?)
ORDER BY size
"""
_OVER_BOUND = """
WITH own AS (
    SELECT hash, length(data) AS size, max(created) AS used
    FROM images JOIN files ON hash IN (image, mask) WHERE owner = ? GROUP BY hash
), ranked AS (SELECT hash, sum(size) OVER (ORDER BY used DESC, hash) AS total FROM own)
SELECT id FROM images WHERE owner = ? AND EXISTS (
    SELECT 1 FROM ranked WHERE hash IN (image, mask) AND total > ?
)
"""
_JSON = ("request", "result", "lineage")

_BYTES_PER_PERSON = 100 * 2**20
"""The most bytes of files of one person. Beyond it, the oldest images that need files are deleted."""


class ImageTable(ExpiringTable):
    """Generated images, and the files in their requests. Equal files are stored once, while an image needs them."""

    name = "images"

    def __init__(self, database: Database, bytes_per_person: int = _BYTES_PER_PERSON) -> None:
        super().__init__(database)
        self._bytes_per_person = bytes_per_person

    async def keep(
        self,
        owner: int,
        channel: int,
        message: int,
        request: ImagineRequest,
        result: ImageResult,
        lineage: Lineage | None = None,
        *,
        private: bool = False,
    ) -> StoredImage:
        """Store the result shown in `message` with a new id; for one day if it is `private`."""
        kept = StoredImage(secrets.token_urlsafe(6), owner, channel, message, time.time(), request, result, lineage)
        async with self._database.writing() as connection:
            await _insert(connection, kept, kept.created + PRIVATE_SECONDS if private else None)
            if request.image:
                bound = (owner, owner, self._bytes_per_person)
                await connection.execute(f"DELETE FROM images WHERE id IN ({_OVER_BOUND})", bound)
        return kept

    async def get(self, drawing_id: str, *, pictures: bool = True) -> StoredImage | None:
        """Return a stored image; None if it was deleted. Without `pictures`, its request has no image and mask."""
        rows = await self._database.read(_WITH_PICTURES if pictures else _WITHOUT_PICTURES, (drawing_id,))
        return _kept(rows[0]) if rows else None

    async def export_of(self, owner: int) -> list[dict[str, Any]]:
        """Return all stored data of this person's images, oldest first, with the hashes of their files."""
        rows = await self._database.read("SELECT * FROM images WHERE owner = ? ORDER BY created", (owner,))
        return [_plain(row) for row in rows]

    async def files_of(self, owner: int) -> list[tuple[str, int]]:
        """Return hash and size in bytes of each file in this person's requests, smallest first."""
        rows = await self._database.read(_FILES_OF, (owner, owner))
        return [(row["hash"], row["size"]) for row in rows]

    async def file(self, name: str) -> bytes:
        """Return the file with that hash; empty if it was deleted."""
        rows = await self._database.read("SELECT data FROM files WHERE hash = ?", (name,))
        return rows[0]["data"] if rows else b""


async def _insert(connection: Connection, kept: StoredImage, expires: float | None) -> None:
    values = {
        "id": kept.id,
        "owner": kept.owner,
        "channel": kept.channel,
        "message": kept.message,
        "created": kept.created,
        "request": to_json(replace(kept.request, image=b"", mask=b"")),
        "image": await _insert_file(connection, kept.request.image),
        "mask": await _insert_file(connection, kept.request.mask),
        "result": to_json(_without_pixels(kept.result)),
        "lineage": json.dumps(asdict(kept.lineage)) if kept.lineage else None,
        "expires": expires,
    }
    places = ", ".join("?" * len(values))
    await connection.execute(f"INSERT INTO images ({', '.join(values)}) VALUES ({places})", [*values.values()])


async def _insert_file(connection: Connection, data: bytes) -> str | None:
    """Store a file and return its hash, None if it is empty. Equal files are stored once."""
    if not data:
        return None
    name = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
    await connection.execute("INSERT INTO files VALUES (?, ?) ON CONFLICT DO NOTHING", (name, data))
    return name


def _plain(row: Row) -> dict[str, Any]:
    """Return a row as a dict, with its JSON parsed."""
    return {name: json.loads(value) if name in _JSON and value else value for name, value in dict(row).items()}


def _kept(row: Row) -> StoredImage:
    lineage: dict[str, Any] | None = json.loads(row["lineage"]) if row["lineage"] else None
    return StoredImage(
        id=row["id"],
        owner=row["owner"],
        channel=row["channel"],
        message=row["message"],
        created=row["created"],
        request=replace(
            from_json(row["request"], ImagineRequest), image=row["image_data"] or b"", mask=row["mask_data"] or b""
        ),
        result=from_json(row["result"], ImageResult),
        lineage=Lineage(**lineage) if lineage else None,
    )


def _without_pixels(result: ImageResult) -> ImageResult:
    return replace(result, pictures=tuple(replace(picture, png=b"") for picture in result.pictures))
