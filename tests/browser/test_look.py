"""What the page looks like: it is Inkling's own, and it works on a phone."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.fakes import FakeBackend


async def top(element: Locator) -> float:
    box = await element.bounding_box()
    assert box is not None
    return box["y"]


async def test_the_page_speaks_of_inkling_and_not_of_tools_for_developers(open_preview: Open, page: Page) -> None:
    await open_preview(FakeBackend())
    await expect(page).to_have_title("Inkling")
    icon = await page.locator("link[rel=icon]").get_attribute("href")
    assert icon is not None
    answer = await page.request.get(page.url.partition("/#")[0] + icon)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    words = await page.locator("body").inner_text()
    assert not [
        word for word in ("SimCord", "Capture", "Inspector", "Refresh", "Jump to message", "Search") if word in words
    ]


async def test_a_picture_is_above_its_buttons(open_preview: Open) -> None:
    person = await open_preview(FakeBackend())
    await person.slash("imagine", prompt="red apple")
    picture = person.messages.last.get_by_alt_text("Drawn by a machine")
    await expect(picture).to_be_visible()
    assert await top(picture) < await top(person.messages.last.get_by_role("button", name="Remix"))
