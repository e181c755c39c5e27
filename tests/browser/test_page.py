"""The server of the preview, with requests such as its page sends, without a browser."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import discord
import pytest
from discord.ext import commands
from simcord.actors import MemberActor
from simcord.preview._media import MediaInfo, MediaWorker

import preview
from bot import create_bot
from inference import CaptionRequest, Config
from preview import environment
from preview.engine import PreviewEngine
from preview.environment import PreviewEnv
from preview.page import PreviewPage
from preview.pictures import lake_hut
from tests.browser.conftest import SECRET, stop_preview
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def engine(config: Config, backend: FakeBackend) -> PreviewEngine:
    return PreviewEngine(config, backend)


@pytest.fixture
async def preview_page(engine: PreviewEngine) -> AsyncGenerator[PreviewPage]:
    async with preview.opened(engine, create_bot, 0, SECRET) as page:
        yield page


@pytest.fixture
async def running(preview_page: PreviewPage) -> AsyncGenerator[PreviewPage]:
    """Return the page while it is kept up to date."""
    task = asyncio.create_task(preview_page.run())
    yield preview_page
    assert not task.done(), "the preview has ended"
    await stop_preview(task)


def _compact(action: dict[str, Any]) -> str:
    """Return JSON as a browser writes it."""
    return json.dumps(action, separators=(",", ":"))


class Client:
    """Sends requests as the page in the browser does."""

    def __init__(self, session: aiohttp.ClientSession, page: dict[str, Any]) -> None:
        self._session = session
        self._page = page
        self._sequence = 0
        session.headers["X-Simcord-Context"] = page["context"]["id"]

    async def state(self) -> dict[str, Any]:
        return await self.get("state")

    async def get(self, path: str) -> dict[str, Any]:
        async with self._session.get(f"/api/{path}") as answer:
            return await answer.json()

    async def send(self, content: str) -> dict[str, Any]:
        """Send a message, and return the receipt."""
        payload = _compact(self.action("send_message", content=content))
        headers = {"Content-Type": "application/json"}
        async with self._session.post("/api/action", data=payload, headers=headers) as answer:
            return await answer.json()

    async def sees(self, content: str) -> None:
        async def is_there() -> bool:
            return any(message["content"] == content for message in (await self.state())["messages"].values())

        await until(is_there, f"the page does not show {content!r}")

    def action(self, kind: str, **fields: object) -> dict[str, Any]:
        """Return a new action, with an outdated revision."""
        self._sequence += 1
        return {
            "kind": kind,
            **fields,
            "protocol_version": 3,
            "sequence": self._sequence,
            "request_id": str(self._sequence),
            "generation": self._page["context"]["generation"],
            "bot_generation": self._page["botGeneration"],
            "published_revision": self._page["publishedRevision"] - 1,
        }

    async def upload(self, action: dict[str, Any], name: str, file: bytes) -> dict[str, Any]:
        """Run an action with a file, and return the receipt."""
        form = aiohttp.FormData()
        form.add_field("payload", _compact(action))
        form.add_field(f"file:{name}", file, filename="hut.png")
        async with self._session.post("/api/action", data=form) as answer:
            return await answer.json()


@pytest.fixture
async def client(preview_page: PreviewPage) -> AsyncGenerator[Client]:
    address, secret = preview_page.url.split("/#")
    async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": secret}) as session:
        async with session.post("/api/pages", json={}) as answer:
            page = await answer.json()
        yield Client(session, page)


@pytest.fixture
def busy_bot(preview_page: PreviewPage, engine: PreviewEngine) -> PreviewEnv:
    """Make the bot hang when it reads a message that mentions it, so that it never settles again."""

    async def hang(_: discord.Message) -> None:
        await asyncio.Event().wait()

    assert isinstance(engine.env.bot, commands.AutoShardedBot)
    engine.env.bot.add_listener(hang, "on_message")
    return engine.env


def mention(env: PreviewEnv, text: str) -> str:
    """Return a message to the bot: others don't reach it."""
    assert env.bot.user
    return f"<@{env.bot.user.id}> {text}"


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


async def test_a_command_with_a_file_is_accepted_from_an_outdated_page(client: Client, backend: FakeBackend) -> None:
    (caption,) = [entry for entry in (await client.get("commands"))["entries"] if entry["path"] == ["caption"]]
    command = {
        "command_id": caption["commandId"],
        "path": caption["path"],
        "schema_fingerprint": caption["schemaFingerprint"],
        "options": {"image": {"upload": 0}},
    }
    receipt = await client.upload(client.action("run_command", **command), "image", lake_hut())
    assert (receipt["rejected"], receipt["settlement"]) == (False, "settled")
    (request,) = backend.requests
    assert isinstance(request, CaptionRequest)
    assert request.image == lake_hut()


async def test_a_picture_is_decoded_once_for_all_pages(
    preview_page: PreviewPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = MediaWorker.validate

    async def count(worker: MediaWorker, key: str, blob: bytes, **options: Any) -> MediaInfo:
        decoded.append(key)
        return await decode(worker, key, blob, **options)

    monkeypatch.setattr(MediaWorker, "validate", count)
    address, secret = preview_page.url.split("/#")
    async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": secret}) as session:
        for _ in range(2):
            async with session.post("/api/pages", json={}) as answer:
                page = await answer.json()
            context = page["context"]["id"]
            for asset in page["assets"]:
                async with session.get(f"/api/assets/{asset}", headers={"X-Simcord-Context": context}) as answer:
                    assert answer.status == 200
            async with session.delete(f"/api/pages/{context}", headers={"X-Simcord-Context": context}) as answer:
                assert answer.status == 200
    assert decoded
    assert len(decoded) == len(set(decoded))


async def test_a_bot_that_never_settles_does_not_block_the_page(
    running: PreviewPage, client: Client, busy_bot: PreviewEnv
) -> None:
    async with asyncio.timeout(60):
        for content in (mention(busy_bot, "one"), mention(busy_bot, "two")):
            assert (await client.send(content))["settlement"] == "settled"
            await client.sees(content)


async def test_what_a_busy_bot_writes_is_shown(running: PreviewPage, client: Client, busy_bot: PreviewEnv) -> None:
    await client.send(mention(busy_bot, "one"))
    with busy_bot._bot_scope():  # pyright: ignore[reportPrivateUsage]
        (channel,) = [channel for channel in busy_bot.bot.get_all_channels() if channel.name == "general"]
        assert isinstance(channel, discord.TextChannel)
        await channel.send("two")
    await client.sees("two")


async def test_a_bot_that_is_busy_for_long_is_reported_once(
    running: PreviewPage,
    client: Client,
    busy_bot: PreviewEnv,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(environment, "_BUSY_SECONDS", 0.0)
    for number in range(4):
        await client.send(mention(busy_bot, str(number)))
    (record,) = [record for record in caplog.records if record.name.startswith("preview")]
    assert record.getMessage() == "The bot has been busy for a minute. The page shows its messages as they are."


async def test_an_error_during_an_update_is_logged_once_and_the_preview_continues(
    running: PreviewPage,
    client: Client,
    engine: PreviewEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries: list[float] = []

    async def fail(seconds: float) -> None:
        tries.append(seconds)
        raise TimeoutError("bot did not settle\nwith details")

    with monkeypatch.context() as broken:
        broken.setattr(engine.env, "advance_time", fail)
        await until(lambda: len(tries) > 2, "the page is not updated again after an error")
    (record,) = [record for record in caplog.records if record.name.startswith("preview")]
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert record.getMessage() == "The preview has a problem, and continues (TimeoutError: bot did not settle)."
    assert (await client.send("one"))["settlement"] == "settled"
    await client.sees("one")


async def test_an_action_that_failed_does_not_block_the_next_one(
    running: PreviewPage, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise TimeoutError("bot did not settle")

    def has_nothing_to_publish() -> bool:
        return running._published == running._content()  # pyright: ignore[reportPrivateUsage]

    await until(has_nothing_to_publish, "the page is not published")
    with monkeypatch.context() as broken:
        broken.setattr(MemberActor, "send", fail)
        assert (await client.send("one"))["settlement"] == "timeout"

    async def is_current() -> bool:
        return (await client.state())["status"] == "current"

    await until(is_current, "the page accepts no action after one that failed")
    assert (await client.send("two"))["settlement"] == "settled"


async def test_an_error_in_a_request_is_logged_in_one_line(
    preview_page: PreviewPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(PreviewPage, "_run_menu", fail)
    address, secret = preview_page.url.split("/#")
    async with aiohttp.ClientSession(address, headers={"X-Simcord-Capability": secret}) as session:
        (viewer, _) = preview_page._fixtures.viewers  # pyright: ignore[reportPrivateUsage]
        menu = {"viewer": str(viewer.id), "name": "Summarize", "message": "1", "context": ""}
        async with session.post("/api/inkling/menu", json=menu) as answer:
            assert answer.status == 500
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.exc_info, "RuntimeError: broken" in record.getMessage()) == (None, True)
