"""Test diffusion models whose weights are in one file, beside the settings of a diffusers repository."""

from __future__ import annotations

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
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU

CAT = ImagineRequest(prompt="a cat", seed=5, steps=2, width=64, height=64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("z-image")
    tiny_pipeline("Z-Image").save_pretrained(folder)
    return folder


def pixels(folder: Path, file: str = "") -> Any:
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), file=file)
    check_folder(spec)
    (result,) = run(TextToImage.load(spec, folder, CPU), CAT)
    assert isinstance(result, ImageResult), result
    return np.asarray(Image.open(BytesIO(result.pictures[0].png))).astype(int)


def write_gguf(file: Path, tensors: dict[str, Any]) -> None:
    writer = gguf.GGUFWriter(str(file), "lumina2")
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("suffix", ["safetensors", "gguf"])
def test_a_file_with_the_transformer_replaces_the_one_in_its_folder(folder: Path, tmp_path: Path, suffix: str) -> None:
    expected = pixels(folder)
    (weights,) = (folder / "transformer").glob("*.safetensors")
    tensors = load_file(weights)
    file = tmp_path / f"z-image.{suffix}"
    write_gguf(file, tensors) if suffix == "gguf" else save_file(tensors, file)
    without = tmp_path / "repository"
    _copy_without(folder, without, weights)
    assert np.array_equal(pixels(without, str(file)), expected)
    (without / file.name).write_bytes(file.read_bytes())
    assert np.array_equal(pixels(without, f"*.{suffix}"), expected)


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
