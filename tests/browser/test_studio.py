"""The image studio in a real browser, on a real diffusion model of a few thousand random weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from inference import Config, create_backend
from inference.config.schema import ModelEntry
from preview.pictures import lake_hut
from tests.browser.conftest import Open
from tests.browser.driver import Driver
from tests.inference.pipelines.tiny_images import save_stable_diffusion


@pytest.fixture
def studio(config: Config, tmp_path: Path) -> Config:
    """The starter's settings with a tiny painter."""
    painter = ModelEntry(repo=str(save_stable_diffusion(tmp_path / "painter")), name="tiny")
    return config.model_copy(update={"models": {**config.models, "imagine": (painter,)}})


async def has_picture(message: Locator, width: int) -> None:
    """Wait for the message's picture, `width` pixels of its own wide."""
    image = message.get_by_role("img", name="Drawn by a machine").last
    await expect(image).to_have_js_property("naturalWidth", width)


async def shows(person: Driver, count: int, text: str | re.Pattern[str]) -> Locator:
    """The newest of `count` messages by now, once it has its text and its buttons."""
    await expect(person.messages).to_have_count(count)
    message = person.messages.last
    await expect(message).to_contain_text(text)
    await expect(message.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    return message


async def test_from_a_grid_by_variations_and_a_single_picture_to_a_remix_and_its_end(
    open_preview: Open, studio: Config
) -> None:
    person = await open_preview(create_backend(studio), studio)
    before = await person.messages.count()
    await person.slash("imagine", prompt="a red fox", count="4", steps="2", seed="7")
    grid = await shows(person, before + 1, "seeds 7 to 10")
    await has_picture(grid, 32)
    await person.press("V2", grid)
    varied = await shows(person, before + 2, re.compile("Variations of .*picture 2"))
    await person.press("U1", varied)
    single = await shows(person, before + 3, re.compile("Picture 1 of"))
    await has_picture(single, 16)
    await person.press("Remix", single)
    form = person.page.get_by_role("dialog").last
    prompt = form.locator("textarea, input").first
    await expect(prompt).to_have_value("a red fox")
    await prompt.fill("a blue fox")
    await person.submit(form)
    remixed = await shows(person, before + 4, "a blue fox")
    await person.press("Delete", remixed)
    await expect(person.messages).to_have_count(before + 3)


async def test_a_region_is_looked_at_on_its_picture_before_it_is_drawn(open_preview: Open, studio: Config) -> None:
    person = await open_preview(create_backend(studio), studio)
    await person.begin("imagine")
    await person.option("prompt", "a cat")
    await person.option("image", None)
    await person.attach("image", "hut.png", lake_hut())
    await person.option("region", "left half")
    await person.option("steps", "1")
    await person.send()
    await expect(person.messages.last.get_by_role("button", name="Draw", exact=True)).to_be_enabled()
    await person.press("Draw")
    await expect(person.messages.last).to_contain_text("strength 1")
