"""The whole way with a real, tiny model: what is shown, cut out and repeated is the same picture, to the byte."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simcord import ResponseMessage

from inference import Config, Engine, create_backend
from inference.config.schema import ModelEntry
from tests.cogs.imagine.images import file, grid, press, remixed, rows
from tests.cogs.stage import Stage, first, followup
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_images import save_stable_diffusion

pytestmark = pytest.mark.simcord(settle_timeout=60)


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    folder = save_stable_diffusion(tmp_path / "tiny")
    return config.model_copy(update={"models": model_lists(imagine=(ModelEntry(repo=str(folder), device="cpu"),))})


@pytest.fixture
async def engine(config: Config) -> AsyncGenerator[Engine]:
    engine = Engine(config, create_backend(config))
    yield engine
    await engine.close()


async def test_a_grid_its_variations_one_of_them_and_its_file_dropped_again(stage: Stage):
    message = await grid(stage, count=3, steps=2)
    one = followup(await press(stage, message, "U2"))
    varied = followup(await press(stage, message, "V2"))
    variation = followup(await press(stage, varied, "U1"))
    for picture in (one, variation):
        again = await stage.alice.slash(stage.channel, "imagine", image=("dropped.png", await file(picture)))
        assert await file(first(again)) == await file(picture)
    assert await far(one, variation) < await far(one, followup(await press(stage, message, "U3")))
    remix = first(await remixed(stage, message, prompt="a hare", settings="Steps: 3"))
    assert "steps 2 → 3" in remix.content
    assert rows(remix) == rows(message)


async def far(one: ResponseMessage, other: ResponseMessage) -> float:
    """How much two messages' pictures differ, on the average of their pixels."""
    a, b = [np.asarray(Image.open(BytesIO(await file(m)))).astype(float) for m in (one, other)]
    return float(np.abs(a - b).mean())
