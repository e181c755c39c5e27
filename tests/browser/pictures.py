"""Take the pictures for the README with the models of the starter: `python -m tests.browser.pictures`."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright, expect

import preview
from bot import create_bot
from cogs.imagine.question_rendering import PICK
from inference import create_backend, load_config
from preview.engine import PreviewEngine
from preview.pictures import lake_hut
from starter.smollm2 import prepare
from tests.browser.conftest import FLAGS, find_chromium
from tests.browser.driver import Driver

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / "docs" / "pictures"


async def main() -> None:
    """Take pictures of running commands, the list of commands, the region picker, the studio, and a conversation."""
    config = load_config(_ROOT / "starter" / "config.yaml")
    await asyncio.to_thread(prepare, config.data)
    engine = PreviewEngine(config, create_backend(config))
    async with async_playwright() as playwright, preview.opened(engine, create_bot, 0, "picture") as preview_page:
        running = asyncio.create_task(preview_page.run())
        path = find_chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1200, "height": 760})
        person = Driver(page)
        await person.open(preview_page.url)
        await _show_work(person)
        await _save_screenshot(page, "at-work.png")
        await person.composer.fill("/")
        await expect(page.locator(".command-entry").first).to_be_visible()
        await _save_screenshot(page, "commands.png")
        await _choose_region(person)
        await _save_screenshot(page, "region.png")
        await _vary_and_remix(person)
        await _save_screenshot(page, "studio.png")
        await _talk_in_a_thread(person)
        await _save_screenshot(page, "conversation.png")
        await browser.close()
        running.cancel()


async def _show_work(person: Driver) -> None:
    await person.slash("complete", prompt="Suggest a name for a small boat", length="40", seed="7")
    await person.sees("seed 7", seconds=300)
    await person.slash("ask", question="Who brings the tent for the children?", messages="12")
    await person.sees("tent", seconds=300)
    await person.slash("imagine", prompt="red apple", seed="2")
    await person.sees("seed 2", seconds=300)
    await expect(person.messages.last.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    before = await person.messages.count()
    await person.menu("red apple", "Caption image")
    await expect(person.messages).to_have_count(before + 1)
    await person.sees("apple", seconds=60)
    await person.messages.last.scroll_into_view_if_needed()
    await person.page.mouse.move(0, 0)


async def _choose_region(person: Driver) -> None:
    await person.start_command("imagine")
    await person.option("prompt", "a sailing boat on the lake")
    await person.option("image", None)
    await person.attach("image", "hut.png", lake_hut())
    await person.option("region", PICK)
    await person.send()
    for cell in ("8", "9"):
        await person.press(cell)
        overlay = person.messages.last.get_by_alt_text(re.compile(f"Chosen: cells.*{cell}"))
        await expect(overlay).to_have_js_property("naturalWidth", 480, timeout=20_000)


async def _vary_and_remix(person: Driver) -> None:
    """Draw a grid of four pictures, vary one of them, and remix a variation in another colour."""
    await person.page.get_by_role("button", name="Cancel").last.click()
    await person.slash("imagine", prompt="red heart", count="4", seed="7")
    await _press(person, "V2", after="seeds 7 to 10")
    await _press(person, "U1", after="Variations of")
    await _press(person, "Remix", after="Picture 1 of")
    form = person.page.get_by_role("dialog").last
    await form.locator("textarea").first.fill("blue heart")
    await person.submit(form)
    await person.sees("Remix of", seconds=60)
    await person.page.mouse.move(0, 0)


async def _talk_in_a_thread(person: Driver) -> None:
    """Have a picture drawn in a thread, ask about it in a reply to it, and say something more, without mentions."""
    await person.page.set_viewport_size({"width": 1200, "height": 1040})
    await person.slash("chat", topic="A boat trip")
    await person.message("Let's talk in").get_by_role("link", name="#A boat trip").click()
    await expect(person.page.locator("#channel-name")).to_have_text("A boat trip")
    await person.sees("I answer every message here.")
    await person.slash("imagine", prompt="red apple", seed="2")
    await person.sees("seed 2", seconds=60)
    await expect(person.messages.last.locator(".attachment-image[src]")).to_be_visible()
    await person.reply("seed 2", "What is in this picture?")
    await _sees_answers(person, 1)
    await person.type("What is a good name for a boat?")
    await person.enter()
    await _sees_answers(person, 2)
    await person.page.mouse.move(0, 0)


async def _sees_answers(person: Driver, count: int) -> None:
    await expect(person.page.get_by_role("button", name="Try another")).to_have_count(count, timeout=300_000)


async def _press(person: Driver, button: str, after: str) -> None:
    await person.sees(after, seconds=60)
    await person.press(button)


async def _save_screenshot(page: Page, name: str) -> None:
    """Save a screenshot of the page."""
    await page.wait_for_timeout(1000)
    picture = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    picture.save(_FOLDER / name, optimize=True)


if __name__ == "__main__":
    asyncio.run(main())
