"""Commands that are typed, as in Discord, and never chosen from the list."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, Route, expect

from inference import CompleteRequest, ImagineRequest
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.fakes import FakeBackend


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
async def person(open_preview: Open, backend: FakeBackend) -> Driver:
    return await open_preview(backend)


@pytest.fixture
async def commands_loaded(person: Driver) -> asyncio.Event:
    """Return an event that must be set before the page learns the options of the commands."""
    loaded = asyncio.Event()

    async def delay(route: Route) -> None:
        await loaded.wait()
        await route.continue_()

    await person.page.wait_for_function("() => simcordPreview.commandPicker.catalog.state === 'ready'", polling=100)
    await person.page.route("**/api/commands", delay)
    return loaded


def field(person: Driver, option: str) -> Locator:
    return person.page.locator(f'.command-option-input[data-option="{option}"]')


async def sees_picture(person: Driver) -> None:
    await expect(person.messages.last.get_by_role("button", name="Remix")).to_be_visible()


async def test_a_typed_command_with_options_runs(person: Driver, backend: FakeBackend) -> None:
    await person.type("/imagine prompt: red apple count: 4 seed: 1234567890")
    await expect(field(person, "prompt")).to_have_value("red apple")
    await person.enter()
    await sees_picture(person)
    (request,) = backend.requests
    assert isinstance(request, ImagineRequest)
    assert (request.prompt, request.count, request.seed) == ("red apple", 4, 1234567890)


@pytest.mark.parametrize("key", ["Space", "Tab", "Enter"])
async def test_words_after_a_command_are_typed_into_its_first_option(
    person: Driver, backend: FakeBackend, key: str
) -> None:
    await person.type("/imagine")
    await person.page.keyboard.press(key)
    await person.page.keyboard.type("red apple")
    await person.enter()
    await sees_picture(person)
    (request,) = backend.requests
    assert isinstance(request, ImagineRequest)
    assert request.prompt == "red apple"


async def test_a_required_option_has_the_focus_once_its_command_is_chosen(person: Driver, backend: FakeBackend) -> None:
    await person.type("/complete ")
    await expect(field(person, "prompt")).to_be_focused()
    await person.page.keyboard.type("The lighthouse temperature: 0")
    await person.enter()
    await person.sees("The lighthouse")
    (request,) = backend.requests
    assert isinstance(request, CompleteRequest)
    assert (request.prompt, request.temperature) == ("The lighthouse", 0)


async def test_a_command_typed_before_its_options_are_loaded_is_chosen_once_they_are(
    person: Driver, commands_loaded: asyncio.Event
) -> None:
    await person.type("/complete prompt: The lighthouse temperature: ")
    await expect(person.composer).to_have_value("/complete prompt: The lighthouse temperature: ")
    commands_loaded.set()
    await expect(field(person, "temperature")).to_be_focused()
    await expect(field(person, "prompt")).to_have_value("The lighthouse")


async def test_options_are_found_in_what_was_typed_before_they_were_loaded(
    person: Driver, commands_loaded: asyncio.Event
) -> None:
    await person.type("/imagine\nprompt: red app")
    await expect(field(person, "prompt")).to_have_value("prompt: red app")
    commands_loaded.set()
    await expect(field(person, "prompt")).to_have_value("red app")
    await person.page.keyboard.type("le seed: 7")
    await expect(field(person, "seed")).to_have_value("7")
    await expect(field(person, "prompt")).to_have_value("red apple")


async def test_an_option_without_words_for_it_is_left_out(person: Driver, backend: FakeBackend) -> None:
    await person.type("/imagine seed: 7")
    await expect(field(person, "seed")).to_have_value("7")
    await expect(field(person, "prompt")).to_have_count(0)


async def test_a_pasted_command_is_filled_in_with_a_choice_that_fits(person: Driver, backend: FakeBackend) -> None:
    await person.type("")
    await person.page.keyboard.insert_text("/imagine prompt: green tree size: portrait seed: 7")
    await expect(field(person, "size")).to_have_value("512x768")
    await person.enter()
    await sees_picture(person)
    (request,) = backend.requests
    assert isinstance(request, ImagineRequest)
    assert (request.prompt, request.width, request.height, request.seed) == ("green tree", 512, 768, 7)


async def test_enter_takes_a_choice_and_then_sends(person: Driver, backend: FakeBackend) -> None:
    await person.type("/imagine a tree size: ")
    await expect(field(person, "size")).to_be_focused()  # before, the rest would be taken as pasted text is
    await person.page.keyboard.type("portrait")
    await person.page.keyboard.press("Enter")
    await expect(field(person, "size")).to_have_value("512x768")
    await person.enter()
    await sees_picture(person)


async def test_a_command_without_required_options_runs_with_enter(person: Driver) -> None:
    await person.type("/help\n")
    await person.enter()
    await person.sees("/imagine")
    await expect(person.composer).to_be_focused()


async def test_an_arrow_key_and_enter_choose_an_option_from_the_list(person: Driver) -> None:
    await person.type("/imagine ")
    await expect(person.page.locator(".command-suggestion").first).to_be_visible()
    await person.page.keyboard.press("ArrowDown")
    await person.page.keyboard.press("ArrowDown")
    await person.page.keyboard.press("Enter")
    await expect(field(person, "count")).to_be_focused()


async def test_a_message_that_is_no_command_is_not_posted_and_the_page_says_why(person: Driver) -> None:
    before = await person.messages.count()
    await person.type("/paint a red apple")
    await person.page.keyboard.press("Enter")
    hint = person.page.get_by_role("alert").filter(has_text="There is no command /paint.")
    await expect(hint).to_be_visible()
    await expect(person.composer).to_have_value("/paint a red apple")
    await person.composer.fill("Hello")
    await expect(hint).to_be_hidden()
    await person.enter()
    await person.sees("Hello")
    await expect(person.messages).to_have_count(before + 1)


async def test_the_list_of_options_says_what_each_is_for(person: Driver) -> None:
    await person.type("/imagine ")
    entry = person.page.locator('.command-suggestion[data-value="count"]')
    await expect(entry).to_contain_text("How many pictures")


async def test_tab_goes_to_the_next_option_and_backspace_removes_an_empty_one(person: Driver) -> None:
    await person.type("/imagine red apple count: 4 seed: 7")
    await field(person, "prompt").focus()
    for option in ("count", "seed"):
        await person.page.keyboard.press("Tab")
        await expect(field(person, option)).to_be_focused()
    await person.page.keyboard.press("Backspace")
    await person.page.keyboard.press("Backspace")
    await expect(field(person, "seed")).to_have_count(0)
    await expect(field(person, "count")).to_be_focused()


async def test_a_field_is_as_wide_as_its_number(person: Driver) -> None:
    await person.type("/imagine a count: 4")
    for text in ("4", "16"):
        await field(person, "count").fill(text)
        hidden = await field(person, "count").evaluate("field => field.scrollWidth - field.clientWidth")
        assert hidden <= 0


async def test_one_command_is_announced_in_the_singular(person: Driver) -> None:
    announcements = person.page.locator("#live-status")
    await person.type("/imagin")
    await expect(announcements).to_have_text("1 command")
    await person.composer.fill("/complet")
    await person.page.keyboard.press("Enter")
    await expect(announcements).to_have_text("/complete; 1 required option missing")
    await person.page.locator(".command-context-close").click()
    await person.composer.fill("/hel")
    await person.page.keyboard.press("Enter")
    await expect(person.page.locator(".command-ghost")).to_have_text("+1 option")
