"""The page in a real browser when its preview ends, comes back, or is busy."""

from __future__ import annotations

import asyncio

import discord
import pytest
from discord.ext import commands
from playwright.async_api import Locator, Page, expect

import preview
from bot import create_bot
from inference import Config, PartialText
from preview.engine import PreviewEngine
from tests.browser.conftest import SECRET, Open, stop_preview
from tests.browser.driver import Driver
from tests.browser.test_preview import ManualBackend
from tests.fakes import FakeBackend

ENDED = "The preview has ended. Start it again with make run: this page then continues by itself."


@pytest.fixture
def notice(page: Page) -> Locator:
    return page.get_by_role("alert").and_(page.locator(".inkling-notice"))


async def test_the_page_says_that_the_preview_has_ended_and_continues_with_the_next_one(
    config: Config, page: Page, notice: Locator
) -> None:
    person = Driver(page)
    async with preview.opened(PreviewEngine(config, FakeBackend()), create_bot, 0, SECRET) as first:
        url = first.url
        await person.open(url)
        await expect(notice).to_be_hidden()
    await expect(notice).to_have_text(ENDED)
    port = int(url.split(":")[2].split("/")[0])
    async with preview.opened(PreviewEngine(config, FakeBackend()), create_bot, port, SECRET) as second:
        assert second.url == url
        running = asyncio.create_task(second.run())
        await expect(notice).to_be_hidden()
        note = page.get_by_text("The preview was started again. Its messages from before are gone.")
        await expect(note).to_be_visible()
        await page.get_by_role("button", name="Close this note").click()
        await expect(note).to_be_hidden()
        await person.slash("fill", text="I am a [MASK] model")
        await person.sees("role")
        await stop_preview(running)


async def test_when_the_preview_has_ended_its_work_has_ended_and_nothing_can_be_sent(
    config: Config, page: Page, notice: Locator
) -> None:
    backend = ManualBackend()
    async with preview.opened(PreviewEngine(config, backend), create_bot, 0, SECRET) as preview_page:
        running = asyncio.create_task(preview_page.run())
        person = Driver(page)
        await person.open(preview_page.url)
        await person.slash("complete", prompt="The lighthouse")
        backend.emit(PartialText(" and the keeper"))
        await person.sees("The lighthouse and the keeper")
        assert len((await person.next_status())["running"]) == 1
        await stop_preview(running)
    await expect(notice).to_have_text(ENDED)
    await person.sees("This work has ended with the preview.")
    for control in (page.locator("#channel-composer"), person.messages.last.locator(".message-components")):
        await expect(control).to_have_attribute("inert", "")


async def test_a_page_opened_for_the_first_time_says_nothing_about_an_earlier_start(
    open_preview: Open, page: Page
) -> None:
    await open_preview(FakeBackend())
    await page.reload()
    await expect(page.get_by_label("Channels")).to_be_visible()
    await expect(page.get_by_text("The preview was started again.")).to_have_count(0)


async def test_a_page_that_was_cut_off_for_a_while_keeps_what_was_typed(open_preview: Open, notice: Locator) -> None:
    person = await open_preview(FakeBackend())
    await person.composer.fill("half a sentence")
    await person.page.context.set_offline(True)
    await expect(notice).to_have_text(ENDED)
    await person.page.context.set_offline(False)
    await expect(notice).to_be_hidden()
    await expect(person.composer).to_have_value("half a sentence")
    await person.composer.press("Enter")
    await person.sees("half a sentence")


async def test_a_press_that_got_lost_does_not_block_the_page(open_preview: Open, notice: Locator) -> None:
    person = await open_preview(FakeBackend())
    await person.page.route("**/api/action", lambda route: route.abort())
    await person.composer.fill("lost")
    await person.composer.press("Enter")
    await person.page.wait_for_function("() => simcordPreview.transport.uncertainRequestId", polling=100)
    await person.page.unroute("**/api/action")
    found_its_way = "() => window.simcordPreview?.authorized && !simcordPreview.transport.uncertainRequestId"
    await person.page.wait_for_function(found_its_way, polling=100)
    await person.slash("fill", text="I am a [MASK] model")
    await person.sees("role")


async def test_a_wrong_link_is_explained(open_preview: Open, page: Page, notice: Locator) -> None:
    person = await open_preview(FakeBackend())
    await page.goto(person.page.url.replace(SECRET, "wrong"))
    await expect(notice).to_have_text("This link is not valid. Open the link that make run has printed.")


async def test_buttons_work_while_the_bot_is_busy(config: Config, page: Page) -> None:
    backend = ManualBackend()
    models = config.models | {"chat": ()}
    engine = PreviewEngine(config.model_copy(update={"models": models}), backend)
    async with preview.opened(engine, create_bot, 0, SECRET) as preview_page:
        running = asyncio.create_task(preview_page.run())
        person = Driver(page)
        await person.open(preview_page.url)
        hanging = asyncio.Event()

        async def hang(_: discord.Message) -> None:
            hanging.set()
            await asyncio.Event().wait()

        assert isinstance(engine.env.bot, commands.AutoShardedBot)
        engine.env.bot.add_listener(hang, "on_message")
        await person.composer.fill("@Inkling Hello")
        await person.composer.press("Enter")
        await person.sees("I don't know Hello.")
        await hanging.wait()
        await person.slash("complete", prompt="The lighthouse")
        backend.emit(PartialText(" and the keeper"))
        await person.sees("The lighthouse and the keeper")
        await person.press("Stop")
        await person.sees("stopped")
        await stop_preview(running)
