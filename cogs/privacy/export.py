"""Export of all data stored about a person, as one file."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from cogs.common.personal_data import PersonalData
from cogs.privacy.texts import readme
from inference import InvalidRequest

_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
"""The first bytes of files, and the extensions for them."""

_DATES = ("created", "expires")

_ROOM = 1024
"""The most bytes that the archive itself needs for one file."""


async def archive(kinds: Sequence[PersonalData], person: int, limit: int) -> tuple[bytes, int]:
    """Return a ZIP file of at most `limit` bytes, and the number of pictures left out.

    `README.txt` describes the content. `kept.json` has all data; the pictures that it names are in the folder
    `pictures`. Raise StorageError, or InvalidRequest if it is larger than `limit` even without pictures.
    """
    exported = {"person": person} | {data.name: await data.export(person) for data in kinds}
    file = io.BytesIO()
    await asyncio.to_thread(_add, file, "README.txt", readme().encode())
    await asyncio.to_thread(_add_data, file, "kept.json", exported)
    if file.tell() > limit:
        raise InvalidRequest(
            "What is kept of you takes more than the {most} MB that Discord takes as a file here. Ask the bot's "
            "operator for it.",
            most=limit // 10**6,
        )
    pictures = sorted([each for data in kinds for each in await data.pictures(person)], key=lambda each: each.size)
    for done, picture in enumerate(pictures):
        if file.tell() + picture.size + _ROOM > limit:
            return file.getvalue(), len(pictures) - done  # the smallest came first
        content = await picture.read()
        await asyncio.to_thread(_add, file, f"pictures/{picture.name}.{_extension(content)}", content)
    return file.getvalue(), 0


def _add_data(file: io.BytesIO, name: str, data: dict[str, Any]) -> None:
    _add(file, name, json.dumps(_readable(data), ensure_ascii=False, indent=1).encode())


def _readable(data: Any) -> Any:
    """Return the data with ISO dates instead of seconds since 1970."""
    if isinstance(data, list):
        return [_readable(each) for each in cast(list[Any], data)]
    if not isinstance(data, dict):
        return data
    rows = cast(dict[str, Any], data).items()
    return {name: _date(value) if name in _DATES and value else _readable(value) for name, value in rows}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _add(file: io.BytesIO, name: str, data: bytes) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


def _extension(data: bytes) -> str:
    return next((extension for start, extension in _SIGNATURES.items() if data.startswith(start)), "bin")
