"""Fixtures that open the preview in Chromium."""

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

SECRET = "secret"
"""The secret part of the link of the previews."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


class Open(Protocol):
    """Open the preview of a bot on `backend`, with the settings `other` or those of the starter."""

    def __call__(self, backend: Backend, other: Config | None = None) -> Awaitable[Driver]: ...


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return the settings of the starter with a temporary data folder."""
    settings = load_config(Path(preview.__file__).parent.parent / "starter" / "config.yaml")
    return settings.model_copy(update={"data": tmp_path})


def find_chromium(default_path: str) -> str:
    """Return the path of Chromium. Skip the test if it is not installed."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or default_path
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


async def stop_preview(running: asyncio.Task[None]) -> None:
    """Stop the preview. Raise the error that ended it, which the page does not show."""
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
async def open_preview(config: Config, page: Page) -> AsyncGenerator[Open]:
    """Return a function: `await open_preview(backend)` opens the preview of a bot on `backend`."""
    async with AsyncExitStack() as stack:

        async def opened(backend: Backend, other: Config | None = None) -> Driver:
            engine = PreviewEngine(other or config, backend)
            preview_page = await stack.enter_async_context(preview.opened(engine, create_bot, 0, SECRET))
            stack.push_async_callback(stop_preview, asyncio.create_task(preview_page.run()))
            driver = Driver(page)
            await driver.open(preview_page.url)
            return driver

        yield opened
