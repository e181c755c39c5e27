"""All that is kept of a person, as one file."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

from storage import Store

_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
"""How files begin, and what their names then end with."""

_ROOM = 1024
"""Bytes that the archive itself takes for one file, and more."""


async def archive(store: Store, person: int, answers: list[dict[str, Any]], most: int) -> tuple[bytes, int]:
    """A ZIP file of at most `most` bytes, and how many pictures found no place in it.

    `kept.json` has everything; a picture that a drawing started from is named by its hash there, and lies beside it
    under `pictures`. `answers` is what is in memory. Raises StorageError.
    """
    kept = {"person": person, **await store.export(person), "answers": answers}
    file = io.BytesIO()
    await asyncio.to_thread(_add, file, "kept.json", json.dumps(kept, ensure_ascii=False, indent=1).encode())
    names = await store.drawings.files_of(person)
    for done, (name, size) in enumerate(names):
        if file.tell() + size + _ROOM > most:
            return file.getvalue(), len(names) - done  # the smallest came first
        data = await store.drawings.file(name)
        await asyncio.to_thread(_add, file, f"pictures/{name}.{_kind(data)}", data)
    return file.getvalue(), 0


def _add(file: io.BytesIO, name: str, data: bytes) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)


def _kind(data: bytes) -> str:
    return next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), "bin")
