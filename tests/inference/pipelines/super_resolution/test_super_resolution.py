"""Test enlarging: against transformers' own call, tiles, transparency, limits, interruptions and memory."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Swin2SRForImageSuperResolution, Swin2SRImageProcessorPil

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.registry import family_of
from inference.pipelines.super_resolution import SuperResolution
from inference.pipelines.super_resolution.swin2sr import Swin2SR
from inference.pipelines.super_resolution.tiling import TileSize
from inference.tasks import UpscaledImage, UpscaleRequest
from inference.types import ModelSpec, Progress
from inference.types.errors import GenerationFailed, InvalidRequest, ModelUnavailable, OutOfMemory, RequestCancelled
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_super_resolution import save_swin2sr

SPEC = ModelSpec(name="tiny", task="upscale", repo="tiny")
CPU = Placement(torch.device("cpu"), torch.float32)
PICTURE = Image.effect_noise((45, 30), 90).convert("RGB")
UPSAMPLERS = [
    *(("pixelshuffle", 2), ("pixelshuffle", 4), ("pixelshuffledirect", 2), ("nearest+conv", 4)),
    *(("pixelshuffle_aux", 4), ("", 1)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_swin2sr(tmp_path_factory.mktemp("swin2sr"))


@pytest.fixture
def pipeline(folder: Path) -> SuperResolution:
    return SuperResolution.load(SPEC, folder, CPU)


def request(picture: Image.Image = PICTURE, **fields: Any) -> UpscaleRequest:
    return UpscaleRequest(image=encode_png(picture), **fields)


def result_of(pipeline: SuperResolution, wanted: UpscaleRequest) -> UpscaledImage:
    [output] = run(pipeline, wanted)
    assert isinstance(output, UpscaledImage), output
    return output


def image_of(output: UpscaledImage) -> Image.Image:
    return Image.open(BytesIO(output.png))


def by_transformers(folder: Path, picture: Image.Image) -> Any:
    """Return the pixels [height, width, 3] that the code of the model cards gives."""
    model: Any = Swin2SRForImageSuperResolution.from_pretrained(folder)
    inputs = Swin2SRImageProcessorPil.from_pretrained(folder)(picture, return_tensors="pt")
    with torch.no_grad():
        output = model(**inputs).reconstruction[0].clamp(0, 1).permute(1, 2, 0).numpy()
    height, width = (side * model.config.upscale for side in (picture.height, picture.width))
    return (output * 255.0).round().astype(np.uint8)[:height, :width]


@pytest.mark.parametrize(("upsampler", "factor"), UPSAMPLERS)
def test_every_kind_of_upsampler_gives_what_transformers_gives(tmp_path: Path, upsampler: str, factor: int):
    folder = save_swin2sr(tmp_path, upsampler, factor)
    output = result_of(SuperResolution.load(SPEC, folder, CPU), request())
    assert (output.width, output.height, output.given_width, output.given_height) == (45 * factor, 30 * factor, 45, 30)
    assert (np.asarray(image_of(output)) == by_transformers(folder, PICTURE)).all()


@pytest.mark.parametrize("size", [(64, 48), (8, 8), (1, 1), (3, 70)])
def test_any_size_gives_what_transformers_gives(pipeline: SuperResolution, folder: Path, size: tuple[int, int]):
    picture = Image.effect_noise(size, 90).convert("RGB")
    assert (np.asarray(image_of(result_of(pipeline, request(picture)))) == by_transformers(folder, picture)).all()


def test_the_registry_finds_the_family(folder: Path):
    assert family_of(SPEC, folder).load_class() is SuperResolution


def test_a_model_for_grey_pictures_is_refused_when_it_is_loaded(tmp_path: Path):
    folder = save_swin2sr(tmp_path, num_channels=1)
    with pytest.raises(ModelUnavailable, match="with 1 colour channels"):
        SuperResolution.load(SPEC, folder, CPU)


def test_tiles_whose_margin_covers_what_the_network_sees_leave_no_seam(folder: Path):
    picture = Image.effect_noise((170, 110), 90).convert("RGB")
    network = Swin2SR.load(folder, CPU, "auto")
    whole, tiled, without_margin = (
        np.asarray(network.enlarge(picture, size)).astype(int)
        for size in (TileSize(256, 32), TileSize(32, 40), TileSize(32, 0))
    )
    assert abs(tiled - whole).max() <= 1, "only the last bit of a sum may differ"
    assert abs(without_margin - whole).max() > 8, "this network does look beyond a tile"


def test_a_large_picture_reports_its_tiles(folder: Path):
    pipeline = SuperResolution(Swin2SR.load(folder, CPU, "auto"), tile_size=TileSize(16, 0))
    batch = MemoryBatch.of(request(PICTURE))
    batch.run(pipeline)
    assert batch.jobs[0].events == [Progress(i, 6) for i in range(6)]


def test_other_work_may_run_between_the_layers_of_one_tile(pipeline: SuperResolution):
    batch = MemoryBatch.of(request())
    batch.run(pipeline)
    assert batch.yield_points == 1 + 4, "one before the job, and one for each of four layers"


def test_a_job_whose_caller_has_left_ends_at_once_and_the_next_one_runs(pipeline: SuperResolution):
    batch = MemoryBatch.of(request(), request())

    def leave() -> None:
        batch.jobs[0].cancelled = batch.yield_points >= 3

    batch.on_yield = leave
    left, other = batch.run(pipeline)
    assert isinstance(left, RequestCancelled)
    assert isinstance(other, UpscaledImage)
    assert batch.yield_points == 3 + 5


def test_smaller_tiles_are_tried_when_memory_runs_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    picture = Image.effect_noise((200, 140), 90).convert("RGB")
    network = Swin2SR.load(folder, CPU, "auto")
    enlarge, seen = network.enlarge, list[int]()

    def little_memory(image: Image.Image, size: TileSize, before_tile: Any) -> Image.Image:
        seen.append(size.side)
        if size.side > 32:
            raise torch.OutOfMemoryError("no memory")
        return enlarge(image, size, before_tile)

    monkeypatch.setattr(network, "enlarge", little_memory)
    batch = MemoryBatch.of(request(picture))
    [output] = batch.run(SuperResolution(network, tile_size=TileSize(128, 24)))
    assert isinstance(output, UpscaledImage)
    assert seen == [128, 64, 32]
    assert batch.freed == 2
    seen.clear()
    [failed] = run(SuperResolution(network, tile_size=TileSize(128, 40)), request(picture))
    assert isinstance(failed, OutOfMemory)
    assert seen == [128, 64]


def test_transparency_is_kept_and_enlarged(pipeline: SuperResolution, folder: Path):
    alpha = Image.linear_gradient("L").resize(PICTURE.size)
    picture = PICTURE.copy()
    picture.putalpha(alpha)
    enlarged = image_of(result_of(pipeline, request(picture)))
    assert enlarged.mode == "RGBA"
    assert enlarged.getchannel("A").tobytes() == alpha.resize((90, 60), Image.Resampling.BICUBIC).tobytes()
    assert (np.asarray(enlarged.convert("RGB")) == by_transformers(folder, PICTURE)).all(), "colours as without it"


def test_an_opaque_picture_with_an_alpha_channel_becomes_rgb(pipeline: SuperResolution):
    assert image_of(result_of(pipeline, request(PICTURE.convert("RGBA")))).mode == "RGB"


def test_a_photo_is_turned_upright(pipeline: SuperResolution):
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter
    PICTURE.save(file, "JPEG", exif=exif)
    output = result_of(pipeline, UpscaleRequest(image=file.getvalue()))
    assert (output.width, output.height) == (60, 90)


def test_the_parameters_are_in_the_file(pipeline: SuperResolution):
    output = result_of(pipeline, request(parameters="a fox\nSteps: 25"))
    assert image_of(output).info["parameters"] == "a fox\nSteps: 25"


def test_the_operator_can_choose_a_smaller_factor(tmp_path: Path):
    folder = save_swin2sr(tmp_path, factor=4)
    spec = ModelSpec(name="tiny", task="upscale", repo="tiny", upscale=2)
    output = result_of(SuperResolution.load(spec, folder, CPU), request())
    assert image_of(output).size == (90, 60)
    expected = Image.fromarray(by_transformers(folder, PICTURE)).resize((90, 60), Image.Resampling.LANCZOS)
    assert image_of(output).tobytes() == expected.tobytes()


def test_a_picture_whose_result_would_be_too_large_is_refused_in_a_sentence(pipeline: SuperResolution):
    [error] = run(pipeline, request(largest_side=89))
    assert isinstance(error, InvalidRequest)
    assert error.user_message == (
        "This picture is too large to be enlarged 2 times: the result may have 89 pixels on its longer side, so the "
        "picture may have 44. Send a smaller one."
    )
    assert result_of(pipeline, request(largest_side=90)).width == 90


def test_overflowing_numbers_are_an_error_and_no_picture(folder: Path):
    network = Swin2SR.load(folder, CPU, "auto")
    model: Any = network._model  # pyright: ignore[reportPrivateUsage]
    model.upsample.conv.bias.data.fill_(float("nan"))
    [error] = run(SuperResolution(network), request())
    assert isinstance(error, GenerationFailed)
    assert "overflowed" in error.user_message


@pytest.mark.parametrize(("dtype", "expected"), [("auto", torch.float32), ("bfloat16", torch.bfloat16)])
def test_it_computes_in_float32_unless_the_operator_says_otherwise(folder: Path, dtype: Any, expected: torch.dtype):
    network = Swin2SR.load(folder, Placement(torch.device("cpu"), torch.bfloat16), dtype)
    assert network._model.dtype == expected  # pyright: ignore[reportPrivateUsage]
    assert network.enlarge(PICTURE).size == (90, 60)


def test_a_picture_is_enlarged_as_often_as_its_size_takes(folder: Path):
    network = Swin2SR.load(folder, CPU, "auto")
    twice = network.enlarge(network.enlarge(PICTURE))
    assert network.enlarged_to(PICTURE, (180, 120)).tobytes() == twice.tobytes()
    expected = twice.resize((135, 90), Image.Resampling.LANCZOS)
    assert network.enlarged_to(PICTURE, (135, 90)).tobytes() == expected.tobytes()
