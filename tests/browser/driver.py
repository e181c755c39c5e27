"""What a person does in the preview's page, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect


class Driver:
    """Types, clicks and reads. `messages` are the channel's, oldest first."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.locator("#channel-message-list > article")
        self.composer = page.locator("#channel-composer-input")

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await expect(self.page.locator("#preview-app")).to_have_attribute("aria-busy", "false")
        await expect(self.page.get_by_label("Channels")).to_be_visible()

    async def slash(self, name: str, **options: str) -> None:
        """Pick a command from the list, fill in its options, send it."""
        await self.begin(name)
        for option, value in options.items():
            await self.option(option, value)
        await self.send()

    async def begin(self, name: str) -> None:
        """Pick a command from the list, to fill in its options one by one."""
        await self.composer.fill(f"/{name}")
        await self.page.locator(".command-entry").filter(has_text=re.compile(rf"/{name}(?![a-z-])")).first.click()

    async def send(self) -> None:
        """Send the command that is being written."""
        await self.page.locator("#send-message").click()

    async def option(self, option: str, value: str | None) -> None:
        """Add an option to the command that is being written, and fill it in unless it is a file."""
        field = self.page.locator(f'.command-option-input[data-option="{option}"]')
        if not await field.count():
            await self.page.locator(".command-ghost").click()
            await self.page.locator(f'.command-suggestion[data-value="{option}"]').click()
        if value is not None:
            await field.fill(value)

    async def attach(self, option: str, name: str, content: bytes) -> None:
        """Choose a file for an option of the command that is being written."""
        file = self.page.locator(f'.command-file-input[data-option="{option}"]')
        await file.set_input_files({"name": name, "mimeType": "", "buffer": content})

    async def menu(self, text: str, name: str) -> None:
        """Run a message menu on the first message that holds `text`."""
        message = self.message(text)
        await message.hover()
        await message.get_by_role("button", name="Apps").click()
        await self.page.get_by_role("menuitem", name=name, exact=True).click()

    async def reply(self, text: str, words: str) -> None:
        """Reply to the first message that holds `text`."""
        message = self.message(text)
        await message.hover()
        await message.get_by_role("button", name="Reply").click()
        await self.composer.fill(words)
        await self.composer.press("Enter")

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text).first

    async def sees(self, text: str | re.Pattern[str], seconds: float = 10) -> None:
        """Wait until the last message holds `text`."""
        await expect(self.messages.last).to_contain_text(text, timeout=seconds * 1000)
