"""Test classifiers as models of this machine: from config.yaml to refusals and withheld pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from inference import Config, Engine, ImageResult, ImagineRequest, InvalidRequest, load_config
from inference.backends.local import LocalBackend
from inference.cli.download import choose
from inference.hub.hub import Hub
from inference.images.decoding import encode_png
from tests.inference.pipelines.tiny_causal import save_causal
from tests.inference.pipelines.tiny_classifiers import BLACK, WHITE, image_classifier, text_classifier
from tests.inference.pipelines.tiny_images import save_stable_diffusion


def configured(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "config.yaml")


def engine_of(config: Config, cache: Path) -> Engine:
    return Engine(config, LocalBackend(config, Hub(config, endpoint="http://127.0.0.1:9", cache=cache)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    image_classifier(folder / "eyes")
    text_classifier(folder / "ears")
    text_classifier(folder / "unnamed", ("LABEL_0", "LABEL_1"))
    save_causal(folder / "gpt2", "gpt2")
    save_stable_diffusion(folder / "sd")
    return folder


@pytest.fixture
async def engine(folder: Path) -> AsyncIterator[Engine]:
    text = "models: {imagine: [./sd]}\nsafety: {pictures: ./eyes, texts: ./ears}\ndevice: cpu\ndtype: float32\n"
    engine = engine_of(configured(folder, text), folder / "cache")
    yield engine
    await engine.close()


async def test_good_classifiers_are_no_problem_and_are_listed(engine: Engine) -> None:
    assert engine.problems() == engine.device_problems(probe=True) == []
    statuses = await engine.statuses()
    assert [(status.spec.task, status.spec.name, status.state) for status in statuses] == [
        ("imagine", "sd", "on disk"),
        ("safety.pictures", "eyes", "on disk"),
        ("safety.texts", "ears", "on disk"),
    ]
    assert [spec.name for spec in choose(engine.config, ["eyes"])] == ["eyes"]


def test_bad_ones_are_reported_with_their_lines(folder: Path) -> None:
    config = configured(folder, "safety:\n  texts:\n    repo: ./unnamed\n  pictures: ./gpt2\n")
    texts, pictures = engine_of(config, folder / "cache").problems()
    assert texts.startswith("line 2, safety.texts: It is not known to which labels of unnamed the bot has to object.")
    assert pictures.startswith("line 4, safety.pictures: gpt2 can't serve safety.pictures: it is of another kind")


async def test_pictures_and_texts_are_refused_and_withheld_by_real_models(engine: Engine) -> None:
    with pytest.raises(InvalidRequest, match="objects to this text"):
        await engine.run(engine.check(ImagineRequest(prompt="it is bad")))
    with pytest.raises(InvalidRequest, match="objects to this picture"):
        await engine.run(engine.check(ImagineRequest(prompt="a fox", image=encode_png(WHITE))))
    options: dict[str, Any] = {"steps": 2, "width": 32, "height": 32, "seed": 7, "count": 2}
    result = await engine.run(engine.check(ImagineRequest(prompt="a fox", image=encode_png(BLACK), **options)))
    assert isinstance(result, ImageResult)
    assert all(bool(picture.png) != picture.flagged for picture in result.pictures)
    assert {status.spec.name: status.state for status in await engine.statuses()} == {
        "sd": "loaded",
        "eyes": "loaded",
        "ears": "loaded",
    }
