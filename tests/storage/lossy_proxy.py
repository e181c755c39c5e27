"""Connections to a Postgres server that are lost at a moment that a test chooses."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_SOCKET = ".s.PGSQL.5432"


@dataclass
class LossyProxy:
    """A socket in `folder` that passes everything to the server's own, up to the next COMMIT if `lost` says so."""

    folder: Path
    server: Path
    lost: Literal["", "before the commit", "after the commit"] = ""

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(str(self.server / _SOCKET))
        answers = asyncio.create_task(_pass_on(from_server, writer))
        try:
            while data := await reader.read(1 << 16):
                if b"COMMIT" in data and self.lost:
                    answers.cancel()
                    await asyncio.wait([answers])
                    when, self.lost = self.lost, ""
                    if when == "after the commit":
                        to_server.write(data)
                        assert await from_server.read(1 << 16), "the answer, which is lost"
                    break
                to_server.write(data)
        finally:
            answers.cancel()
            for end in (to_server, writer):
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)


@asynccontextmanager
async def lossy_proxy(server: Path) -> AsyncGenerator[LossyProxy]:
    """Run a proxy for the server whose socket is in the folder `server`."""
    proxy = LossyProxy(Path(tempfile.mkdtemp(prefix="pg-")), server)
    listening = await asyncio.start_unix_server(proxy.connect, str(proxy.folder / _SOCKET))
    try:
        async with listening:
            yield proxy
    finally:
        shutil.rmtree(proxy.folder)
