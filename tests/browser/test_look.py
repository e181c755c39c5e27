"""What the page looks like: it is Inkling's own, and it works on a phone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from inference import AskRequest, ImagineRequest
from preview.media import KeepingMediaWorker
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.browser.test_timeline import AT_END
from tests.fakes import FakeBackend


async def top(element: Locator) -> float:
    box = await element.bounding_box()
    assert box is not None
    return box["y"]


def example(person: Driver, text: str) -> Locator:
    return person.page.get_by_role("group", name="Things to try").get_by_role("button").filter(has_text=text)


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


async def test_a_number_that_an_option_does_not_take_is_told_with_those_that_it_takes(open_preview: Open) -> None:
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.start_command("imagine")
    await person.option("prompt", "red apple")
    await person.option("count", "99")
    await person.page.locator("#send-message").click()
    reason = person.page.locator(".command-error")
    await expect(reason).to_have_text("From 1 to 10.")
    await expect(reason).to_be_in_viewport(ratio=1)
    assert backend.requests == []


async def test_a_click_on_an_example_fills_the_command_in(open_preview: Open) -> None:
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.page.wait_for_function("() => simcordPreview.commandPicker.catalog.state === 'ready'", polling=100)
    await example(person, "/imagine").click()
    await example(person, "/help").click()
    await example(person, "/ask").click()
    assert not backend.requests
    await person.send()
    await person.sees("Who brings the tent")
    await example(person, "/imagine").click()
    await person.send()
    await expect(person.messages.last.get_by_role("button", name="Remix")).to_be_visible()
    ask, imagine = backend.requests
    assert isinstance(ask, AskRequest)
    assert "I will bring the tent" in ask.context
    assert isinstance(imagine, ImagineRequest)
    assert imagine.prompt == "red apple"


async def test_an_example_chosen_while_something_is_sent_is_sent_whole_at_the_first_enter(
    open_preview: Open, page: Page
) -> None:
    backend = FakeBackend()
    person = await open_preview(backend)
    sent = asyncio.Event()

    async def delay(route: Route) -> None:
        await sent.wait()
        await route.continue_()

    await person.type("/help ")
    await expect(page.locator(".command-chip")).to_be_visible()
    await page.route("**/api/action", delay)
    await page.keyboard.press("Enter")
    await page.wait_for_function("() => simcordPreview.pendingAction?.kind === 'run_command'", polling=100)
    await example(person, "/ask").click()
    await page.keyboard.press("Enter")
    sent.set()
    await person.sees("Who brings the tent")
    (ask,) = backend.requests
    assert isinstance(ask, AskRequest)
    assert "I will bring the tent" in ask.context


async def test_an_example_says_how_it_is_sent(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    hint = page.get_by_text("Press Enter to send")
    await expect(hint).to_be_hidden()
    await example(person, "/ask").click()
    await expect(hint).to_be_visible()
    await person.enter()
    await expect(hint).to_be_hidden()


async def test_a_command_that_is_closed_leaves_nothing_behind(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await example(person, "/ask").click()
    await page.get_by_label("Exit command mode").click()
    await expect(person.composer).to_have_value("")
    await expect(page.locator(".command-popup")).to_be_hidden()


async def test_the_line_above_a_command_is_as_wide_as_its_box_on_a_phone(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await page.set_viewport_size({"width": 390, "height": 800})
    await example(person, "/imagine").click()
    box = await page.locator("#channel-composer").bounding_box()
    line = await page.locator(".command-context").bounding_box()
    assert box is not None
    assert line is not None
    border = 1
    assert (line["x"], line["width"]) == (box["x"] + border, box["width"] - 2 * border)


async def test_pictures_that_take_long_hold_nothing_up(
    open_preview: Open, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await open_preview(FakeBackend())
    for _ in range(4):
        await person.slash("imagine", prompt="red apple")
        await expect(person.messages.last.get_by_role("button", name="Remix")).to_be_visible()
    decoded = asyncio.Event()
    decode = KeepingMediaWorker.validate

    async def wait(*args: Any, **options: Any) -> Any:
        await decoded.wait()
        return await decode(*args, **options)

    monkeypatch.setattr(KeepingMediaWorker, "validate", wait)
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.reload()
    await person.sees("red apple")
    await page.wait_for_function(AT_END)
    await expect(page.locator("#send-message")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".attachment-image").last).to_be_hidden()
    await person.type("Hello\n")
    await person.sees("Hello")
    decoded.set()
    await expect(page.locator(".attachment-image").last).to_be_visible()
    await page.wait_for_function(AT_END)


async def test_the_page_is_as_wide_as_a_phone_from_the_start(open_preview: Open, page: Page) -> None:
    await open_preview(FakeBackend())
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.route("**/api/pages", lambda route: asyncio.Event().wait())
    await page.reload()
    app = await page.locator("#preview-app").bounding_box()
    assert app is not None
    assert (app["x"], app["width"]) == (0, 390)


@pytest.mark.parametrize("name", ["/imagine", "/ask"])
async def test_a_command_fits_on_a_phone(open_preview: Open, page: Page, name: str) -> None:
    person = await open_preview(FakeBackend())
    await page.set_viewport_size({"width": 390, "height": 800})
    await example(person, name).click()
    await expect(page.locator(".command-chip")).to_be_visible()
    await expect(page.locator("#send-message")).to_be_in_viewport(ratio=1)
    app = page.locator("#preview-app")
    assert await app.evaluate("element => element.scrollWidth - element.clientWidth") == 0
    await person.send()
    await expect(person.messages.last.get_by_role("button").first).to_be_visible()


async def test_all_fields_of_the_remix_form_are_in_sight(open_preview: Open, page: Page) -> None:
    person = await open_preview(FakeBackend())
    await page.set_viewport_size({"width": 1200, "height": 760})
    await person.slash("imagine", prompt="red apple")
    await person.press("Remix")
    fields = page.get_by_role("dialog").locator(".modal-input")
    await expect(fields).to_have_count(4)
    await expect(fields.first).to_be_focused()
    for field in await fields.all():
        await expect(field).to_be_in_viewport(ratio=1)
    body = page.locator(".modal-body")
    assert await body.evaluate("body => body.scrollHeight - body.clientHeight") == 0
