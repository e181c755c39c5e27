"""All that is kept of a person, as one file."""

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
"""How files begin, and what their names then end with."""

_DATES = ("created", "expires")

_ROOM = 1024
"""Bytes that the archive itself takes for one file, and more."""


async def archive(kinds: Sequence[PersonalData], person: int, most: int) -> tuple[bytes, int]:
    """Return a ZIP file of at most `most` bytes, and how many pictures found no place in it.

    `README.txt` tells what is in it. `kept.json` has everything; the pictures that it names lie beside it under
    `pictures`. Raise StorageError, or InvalidRequest where there is more than `most` even without pictures.
    """
    exported = {"person": person} | {data.name: await data.export(person) for data in kinds}
    file = io.BytesIO()
    await asyncio.to_thread(_add, file, "README.txt", readme().encode())
    await asyncio.to_thread(_add_data, file, "kept.json", exported)
    if file.tell() > most:
        raise InvalidRequest(
            "What is kept of you takes more than the {most} MB that Discord takes as a file here. Ask the bot's "
            "operator for it.",
            most=most // 10**6,
        )
    pictures = sorted([each for data in kinds for each in await data.pictures(person)], key=lambda each: each.size)
    for done, picture in enumerate(pictures):
        if file.tell() + picture.size + _ROOM > most:
            return file.getvalue(), len(pictures) - done  # the smallest came first
        content = await picture.read()
        await asyncio.to_thread(_add, file, f"pictures/{picture.name}.{_extension(content)}", content)
    return file.getvalue(), 0


def _add_data(file: io.BytesIO, name: str, data: dict[str, Any]) -> None:
    _add(file, name, json.dumps(_readable(data), ensure_ascii=False, indent=1).encode())


def _readable(data: Any) -> Any:
    """With dates as dates: what is kept has seconds since 1970."""
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
