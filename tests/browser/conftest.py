"""A Chromium, and the preview in it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Page, async_playwright

import preview
from bot import create_bot
from inference import Backend, Config, load_config
from preview.engine import PreviewEngine
from tests.browser.driver import Driver

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


class Open(Protocol):
    """Shows the bot on `backend` in the browser, with other settings than the starter's if they are given."""

    def __call__(self, backend: Backend, other: Config | None = None) -> Awaitable[Driver]: ...


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The starter's settings, with a data folder of the test's own."""
    settings = load_config(Path(preview.__file__).parent.parent / "starter" / "config.yaml")
    return settings.model_copy(update={"data": tmp_path})


def find_chromium(playwrights_own: str) -> str:
    """The path of a Chromium; skips the test where there is none."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or playwrights_own
    if not Path(path).exists():
        pytest.skip("there is no Chromium: install the package chromium, or name one in CHROMIUM")
    return path


@pytest.fixture
async def page() -> AsyncGenerator[Page]:
    async with async_playwright() as playwright:
        path = find_chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield await browser.new_page(viewport={"width": 1280, "height": 860})
        await browser.close()


async def end(running: asyncio.Task[None]) -> None:
    """Raises what the preview has died of: its page stands still from then on, and tells nothing."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def open_preview(config: Config, page: Page) -> AsyncGenerator[Open]:
    """`await open_preview(backend)` shows the bot on `backend` in the browser."""
    async with AsyncExitStack() as stack:

        async def opened(backend: Backend, other: Config | None = None) -> Driver:
            engine = PreviewEngine(other or config, backend)
            house = await stack.enter_async_context(preview.opened(engine, create_bot, 0))
            stack.push_async_callback(end, asyncio.create_task(house.run()))
            driver = Driver(page)
            await driver.open(house.url)
            return driver

        yield opened
