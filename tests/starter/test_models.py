"""The starter's painter and captioner as they are shipped: what they draw and say means something."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import torch
from PIL import Image

from inference import CaptionRequest, Engine, ImageResult, ImagineRequest, InvalidRequest, create_backend, load_config
from inference.tasks import Caption
from starter.evaluate.shapes import nearest_shape

STARTER = Path(__file__).parents[2] / "starter"
FOUR = {"count": 4, "seed": 7}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Engine]:
    """One for all tests, since loading takes longer than drawing."""
    config = load_config(STARTER / "config.yaml").model_copy(update={"data": tmp_path_factory.mktemp("data")})
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def draw(engine: Engine, prompt: str, **options: Any) -> ImageResult:
    drawing = await engine.run(engine.check(ImagineRequest(prompt=prompt, **options)))
    assert isinstance(drawing, ImageResult)
    return drawing


async def caption(engine: Engine, png: bytes) -> str:
    said = await engine.run(engine.check(CaptionRequest(image=png)))
    assert isinstance(said, Caption)
    return said.text


def pixels(png: bytes) -> Any:
    """RGB [h, w, 3], from 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def middle(png: bytes) -> Any:
    """The mean colour of a picture's middle, RGB [3]."""
    return pixels(png)[112:144, 112:144].mean(axis=(0, 1))


async def test_a_red_heart_is_red_in_the_middle_on_white_paper_and_the_captioner_says_so(engine: Engine) -> None:
    drawing = await draw(engine, "a red heart", **FOUR)
    assert (drawing.width, drawing.height) == (256, 256)
    for picture in drawing.pictures:
        red, green, blue = middle(picture.png)
        assert red > 180
        assert max(green, blue) < 110
        assert pixels(picture.png)[240:, :16].mean() > 230
        assert await caption(engine, picture.png) == "red heart"


@pytest.mark.parametrize("prompt", ["blue circle", "yellow heart", "green square", "purple heart", "green circle"])
async def test_shapes_and_colours_combine_also_where_training_never_saw_them_together(
    engine: Engine, prompt: str
) -> None:
    drawing = await draw(engine, prompt, **FOUR)
    images = [torch.from_numpy(pixels(picture.png)).permute(2, 0, 1) / 255 for picture in drawing.pictures]
    assert [nearest_shape(image) for image in images] == [prompt.split()[-1]] * 4
    red, green, blue = np.mean([middle(picture.png) for picture in drawing.pictures], axis=0)
    colour = prompt.split()[0]
    assert {
        "blue": blue > max(red, green),
        "yellow": min(red, green) > blue + 80,
        "green": green > max(red, blue) + 20,
        "purple": min(red, blue) > green + 20,
    }[colour], (red, green, blue)


async def test_pictures_of_one_prompt_differ(engine: Engine) -> None:
    one, other, *_ = (await draw(engine, "cat", **FOUR)).pictures
    assert np.abs(pixels(one.png) - pixels(other.png)).mean() > 5


async def test_the_same_seed_draws_the_same_picture_also_in_other_company(engine: Engine) -> None:
    together = (await draw(engine, "panda", count=4, seed=7)).pictures[1]
    alone = (await draw(engine, "panda", count=1, seed=8)).pictures[0]
    assert np.abs(pixels(together.png) - pixels(alone.png)).max() <= 1


async def test_repainting_a_part_changes_that_part_alone(engine: Engine) -> None:
    heart = (await draw(engine, "red heart", count=1, seed=7)).pictures[0].png
    repainted = (await draw(engine, "blue heart", count=1, seed=7, image=heart, region="right half")).pictures[0].png
    before, after = pixels(heart), pixels(repainted)
    assert np.array_equal(before[:, :128], after[:, :128])
    (red, _, blue), (_, _, once) = (part[96:128, 160:192].mean(axis=(0, 1)) for part in (after, before))
    assert blue > red
    assert blue > once


async def test_a_picture_drawn_from_another_keeps_its_layout_and_takes_on_the_colour(engine: Engine) -> None:
    heart = (await draw(engine, "red heart", count=1, seed=7)).pictures[0].png
    remixed = (await draw(engine, "pink heart", count=1, seed=9, image=heart, strength=0.6)).pictures[0].png
    paper = pixels(heart).min(axis=2) > 200
    assert (paper == (pixels(remixed).min(axis=2) > 200)).mean() > 0.9
    assert middle(remixed)[2] > middle(heart)[2] + 30


async def test_a_negative_prompt_moves_the_colour_away(engine: Engine) -> None:
    plain = await draw(engine, "heart", **FOUR)
    moved = await draw(engine, "heart", negative_prompt="red heart", **FOUR)
    colours = (np.mean([middle(picture.png) for picture in each.pictures], axis=0) for each in (plain, moved))
    before, after = (colour[0] - colour[1:].mean() for colour in colours)  # how much redder than the rest
    assert after < before - 30, (before, after)


async def test_an_article_before_a_vowel_changes_nothing(engine: Engine) -> None:
    drawing = await draw(engine, "an orange heart", **FOUR)
    said = [await caption(engine, picture.png) for picture in drawing.pictures]
    assert said.count("orange heart") >= 3, said


@pytest.mark.parametrize("sampler", ["Euler a", "DDIM", "UniPC"])
async def test_every_sampler_that_it_offers_draws_a_heart(engine: Engine, sampler: str) -> None:
    drawing = await draw(engine, "red heart", sampler=sampler, **FOUR)
    said = [await caption(engine, picture.png) for picture in drawing.pictures]
    assert said.count("red heart") >= 3, said


async def test_what_it_does_not_know_is_refused_with_what_it_does(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="does not know: paris, dusk"):
        await engine.run(engine.check(ImagineRequest(prompt="Paris at dusk")))
    drawing = await draw(engine, "a red heart in Paris", count=1, seed=7)
    assert "does not know: paris." in drawing.note
    assert await caption(engine, drawing.pictures[0].png) == "red heart"
