"""Test the training of the enlarger, and its evaluation."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from PIL import Image, ImageDraw
from torch import Tensor

from inference.images.decoding import encode_png
from inference.pipelines.devices import Placement
from inference.pipelines.super_resolution import SuperResolution
from inference.tasks import UpscaledImage, UpscaleRequest
from inference.types import ModelSpec
from starter.evaluate.enlarging import (
    bicubic,
    comparison_sheet,
    evaluate_enlarging,
    feature_distance,
    load_enlarger,
    to_image,
    to_tensor,
)
from starter.train.autoencoder import new_autoencoder
from starter.train.captioner import new_captioner, new_tokenizer
from starter.train.enlarger import Enlarging, enlarging_loss, new_enlarger, repaint, save_enlarger
from starter.train.loop import Schedule, Training
from tests.inference.pipelines.harness import run

CPU = torch.device("cpu")


def drawings() -> Tensor:
    """Return two discs on transparent backgrounds, RGBA bytes [2, 4, 128, 128]."""
    images: list[Any] = []
    for colour in ("red", "navy"):
        image = Image.new("RGBA", (128, 128))
        ImageDraw.Draw(image).ellipse((20, 20, 110, 100), colour)
        images.append(np.asarray(image))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def tiny_task() -> Enlarging:
    torch.manual_seed(0)
    autoencoder = new_autoencoder((8, 8, 8, 8))
    return Enlarging(drawings(), autoencoder, CPU, new_enlarger(width=28, depths=(2,)), batch_size=1)


@pytest.fixture(scope="module")
def encoder() -> Any:
    torch.manual_seed(0)
    return new_captioner(new_tokenizer(), width=16, heads=2).eval().encoder


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    def weights(file: str) -> Tensor:
        training = Training(tiny_task(), Schedule(steps=2, rate=1e-3), tmp_path / file)
        training.run()
        return torch.cat([weight.flatten() for weight in training.averaged.parameters()])

    assert torch.equal(weights("one.pt"), weights("two.pt"))


def test_training_changes_the_enlarger_and_leaves_the_autoencoder_as_it_is(tmp_path: Path) -> None:
    task = tiny_task()
    autoencoder: Any = task._autoencoder  # pyright: ignore[reportPrivateUsage]
    before = [weight.clone() for weight in autoencoder.parameters()]
    weight = task.networks.swin2sr.first_convolution.weight.clone()
    Training(task, Schedule(steps=1, rate=1e-3), tmp_path / "enlarger.pt").run()
    assert all(map(torch.equal, before, autoencoder.parameters()))
    assert not torch.equal(weight, task.networks.swin2sr.first_convolution.weight)


def test_the_loss_is_smallest_for_the_same_image_and_sees_lost_edges() -> None:
    sharp = torch.zeros(1, 3, 16, 16)
    sharp[..., 8:] = 1
    blurred = functional.avg_pool2d(functional.pad(sharp, (2, 2, 2, 2), "replicate"), 5, 1)
    shifted = sharp + (blurred - sharp).abs().mean()  # as far from the image, with its edges
    assert enlarging_loss(sharp, sharp) == 0
    assert enlarging_loss(blurred, sharp) > enlarging_loss(shifted, sharp) > 0


def test_a_repainted_image_is_from_0_to_1_and_depends_on_the_noise() -> None:
    autoencoder = new_autoencoder((8, 8, 8, 8)).eval()
    images = torch.rand(1, 3, 64, 64)
    first, again, other = (
        repaint(autoencoder, images, noise, torch.Generator().manual_seed(0)) for noise in (0.1, 0.1, 3.0)
    )
    assert first.shape == images.shape
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_saved_model_can_be_loaded_and_run_by_inference(tmp_path: Path) -> None:
    save_enlarger(new_enlarger(width=28, depths=(2,)), tmp_path)
    pipeline = SuperResolution.load(
        ModelSpec(name="tiny", task="upscale", repo=str(tmp_path)), tmp_path, Placement(CPU, torch.float32)
    )
    [output] = run(pipeline, UpscaleRequest(image=encode_png(Image.new("RGB", (20, 12), "red"))))
    assert isinstance(output, UpscaledImage)
    assert Image.open(BytesIO(output.png)).size == (80, 48)
    assert load_enlarger(tmp_path)(Image.new("RGB", (8, 8))).size == (32, 32)


def test_an_image_that_is_nearer_to_the_truth_has_better_figures(encoder: Any) -> None:
    large = torch.ones(1, 3, 128, 128)
    large[..., 30:90, 40:100] = 0.2
    small = functional.avg_pool2d(large, 4)

    def perfect(image: Image.Image) -> Image.Image:
        return to_image((large[0] * 0.98).clamp(0, 1))

    best, interpolated = (evaluate_enlarging(by, small, large, encoder) for by in (perfect, bicubic))
    assert best.count == 1
    assert best.psnr > interpolated.psnr
    assert best.features < interpolated.features
    assert best.edges < interpolated.edges


def test_a_smaller_truth_is_compared_with_the_scaled_down_result(encoder: Any) -> None:
    image = torch.full((1, 3, 64, 64), 0.8)
    found = evaluate_enlarging(bicubic, image, torch.full((1, 3, 128, 128), 0.8), encoder)
    assert found.psnr > 40
    assert found.features == pytest.approx(0, abs=1e-4)
    assert found.edges == pytest.approx(0, abs=1e-6)


def test_the_feature_distance_of_an_image_to_itself_is_zero(encoder: Any) -> None:
    one, other = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert feature_distance(encoder, one, one) == 0
    assert feature_distance(encoder, one, other) > 0.01


def test_the_sheet_shows_interpolated_enlarged_and_true_image_side_by_side() -> None:
    small, large = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 32, 32)
    sheet = comparison_sheet(lambda image: Image.new("RGB", (32, 32), "red"), small, large, columns=1)
    assert sheet.size == (96, 32)
    assert [sheet.getpixel((x, 16)) for x in (16, 48, 80)] == [(0, 0, 0), (255, 0, 0), (255, 255, 255)]


def test_images_survive_the_conversion_to_tensors() -> None:
    image = Image.effect_noise((12, 8), 90).convert("RGB")
    assert to_image(to_tensor(image)).tobytes() == image.tobytes()


def test_an_untrained_enlarger_interpolates() -> None:
    torch.manual_seed(0)
    model: Any = new_enlarger(width=28, depths=(2,))
    torch.nn.init.zeros_(model.swin2sr.conv_after_body.weight)  # nothing of the layers between
    image = Image.effect_noise((20, 20), 60).convert("RGB").resize((64, 64), Image.Resampling.BICUBIC)
    with torch.no_grad():
        enlarged = model(to_tensor(image)[None]).reconstruction[0]
    inside = (slice(None), slice(16, -16), slice(16, -16))  # beyond the edges, a convolution sees zeros
    assert enlarged.clamp(0, 1)[inside] == pytest.approx(to_tensor(bicubic(image))[inside], abs=0.02)
