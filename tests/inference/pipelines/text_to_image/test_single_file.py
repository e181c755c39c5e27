"""Test diffusion models whose weights are in one file, beside the settings of a diffusers repository."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from inference.hub import check_folder
from inference.pipelines.text_to_image import TextToImage
from inference.tasks import ImageResult, ImagineRequest
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.text_to_image.tiny_checkpoint import save_checkpoint
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU
from tests.inference.pipelines.tiny_images import save_stable_diffusion

CAT = ImagineRequest(prompt="a cat", seed=5, steps=2, width=64, height=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qwen-image")
    tiny_pipeline("Qwen-Image").save_pretrained(folder)
    return folder


def pixels(folder: Path, file: str = "") -> Any:
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), file=file)
    check_folder(spec)
    (result,) = run(TextToImage.load(spec, folder, CPU), CAT)
    assert isinstance(result, ImageResult), result
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def write_gguf(file: Path, tensors: dict[str, Any], *, quantized: bool) -> None:
    writer = gguf.GGUFWriter(str(file), "qwen_image")
    for name, tensor in tensors.items():
        values = tensor.float().numpy()
        in_8_bits = quantized and values.ndim == 2 and values.shape[1] % 32 == 0
        kind = gguf.GGMLQuantizationType.Q8_0 if in_8_bits else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("suffix", ["safetensors", "gguf"])
def test_a_file_with_the_transformer_replaces_the_one_in_its_folder(folder: Path, tmp_path: Path, suffix: str) -> None:
    expected = pixels(folder)
    (weights,) = (folder / "transformer").glob("*.safetensors")
    tensors = load_file(weights)
    file = tmp_path / f"qwen-image.{suffix}"
    write_gguf(file, tensors, quantized=False) if suffix == "gguf" else save_file(tensors, file)
    without = tmp_path / "repository"
    _copy_without(folder, without, weights)
    assert np.array_equal(pixels(without, str(file)), expected)
    (without / file.name).write_bytes(file.read_bytes())
    assert np.array_equal(pixels(without, f"*.{suffix}"), expected)


def test_a_whole_checkpoint_draws_as_the_repository_that_it_was_made_from(tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path, checker=False)
    expected = pixels(folder)
    save_checkpoint(folder, folder / "tiny.safetensors")
    assert np.array_equal(pixels(folder, "tiny.safetensors"), expected)


def test_a_quantized_transformer_stays_small_in_memory_and_draws_nearly_the_same(folder: Path, tmp_path: Path) -> None:
    (weights,) = (folder / "transformer").glob("*.safetensors")
    file = tmp_path / "qwen-image-Q8_0.gguf"
    write_gguf(file, load_file(weights), quantized=True)
    assert np.abs(pixels(folder, str(file)) - pixels(folder)).mean() < 3
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), file=str(file))
    assert TextToImage.load(spec, folder, CPU).nbytes < TextToImage.load(replace(spec, file=""), folder, CPU).nbytes


def test_a_checkpoint_without_settings_beside_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    spec = ModelSpec(name="tiny", task="imagine", repo=str(tmp_path), file="model.safetensors")
    with pytest.raises(ModelUnavailable, match=r"Missing: model_index\.json and the folders with the settings"):
        check_folder(spec)


def test_a_damaged_file_is_refused_with_its_name(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.safetensors"
    file.write_bytes(b"no weights")
    with pytest.raises(ModelUnavailable, match=r"broken\.safetensors is damaged, or of another kind"):
        pixels(folder, str(file))


def _copy_without(source: Path, target: Path, left_out: Path) -> None:
    for path in source.rglob("*"):
        if path.is_file() and path != left_out:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
