"""All that is kept of a person, as one file."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime
from typing import Any, cast

from cogs.privacy.texts import readme
from inference import InvalidRequest
from storage import Store

_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
"""How files begin, and what their names then end with."""

_DATES = ("created", "expires")

_ROOM = 1024
"""Bytes that the archive itself takes for one file, and more."""


async def archive(store: Store, person: int, answers: list[dict[str, Any]], most: int) -> tuple[bytes, int]:
    """A ZIP file of at most `most` bytes, and how many pictures found no place in it.

    `README.txt` tells what is in it. `kept.json` has everything; a picture that a drawing started from is named by its
    hash there, and lies beside it under `pictures`. `answers` is what is in memory. Raises StorageError, or
    InvalidRequest where there is more than `most` even without pictures.
    """
    kept = {"person": person, **await store.export(person), "answers": answers}
    file = io.BytesIO()
    await asyncio.to_thread(_add, file, "README.txt", readme().encode())
    await asyncio.to_thread(_add_data, file, "kept.json", kept)
    if file.tell() > most:
        raise InvalidRequest(
            "What is kept of you takes more than the {most} MB that Discord takes as a file here. Ask the bot's "
            "operator for it.",
            most=most // 10**6,
        )
    names = await store.images.files_of(person)
    for done, (name, size) in enumerate(names):
        if file.tell() + size + _ROOM > most:
            return file.getvalue(), len(names) - done  # the smallest came first
        data = await store.images.file(name)
        await asyncio.to_thread(_add, file, f"pictures/{name}.{_kind(data)}", data)
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


def _kind(data: bytes) -> str:
    return next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), "bin")
