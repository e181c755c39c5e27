"""The image studio in a real browser, on a real diffusion model of a few thousand random weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from inference import Config, create_backend
from inference.config.models import ModelEntry
from preview.pictures import lake_hut
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.inference.pipelines.tiny_images import save_stable_diffusion


@pytest.fixture
def studio(config: Config, tmp_path: Path) -> Config:
    """Return the settings of the starter with a tiny image model."""
    image_model = ModelEntry(repo=str(save_stable_diffusion(tmp_path / "image_model")), name="tiny")
    return config.model_copy(update={"models": {**config.models, "imagine": (image_model,)}})


async def wait_for_picture(message: Locator, width: int) -> None:
    """Wait until the picture of the message is loaded and `width` pixels wide."""
    image = message.get_by_role("img", name="Drawn by a machine").last
    await expect(image).to_have_js_property("naturalWidth", width)


async def wait_for_message(person: Driver, count: int, text: str | re.Pattern[str]) -> Locator:
    """Wait for message number `count` with its text and its buttons, and return it."""
    await expect(person.messages).to_have_count(count)
    message = person.messages.last
    await expect(message).to_contain_text(text)
    await expect(message.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    return message


async def test_a_gallery_can_be_varied_separated_remixed_and_deleted(open_preview: Open, studio: Config) -> None:
    person = await open_preview(create_backend(studio), studio)
    before = await person.messages.count()
    await person.slash("imagine", prompt="a red fox", count="4", advanced="Steps: 2", seed="7")
    gallery = await wait_for_message(person, before + 1, "seeds 7 to 10")
    await expect(gallery.get_by_role("img", name="Drawn by a machine")).to_have_count(4)
    await wait_for_picture(gallery, 16)
    await person.press("V2", gallery)
    varied = await wait_for_message(person, before + 2, re.compile("Variations of .*picture 2"))
    await person.press("U1", varied)
    single = await wait_for_message(person, before + 3, re.compile("Picture 1 of"))
    await wait_for_picture(single, 64)  # enlarged by the model of `upscale`
    await person.press("Remix", single)
    form = person.page.get_by_role("dialog").last
    prompt = form.locator("textarea, input").first
    await expect(prompt).to_have_value("a red fox")
    await prompt.fill("a blue fox")
    await person.submit(form)
    remixed = await wait_for_message(person, before + 4, "a blue fox")
    await person.press("Delete", remixed)
    await expect(person.messages).to_have_count(before + 3)


async def test_a_region_is_confirmed_on_its_picture_before_it_is_drawn(open_preview: Open, studio: Config) -> None:
    person = await open_preview(create_backend(studio), studio)
    await person.start_command("imagine")
    await person.option("prompt", "a cat")
    await person.option("image", None)
    await person.attach("image", "hut.png", lake_hut())
    await person.option("region", "left half")
    await person.option("advanced", "Steps: 1")
    await person.send()
    await expect(person.messages.last.get_by_role("button", name="Draw", exact=True)).to_be_enabled()
    await person.press("Draw")
    await expect(person.messages.last).to_contain_text("strength 1")
