"""Test that OpenVINO draws what torch draws, and that its files are made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image

from inference.images.decoding import encode_png
from inference.pipelines.compatibility import load_pipeline
from inference.pipelines.devices import Placement
from inference.pipelines.registry import family_of
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable, RequestCancelled
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_images import (
    save_latent_consistency,
    save_stable_diffusion,
    save_stable_diffusion_xl,
)

pytest.importorskip("openvino")

CPU = Placement(torch.device("cpu"), torch.float32)
SPEC = ModelSpec(name="tiny", task="imagine", repo="org/tiny", runtime="openvino")
CAT = ImagineRequest(prompt="a cat", steps=3, seed=5)
WIDE = replace(CAT, width=72, height=24, guidance_scale=1.0)
SOURCE = Image.effect_noise((48, 32), 90).convert("RGB")
FROM_PICTURE = replace(CAT, image=encode_png(SOURCE), strength=0.7)
IN_REGION = replace(CAT, image=encode_png(SOURCE), region="left half")

Save = Callable[[Path], Path]


def snapshot(repository: Path, save: Save = save_stable_diffusion) -> Path:
    """Save a model as the hub's cache has it."""
    folder = repository / "snapshots" / "0123abc"
    folder.mkdir(parents=True)
    return save(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return snapshot(tmp_path_factory.mktemp("models--org--tiny"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> TextToImage:
    return TextToImage.load(SPEC, folder, CPU)


@pytest.fixture(scope="module")
def torch_pipeline(folder: Path) -> TextToImage:
    return TextToImage.load(replace(SPEC, runtime="torch"), folder, CPU)


def draw(pipeline: Any, *requests: ImagineRequest) -> list[np.ndarray]:
    outcomes = run(pipeline, *requests)
    assert all(isinstance(outcome, ImageResult) for outcome in outcomes), outcomes
    pictures = [outcome.pictures[0].png for outcome in outcomes if isinstance(outcome, ImageResult)]
    return [np.asarray(Image.open(BytesIO(png))).astype(int) for png in pictures]


def difference(one: Any, other: Any, request: ImagineRequest) -> int:
    [ours], [theirs] = draw(one, request), draw(other, request)
    assert theirs.std() > 5, "the picture must not be plain"
    return int(abs(ours - theirs).max())


@pytest.mark.parametrize("request_", [CAT, WIDE, FROM_PICTURE, IN_REGION], ids=["text", "wide", "image", "inpaint"])
def test_pictures_are_those_of_torch(
    pipeline: TextToImage, torch_pipeline: TextToImage, request_: ImagineRequest
) -> None:
    assert difference(pipeline, torch_pipeline, request_) <= 1


@pytest.mark.parametrize("save", [save_stable_diffusion_xl, save_latent_consistency])
def test_pictures_of_other_kinds_of_models_are_those_of_torch(tmp_path: Path, save: Save) -> None:
    folder = snapshot(tmp_path, save)
    ours, theirs = (TextToImage.load(replace(SPEC, runtime=name), folder, CPU) for name in ("openvino", "torch"))
    assert difference(ours, theirs, CAT) <= 1


def test_a_picture_is_the_same_alone_and_in_a_batch_and_each_time(pipeline: TextToImage) -> None:
    [alone] = draw(pipeline, CAT)
    [_, with_other, _, again] = draw(pipeline, replace(WIDE, seed=1), CAT, replace(CAT, prompt="a dog"), CAT)
    assert np.array_equal(alone, with_other)
    assert np.array_equal(alone, again)


def test_a_picture_is_cancelled_after_a_step(pipeline: TextToImage) -> None:
    batch = MemoryBatch.of(replace(CAT, steps=20))
    batch.on_yield = lambda: batch.jobs[0].events and batch.jobs[0].cancel()
    batch.run(pipeline)
    assert len(batch.jobs[0].events) == 1
    assert batch.jobs[0].outcome is None or isinstance(batch.jobs[0].outcome, RequestCancelled)


def test_the_model_counts_the_weights_of_its_files(pipeline: TextToImage, torch_pipeline: TextToImage) -> None:
    assert abs(pipeline.nbytes / torch_pipeline.nbytes - 1) < 0.1


def exported(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (folder.parents[1] / "openvino").rglob("*.*")}


def test_files_are_made_once_beside_the_snapshots(folder: Path, pipeline: TextToImage) -> None:
    before = exported(folder)
    assert {Path(path).name for path in before} >= {"unet.xml", "unet.bin", "vae_decoder.bin", "export.json"}
    again = TextToImage.load(SPEC, folder, CPU)
    assert exported(folder) == before
    assert difference(again, pipeline, CAT) == 0


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def garble(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


@pytest.mark.parametrize(
    ("name", "damage"),
    [("unet.bin", cut), ("unet.bin", Path.unlink), ("unet.xml", garble), ("export.json", garble)],
)
def test_damaged_files_are_made_again(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    folder = snapshot(tmp_path)
    [picture] = draw(TextToImage.load(SPEC, folder, CPU), CAT)
    [file] = (tmp_path / "openvino").rglob(name)
    damage(file)
    [again] = draw(TextToImage.load(SPEC, folder, CPU), CAT)
    assert np.array_equal(picture, again)
    assert len(list((tmp_path / "openvino").iterdir())) == 1, "nothing unfinished may stay"


def test_files_for_another_version_are_replaced(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    old = tmp_path / "openvino" / "0123abc-2020.1-0"
    old.mkdir(parents=True)
    TextToImage.load(SPEC, folder, CPU)
    assert not old.exists()


def test_a_request_with_a_lora_is_refused(pipeline: TextToImage) -> None:
    [outcome] = run(pipeline, replace(CAT, lora="ink"))
    assert isinstance(outcome, InvalidRequest)
    assert str(outcome).startswith("This model takes no LoRA, since OpenVINO runs it.")


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let diffusers compute something that depends on whether it is traced."""
    forward = UNet2DConditionModel.forward

    def traced_wrong(*args: Any, **options: Any) -> Any:
        [sample] = forward(*args, **options)
        return (sample + 0.1 * torch.jit.is_tracing(),)

    monkeypatch.setattr(UNet2DConditionModel, "forward", traced_wrong)


@pytest.mark.usefixtures("wrong")
def test_a_model_of_which_openvino_gives_other_numbers_is_refused_or_run_by_torch(tmp_path: Path) -> None:
    folder = snapshot(tmp_path)
    family = replace(family_of(SPEC, folder), runtime="openvino")
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="it gives other numbers than torch"):
            load_pipeline(family, SPEC, folder, CPU)
    before = exported(folder)
    pipeline = load_pipeline(family, replace(SPEC, runtime="auto"), folder, CPU)
    draw(pipeline, CAT)
    assert exported(folder) == before
