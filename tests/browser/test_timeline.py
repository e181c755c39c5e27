"""The list of messages: what is in sight, how links look, and the menu of a message on a phone."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from inference import CaptionRequest
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.fakes import FakeBackend

AT_END = """() => {
  const timeline = document.getElementById("channel-timeline");
  return timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight <= 1;
}"""


async def open_another(page: Page, **device: Any) -> Driver:
    """Open the same preview in another browser window."""
    assert page.context.browser is not None
    person = Driver(await page.context.browser.new_page(**device))
    await person.open(page.url)
    return person


async def scroll_up(person: Driver) -> None:
    await person.page.locator("#channel-timeline").hover()
    await person.page.mouse.wheel(0, -10_000)
    await person.page.wait_for_function("() => document.getElementById('channel-timeline').scrollTop === 0")


async def fill_channel(person: Driver) -> None:
    """Write more than fits on three screens."""
    for number in (1, 2):
        await person.composer.fill("\n".join(f"line {number}.{line}" for line in range(60)))
        await person.enter()
        await person.sees(f"line {number}.59")


async def test_the_page_opens_at_the_newest_message(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await fill_channel(person)
    await page.reload()
    await person.sees("line 2.59")
    await page.wait_for_function(AT_END)


async def test_who_sends_a_message_or_a_command_sees_what_follows(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await fill_channel(person)
    await scroll_up(person)
    await person.type("Hello\n")
    await person.sees("Hello")
    await page.wait_for_function(AT_END)
    await scroll_up(person)
    await person.slash("help")
    await person.sees("/imagine")
    await page.wait_for_function(AT_END)


async def test_a_button_leads_to_new_messages_for_who_has_scrolled_up(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    other = await open_another(page)
    await fill_channel(other)
    await person.sees("line 2.59")
    await scroll_up(person)
    await other.type("News!\n")
    await person.sees("News!")
    jump = page.get_by_role("button", name="Jump to present")
    await expect(jump).to_have_css("background-color", "rgb(88, 101, 242)")
    await jump.click()
    await page.wait_for_function(AT_END)
    await expect(jump).to_be_hidden()


async def test_links_to_messages_and_channels_have_the_name_of_the_channel(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await fill_channel(person)
    channel = (await person.next_status())["channels"][0]["id"]
    message = await person.messages.first.get_attribute("data-message-id")
    place = f"https://discord.com/channels/1/{channel}"
    await person.composer.fill(
        f"<{place}/{message}> {place} [there]({place}/{message}) https://example.com/{'x' * 200}"
    )
    await person.enter()
    links = person.messages.last.locator(".message-content a")
    await expect(links).to_have_text(["# general › 💬", "# general", "there", f"https://example.com/{'x' * 200}"])
    for link in (links.nth(0), links.nth(2)):
        await link.scroll_into_view_if_needed()
        await link.click()
        await expect(person.messages.first).to_be_in_viewport()
    assert page.context.pages == [page], "a link has opened the real Discord"


async def test_nothing_is_wider_than_a_phone(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await page.set_viewport_size({"width": 390, "height": 800})
    await person.composer.fill(f"https://example.com/{'x' * 200}\n```\n{'many words ' * 30}\n```")
    await person.enter()
    await person.sees("many words")
    for part in (".message-content", ".code-block"):
        element = person.messages.last.locator(part)
        assert await element.evaluate("element => element.scrollWidth - element.clientWidth") <= 0


async def test_the_apps_menu_opens_with_one_tap_on_a_phone(open_preview: Open, page: Page) -> None:
    backend = FakeBackend()
    await open_preview(backend)
    person = await open_another(page, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    apps = person.message("has drawn one").get_by_role("button", name="Apps")
    await expect(apps.locator("..")).to_have_css("opacity", "1")
    await apps.tap()
    await person.page.get_by_role("menuitem", name="Caption image").tap()
    await person.sees("a cat on a mat")
    (request,) = backend.requests
    assert isinstance(request, CaptionRequest)
