"""Test the forecast of the memory that a diffusion model takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.hub import FolderLayout, file_names, loaded_size
from inference.pipelines.devices import Placement
from inference.pipelines.diffusion_memory import diffusion_bytes, network_bytes
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.text_to_image.single_file import networks_in_file
from inference.pipelines.weights import weight_bytes
from inference.types import ModelSpec, Offload, Quantize
from tests.inference.pipelines.text_to_image.tiny_checkpoint import save_checkpoint
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
WAITING = 5 * 10**7
FAMILIES = ["FLUX", "Stable Diffusion 3", "Qwen-Image", "PixArt alpha", "HiDream", "Sana", "Z-Image"]


def spec_of(folder: Path, **options: Any) -> ModelSpec:
    return ModelSpec(name="tiny", task="imagine", repo=str(folder), **options)


@pytest.mark.parametrize("stored", DTYPES)
@pytest.mark.parametrize("loaded", DTYPES)
def test_the_dtype_of_the_files_does_not_change_the_forecast(stored: str, loaded: str, tmp_path: Path) -> None:
    tiny_pipeline("FLUX").to(DTYPES[stored]).save_pretrained(tmp_path)
    pipe = read_pipeline(tmp_path, Placement(torch.device("cpu"), DTYPES[loaded]))
    expected = network_bytes(spec_of(tmp_path), tmp_path, DTYPES[loaded].itemsize)
    assert expected == pytest.approx(weight_bytes(*models_of(pipe)), rel=0.05)


@pytest.mark.parametrize("quantize", ["none", "int8", "int4"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_weights_of_a_family_are_forecast(family: str, quantize: Quantize, tmp_path: Path) -> None:
    tiny_pipeline(family).save_pretrained(tmp_path)
    pipe = read_pipeline(tmp_path, CPU, quantize=quantize)
    expected = network_bytes(spec_of(tmp_path, quantize=quantize), tmp_path, 4)
    assert expected == pytest.approx(weight_bytes(*models_of(pipe)), rel=0.15)


def test_a_file_outside_of_the_repository_is_counted_in_place_of_what_it_replaces(tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path / "repository")
    file = tmp_path / "checkpoint.safetensors"
    expected = weight_bytes(*models_of(read_pipeline(folder, CPU)))
    weights = {path: path.read_bytes() for path in folder.rglob("*.safetensors")}
    save_checkpoint(folder, file)
    for path, content in weights.items():  # what the file replaces is not counted
        path.write_bytes(content)
    spec = spec_of(folder, file=str(file))
    assert networks_in_file(spec, folder, CPU).keys() >= {"unet", "vae", "text_encoder"}
    assert network_bytes(spec, folder, 4) == pytest.approx(expected, rel=0.05)


def test_a_gguf_file_stays_as_it_is_stored(tmp_path: Path) -> None:
    tiny_pipeline("FLUX").save_pretrained(tmp_path)
    transformer = sum(file.stat().st_size for file in (tmp_path / "transformer").glob("*.safetensors"))
    file = tmp_path / "flux.gguf"
    file.write_bytes(bytes(transformer // 4))
    whole = network_bytes(spec_of(tmp_path), tmp_path, 4)
    with_file = network_bytes(spec_of(tmp_path, file="flux.gguf"), tmp_path, 4)
    assert with_file == pytest.approx(whole - transformer * 3 / 4, rel=0.05)


@pytest.mark.parametrize("stored", DTYPES)
def test_the_forecast_before_the_download_is_near_the_one_after_it(stored: str, tmp_path: Path) -> None:
    folder = save_stable_diffusion_xl(tmp_path)
    pipe: Any = read_pipeline(folder, Placement(torch.device("cpu"), DTYPES[stored]))
    pipe.save_pretrained(folder)
    spec = spec_of(folder)
    after = network_bytes(spec, folder, 2)
    weights = sorted(FolderLayout.of(folder).weights(file_names(folder)))
    listed = replace(spec, weight_files=tuple((name, (folder / name).stat().st_size) for name in weights))
    for name in weights:
        (folder / name).unlink()
    assert network_bytes(listed, folder, 2) == pytest.approx(after, rel=0.15)


def test_drawing_takes_more_than_the_weights_and_larger_pictures_take_more(tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path)
    sizes = [
        diffusion_bytes(spec_of(folder, size=size), folder, loaded_size(folder), 4)
        for size in (None, (512, 512), (1024, 1024))
    ]
    weights = weight_bytes(*models_of(read_pipeline(folder, CPU)))
    assert weights < sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("offload", ["none", "model", "group"])
def test_a_gpu_holds_no_libraries(offload: Offload, tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path)
    spec, nbytes = spec_of(folder, offload=offload), loaded_size(folder)
    on_cpu, on_gpu = (diffusion_bytes(spec, folder, nbytes, 4, device) for device in ("cpu", "cuda"))
    assert on_cpu - on_gpu == 280 * 10**6


def test_on_a_gpu_networks_in_one_file_or_in_bin_files_wait_too(tmp_path: Path) -> None:
    tiny_pipeline("FLUX").save_pretrained(tmp_path)
    (tmp_path / "flux.gguf").write_bytes(bytes(WAITING))
    spec = spec_of(tmp_path, file="flux.gguf", offload="model", size=(16, 16))
    network = tmp_path / "text_encoder_2" / "model.safetensors"
    network.unlink()
    network.with_name("pytorch_model.bin").write_bytes(bytes(WAITING))
    on_gpu, on_cpu = (diffusion_bytes(spec, tmp_path, loaded_size(tmp_path), 4, each) for each in ("cuda", "cpu"))
    assert on_gpu < 1.5 * WAITING
    assert on_cpu > 2 * WAITING


def test_companions_are_counted(tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path)
    own = loaded_size(folder)
    alone, with_decoder = (diffusion_bytes(spec_of(folder), folder, own + more, 2) for more in (0, 10**6))
    assert with_decoder - alone == 10**6 // 2
