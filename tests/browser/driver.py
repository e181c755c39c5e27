"""A driver that uses the page of the preview as a person would, in a real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from playwright.async_api import Error, Locator, Page, expect

LIMIT = 120.0
"""Time limit in seconds for anything to appear, long enough for a busy machine."""

_RETRY_SECONDS = 3.0
"""Seconds after which a click that changes only the page is repeated."""

_TRIES = 20

_IDLE = "simcordPreview.authorized && !simcordPreview.pendingAction && simcordPreview.awaitingRevision === null"
"""The page has rendered the newest state. Before that, it silently drops actions."""

_COMMANDS_LISTED = "simcordPreview.commandPicker.catalog.state === 'ready'"

_RECORDER = """
window.sentActions = [];
const fetchForPage = window.fetch;
window.fetch = (path, options) => {
  const answer = fetchForPage(path, options);
  if (path === "/api/action") {
    const { body } = options;
    const { kind } = JSON.parse(body instanceof FormData ? body.get("payload") : body);
    sentActions.push({ kind, receipt: answer.then((response) => response.clone().json()) });
  }
  return answer;
};
"""
"""Records the actions that the page has sent, and their receipts."""

_PERSON_ACTIONS = ["click", "select", "modal_submit", "run_command", "send_message"]
_RECEIPT = "([before, kinds]) => sentActions.slice(before).find(({ kind }) => kinds.includes(kind))?.receipt ?? null"
_STALE = {"stale-context", "stale-generation", "stale-revision", "stale-sequence", "sequence-gap", "busy"}
"""SimCord's reasons to reject an action because the page was outdated; the action can be repeated."""


class Driver:
    """A driver of the page that types, clicks and reads. `messages` are those of the channel, oldest first.

    The page renders again whenever the bot writes, and a click at that moment may be lost. So each action is repeated
    until its result is visible.
    """

    def __init__(self, page: Page) -> None:
        page.set_default_timeout(LIMIT * 1000)
        expect.set_options(timeout=LIMIT * 1000)
        self.page = page
        self.messages = page.locator("#channel-message-list > article")
        self.composer = page.locator("#channel-composer-input")

    async def open(self, url: str) -> None:
        await self.page.add_init_script(_RECORDER)
        await self.page.goto(url)
        await expect(self.page.locator("#preview-app")).to_have_attribute("aria-busy", "false")
        await expect(self.page.get_by_label("Channels")).to_be_visible()

    async def slash(self, name: str, **options: str) -> None:
        """Pick a command from the list, fill in its options, and send it."""
        await self.start_command(name)
        for option, value in options.items():
            await self.option(option, value)
        await self.send()

    async def start_command(self, name: str) -> None:
        """Pick a command from the list, to fill in its options one by one."""
        entry = self.page.locator(".command-entry").filter(has_text=re.compile(rf"/{name}(?![a-z-])")).first

        async def pick() -> None:
            await self._wait_for(f"{_IDLE} && {_COMMANDS_LISTED}")
            await self.composer.fill(f"/{name}")
            await entry.click(timeout=_RETRY_SECONDS * 1000)

        await self._repeat_until_present(self.page.locator(".command-chip"), pick)

    async def send(self) -> None:
        """Send the current command."""
        await self._perform(self.page.locator("#send-message").click)

    async def type(self, text: str) -> None:
        """Type into the composer, key by key; the focus may move to other fields while typing."""
        await self._wait_for(f"{_IDLE} && {_COMMANDS_LISTED}")
        await self.composer.click()
        await self.page.keyboard.type(text)

    async def enter(self) -> None:
        """Send what was typed with the key Enter."""
        await self._perform(lambda: self.page.keyboard.press("Enter"))

    async def option(self, option: str, value: str | None) -> None:
        """Add an option to the current command, and fill it in unless it is a file."""

        async def add() -> None:
            await self.page.locator(".command-ghost").click(timeout=_RETRY_SECONDS * 1000)
            await self.page.locator(f'.command-suggestion[data-value="{option}"]').click(timeout=_RETRY_SECONDS * 1000)

        await self._repeat_until_present(self.page.locator(f'.command-pill[data-option="{option}"]'), add)
        if value is not None:
            await self.page.locator(f'.command-option-input[data-option="{option}"]').fill(value)

    async def attach(self, option: str, name: str, content: bytes) -> None:
        """Choose a file for an option of the current command."""
        file = self.page.locator(f'.command-file-input[data-option="{option}"]')
        chosen = self.page.locator(f'.command-file-choose[data-option="{option}"]', has_text=name)
        await self._repeat_until_present(
            chosen, lambda: file.set_input_files({"name": name, "mimeType": "", "buffer": content})
        )

    async def press(self, button: str, message: Locator | None = None) -> None:
        """Press a button of `message`, or of the last message."""
        await self._perform((message or self.messages.last).get_by_role("button", name=button, exact=True).click)

    async def submit(self, form: Locator) -> None:
        await self._perform(form.get_by_role("button", name="Submit").click)

    async def menu(self, text: str, name: str) -> None:
        """Run a message menu on the first message that contains `text`."""
        entry = self.page.get_by_role("menuitem", name=name, exact=True)
        await self._repeat_until_present(entry, lambda: self._click_toolbar_button(text, "Apps"))
        await entry.click()

    async def reply(self, text: str, words: str) -> None:
        """Reply to the first message that contains `text`."""
        await self._repeat_until_present(
            self.page.locator("#reply-context:visible"), lambda: self._click_toolbar_button(text, "Reply")
        )

        async def write() -> None:
            await self.composer.fill(words)
            await self.composer.press("Enter")

        await self._perform(write)

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text).first

    async def sees(self, text: str | re.Pattern[str], seconds: float = LIMIT) -> None:
        """Wait until the last message contains `text`."""
        await expect(self.messages.last).to_contain_text(text, timeout=seconds * 1000)

    async def next_status(self) -> dict[str, Any]:
        """Return what the server tells the page next; the page asks every second."""
        async with self.page.expect_response("**/api/inkling/status") as answer:
            pass
        return await (await answer.value).json()

    async def wait_until_idle(self, seconds: float) -> None:
        """Wait until the page has not changed for `seconds`."""
        revision, before = "simcordPreview.publishedRevision", None
        async with asyncio.timeout(LIMIT):
            while before != (before := await self.page.evaluate(revision)):
                await self.page.wait_for_timeout(seconds * 1000)

    async def _click_toolbar_button(self, text: str, button: str) -> None:
        """Click a button that is visible while the mouse is over a message."""
        message = self.message(text)
        await message.hover(timeout=_RETRY_SECONDS * 1000)
        await message.get_by_role("button", name=button).click(timeout=_RETRY_SECONDS * 1000)

    async def _wait_for(self, state: str) -> None:
        # A function, since the page's Content Security Policy forbids to evaluate an expression again and again.
        await self.page.wait_for_function(f"() => {state}", polling=100)

    async def _repeat_until_present(self, outcome: Locator, do: Callable[[], Awaitable[None]]) -> None:
        """Repeat an action that changes only the page until `outcome` is present."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LIMIT):
                while not await outcome.count():
                    with suppress(Error):
                        await do()
        await expect(outcome.first).to_be_attached(timeout=_RETRY_SECONDS * 1000)

    async def _perform(self, do: Callable[[], Awaitable[None]]) -> None:
        """Repeat an action that SimCord has to answer until the page has sent it and SimCord has accepted it."""
        for _ in range(_TRIES):
            await self._wait_for(_IDLE)
            before = await self.page.evaluate("sentActions.length")
            await do()
            receipt: dict[str, Any] | None = await self.page.evaluate(_RECEIPT, [before, _PERSON_ACTIONS])
            if receipt and not (receipt["rejected"] and _STALE & {item["code"] for item in receipt["diagnostics"]}):
                assert receipt["settlement"] == "settled", receipt
                return
        raise AssertionError("the page does not send this action, or SimCord does not accept it")
