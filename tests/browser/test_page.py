"""The server of the preview, with requests such as its page sends, without a browser."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator

import aiohttp
import pytest

import preview
from bot import create_bot
from inference import CaptionRequest, Config
from preview.engine import PreviewEngine
from preview.page import PreviewPage
from preview.pictures import lake_hut
from tests.browser.conftest import stop_preview
from tests.fakes import FakeBackend


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def engine(config: Config, backend: FakeBackend) -> PreviewEngine:
    return PreviewEngine(config, backend)


@pytest.fixture
async def preview_page(engine: PreviewEngine) -> AsyncGenerator[PreviewPage]:
    async with preview.opened(engine, create_bot, 0) as page:
        yield page


async def test_a_timer_of_the_bot_and_the_polling_of_the_page_may_be_due_together(
    preview_page: PreviewPage, engine: PreviewEngine
) -> None:
    due = asyncio.Event()
    running = asyncio.create_task(preview_page.run())
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    with engine.env._bot_scope():  # pyright: ignore[reportPrivateUsage]
        loop.call_later(0.55, due.set)
    loop.call_soon(time.sleep, 0.6)  # simulates a machine so busy that both are late
    try:
        async with asyncio.timeout(30):
            await due.wait()
    finally:
        await stop_preview(running)


async def test_a_command_with_a_file_is_accepted_from_an_outdated_page(
    preview_page: PreviewPage, backend: FakeBackend
) -> None:
    address, capability = preview_page.url.split("/#")
    async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": capability}) as client:
        async with client.post("/api/pages", json={}) as answer:
            page = await answer.json()
        client.headers["X-Simcord-Context"] = page["context"]["id"]
        async with client.get("/api/commands") as answer:
            (caption,) = [entry for entry in (await answer.json())["entries"] if entry["path"] == ["caption"]]
        action = {
            "kind": "run_command",
            "command_id": caption["commandId"],
            "path": caption["path"],
            "schema_fingerprint": caption["schemaFingerprint"],
            "options": {"image": {"upload": 0}},
            "protocol_version": 3,
            "sequence": 1,
            "request_id": "1",
            "generation": page["context"]["generation"],
            "bot_generation": page["botGeneration"],
            "published_revision": page["publishedRevision"] - 1,
        }
        form = aiohttp.FormData()
        form.add_field("payload", json.dumps(action, separators=(",", ":")))
        form.add_field("file:image", lake_hut(), filename="hut.png")
        async with client.post("/api/action", data=form) as answer:
            receipt = await answer.json()
    assert (receipt["rejected"], receipt["settlement"]) == (False, "settled")
    (request,) = backend.requests
    assert isinstance(request, CaptionRequest)
    assert request.image == lake_hut()
