"""/imagine with a real, tiny model: a picture that is repeated from its file is identical, to the byte."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simcord import ResponseMessage

from inference import Config, Engine, create_backend
from inference.config.models import ModelEntry
from tests.cogs.imagine.images import button_rows, file, grid, press, submit_remix, text
from tests.cogs.stage import Stage, first, followup
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_images import save_stable_diffusion


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    folder = save_stable_diffusion(tmp_path / "tiny")
    return config.model_copy(update={"models": model_lists(imagine=(ModelEntry(repo=str(folder), device=("cpu",)),))})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def test_pictures_of_grids_and_variations_are_repeated_from_their_files(stage: Stage):
    message = await grid(stage, count=3, advanced="Steps: 2")
    one = followup(await press(stage, message, "U2"))
    varied = followup(await press(stage, message, "V2"))
    variation = followup(await press(stage, varied, "U1"))
    for picture in (one, variation):
        again = await stage.alice.slash(stage.channel, "imagine", image=("dropped.png", await file(picture)))
        assert await file(first(again)) == await file(picture)
    assert await pixel_difference(one, variation) < await pixel_difference(
        one, followup(await press(stage, message, "U3"))
    )
    remix = first(await submit_remix(stage, message, prompt="a hare", settings="Steps: 3"))
    assert "steps 2 → 3" in text(remix)
    assert button_rows(remix) == button_rows(message)


async def pixel_difference(one: ResponseMessage, other: ResponseMessage) -> float:
    """Return the mean difference between the pixels of two messages' pictures."""
    a, b = [np.asarray(Image.open(BytesIO(await file(m)))).astype(float) for m in (one, other)]
    return float(np.abs(a - b).mean())
