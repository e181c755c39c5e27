"""Test that the shipped starter models draw recognisable pictures and give correct captions."""

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
    """Create one engine for all tests, because loading a model takes longer than drawing a picture."""
    config = load_config(STARTER / "config.yaml").model_copy(update={"data": tmp_path_factory.mktemp("data")})
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def draw(engine: Engine, prompt: str, **options: Any) -> ImageResult:
    result = await engine.run(engine.check(ImagineRequest(prompt=prompt, **options)))
    assert isinstance(result, ImageResult)
    return result


async def caption(engine: Engine, png: bytes) -> str:
    result = await engine.run(engine.check(CaptionRequest(image=png)))
    assert isinstance(result, Caption)
    return result.text


def pixels(png: bytes) -> Any:
    """Return the RGB values [height, width, 3], from 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def middle(png: bytes) -> Any:
    """Return the mean RGB colour [3] of the middle of a picture."""
    return pixels(png)[112:144, 112:144].mean(axis=(0, 1))


async def test_a_red_heart_is_red_on_white_and_has_the_caption_red_heart(engine: Engine) -> None:
    result = await draw(engine, "a red heart", **FOUR)
    assert (result.width, result.height) == (256, 256)
    for picture in result.pictures:
        red, green, blue = middle(picture.png)
        assert red > 180
        assert max(green, blue) < 110
        assert pixels(picture.png)[240:, :16].mean() > 230
        assert await caption(engine, picture.png) == "red heart"


@pytest.mark.parametrize("prompt", ["blue circle", "yellow heart", "green square", "purple heart", "green circle"])
async def test_shapes_and_colours_combine_even_if_training_never_had_them_together(engine: Engine, prompt: str) -> None:
    result = await draw(engine, prompt, **FOUR)
    images = [torch.from_numpy(pixels(picture.png)).permute(2, 0, 1) / 255 for picture in result.pictures]
    assert [nearest_shape(image) for image in images] == [prompt.split()[-1]] * 4
    red, green, blue = np.mean([middle(picture.png) for picture in result.pictures], axis=0)
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


async def test_the_same_seed_gives_the_same_picture_alone_and_in_a_batch(engine: Engine) -> None:
    together = (await draw(engine, "panda", count=4, seed=7)).pictures[1]
    alone = (await draw(engine, "panda", count=1, seed=8)).pictures[0]
    # A pixel of the small picture may differ by one level, which the sharper one of four times its size doubles.
    assert np.abs(pixels(together.png) - pixels(alone.png)).max() <= 2


async def test_inpainting_a_region_changes_only_that_region(engine: Engine) -> None:
    heart = (await draw(engine, "red heart", count=1, seed=7)).pictures[0].png
    repainted = (await draw(engine, "blue heart", count=1, seed=7, image=heart, region="right half")).pictures[0].png
    before, after = pixels(heart), pixels(repainted)
    assert np.array_equal(before[:, :128], after[:, :128])
    (red, _, blue), (_, _, blue_before) = (part[96:128, 160:192].mean(axis=(0, 1)) for part in (after, before))
    assert blue > red
    assert blue > blue_before


async def test_image_to_image_keeps_the_layout_and_changes_the_colour(engine: Engine) -> None:
    heart = (await draw(engine, "red heart", count=1, seed=7)).pictures[0].png
    remixed = (await draw(engine, "pink heart", count=1, seed=9, image=heart, strength=0.6)).pictures[0].png
    paper = pixels(heart).min(axis=2) > 200
    assert (paper == (pixels(remixed).min(axis=2) > 200)).mean() > 0.9
    assert middle(remixed)[2] > middle(heart)[2] + 30


async def test_a_negative_prompt_changes_the_colour(engine: Engine) -> None:
    plain = await draw(engine, "heart", **FOUR)
    moved = await draw(engine, "heart", negative_prompt="red heart", **FOUR)
    colours = (np.mean([middle(picture.png) for picture in each.pictures], axis=0) for each in (plain, moved))
    before, after = (colour[0] - colour[1:].mean() for colour in colours)  # how much redder than the rest
    assert after < before - 30, (before, after)


async def test_the_article_an_in_a_prompt_changes_nothing(engine: Engine) -> None:
    result = await draw(engine, "an orange heart", **FOUR)
    captions = [await caption(engine, picture.png) for picture in result.pictures]
    assert captions.count("orange heart") >= 3, captions


@pytest.mark.parametrize("sampler", ["Euler a", "DDIM", "UniPC"])
async def test_every_sampler_draws_a_heart(engine: Engine, sampler: str) -> None:
    result = await draw(engine, "red heart", sampler=sampler, **FOUR)
    captions = [await caption(engine, picture.png) for picture in result.pictures]
    assert captions.count("red heart") >= 3, captions


async def test_unknown_words_are_refused_or_listed_in_a_note(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="does not know: paris, dusk"):
        await engine.run(engine.check(ImagineRequest(prompt="Paris at dusk")))
    result = await draw(engine, "a red heart in Paris", count=1, seed=7)
    assert "does not know: paris." in result.note
    assert await caption(engine, result.pictures[0].png) == "red heart"
