"""Test diffusion models whose networks are in memory only while they work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from inference.pipelines.diffusion_memory import can_be_offloaded
from inference.pipelines.text_to_image import TextToImage
from inference.pipelines.text_to_image.loading import read_pipeline
from inference.pipelines.text_to_image.offload import DiskOffload, MainMemoryOffload, offload_for
from inference.pipelines.weights import weight_bytes
from inference.tasks import ImagineRequest
from inference.types import ModelSpec, Offload
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU, generate, pngs
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_stable_diffusion_xl

CAT = ImagineRequest(prompt="a cat", negative_prompt="a dog", seed=5, steps=2, width=64, height=64)


def load(folder: Path, offload: Offload) -> TextToImage:
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), offload=offload)
    return TextToImage.load(spec, folder, CPU)


def resident(pipe: Any) -> set[str]:
    """Return the components of which any weights are in memory."""
    networks = {name: part for name, part in pipe.components.items() if isinstance(part, torch.nn.Module)}
    return {
        name
        for name, part in networks.items()
        if any(weight.untyped_storage().nbytes() >= weight.nbytes for weight in part.parameters() if weight.numel() > 1)
    }


@pytest.mark.parametrize("family", ["FLUX", "Stable Diffusion 3", "HiDream", "Z-Image", "Sana", "Kandinsky 2.2"])
def test_pictures_are_the_same_to_the_byte(family: str, tmp_path: Path) -> None:
    tiny_pipeline(family).save_pretrained(tmp_path)
    expected = pngs(*generate(load(tmp_path, "none"), CAT))
    pipeline = load(tmp_path, "model")
    assert pngs(*generate(pipeline, CAT)) == expected
    assert pngs(*generate(pipeline, CAT)) == expected, "the second picture"


def test_only_one_kind_of_network_is_in_memory_at_a_time(tmp_path: Path) -> None:
    save_stable_diffusion_xl(tmp_path)
    offload = DiskOffload(CPU.device)
    pipe = read_pipeline(tmp_path, CPU, offload=offload)
    seen: list[set[str]] = []
    for part in (pipe.text_encoder_2, pipe.unet, pipe.vae.decoder):
        part.register_forward_hook(lambda *_: seen.append(resident(pipe)))
    assert resident(pipe) == {"vae"}
    generate(TextToImage(pipe, offload=offload), replace(CAT, steps=1))
    unique = [each for index, each in enumerate(seen) if each not in seen[:index]]
    assert unique == [{"vae", "text_encoder", "text_encoder_2"}, {"vae", "unet"}, {"vae"}]
    assert resident(pipe) == {"vae"}


def test_its_size_is_that_of_what_is_in_memory_together(tmp_path: Path) -> None:
    save_stable_diffusion_xl(tmp_path)
    pipe = read_pipeline(tmp_path, CPU)
    encoders = weight_bytes(pipe.text_encoder, pipe.text_encoder_2)
    largest = max(encoders, weight_bytes(pipe.unet))
    assert load(tmp_path, "model").nbytes == pytest.approx(weight_bytes(pipe.vae) + largest, rel=0.02)


def test_the_safety_checker_stays_in_memory(tmp_path: Path) -> None:
    save_stable_diffusion(tmp_path)
    pipe = read_pipeline(tmp_path, CPU, offload=DiskOffload(CPU.device))
    assert resident(pipe) == {"vae", "safety_checker"}
    assert not can_be_offloaded("safety_checker")


@pytest.mark.parametrize("layer", ["attn1.to_q", "proj_in"], ids=["linear", "convolution"])
def test_a_lora_draws_the_same_and_leaves_nothing_behind(layer: str, tmp_path: Path) -> None:
    folder = save_stable_diffusion(tmp_path / "model", checker=False)
    loras = tmp_path / "loras"
    loras.mkdir()
    unet: Any = read_pipeline(folder, CPU).unet
    name = next(name for name, _ in unet.named_modules() if name.endswith(layer))
    weight = unet.get_submodule(name).weight
    kernel = (1,) * (weight.ndim - 2)
    torch.manual_seed(1)
    adapter = {
        f"unet.{name}.lora_A.weight": torch.randn(2, weight.shape[1], *kernel),
        f"unet.{name}.lora_B.weight": torch.randn(weight.shape[0], 2, *kernel),
    }
    save_file(adapter, loras / "style.safetensors")
    spec = ModelSpec(name="tiny", task="imagine", repo=str(folder), loras=str(loras))
    plain, offloaded = (TextToImage.load(replace(spec, offload=each), folder, CPU) for each in ("none", "model"))
    styled = replace(CAT, lora="style")
    expected = pngs(*generate(plain, CAT), *generate(plain, styled))
    assert expected[0] != expected[1]
    drawn = [png for request in (CAT, styled, CAT) for png in pngs(*generate(offloaded, request))]
    assert drawn == [*expected, expected[0]]


class RecordingPipeline:
    """Stands for a pipeline on a machine with a GPU."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, torch.device]] = []

    def enable_model_cpu_offload(self, device: torch.device) -> None:
        self.calls.append(("model", device))

    def enable_group_offload(self, onload_device: torch.device, **_: Any) -> None:
        self.calls.append(("group", onload_device))

    def maybe_free_model_hooks(self) -> None:
        self.calls.append(("released", torch.device("cpu")))


@pytest.mark.parametrize("offload", ["model", "group"])
def test_on_a_gpu_networks_wait_in_main_memory(offload: Offload) -> None:
    device, pipe = torch.device("cuda", 0), RecordingPipeline()
    found = offload_for(offload, device)
    assert isinstance(found, MainMemoryOffload)
    found.release()  # before there is a pipeline
    found.attach(pipe)
    found.release()  # also after a cancelled drawing
    assert pipe.calls == [(offload, device), ("released", torch.device("cpu"))]
    assert offload_for("none", device) is None
    networks = [torch.nn.Linear(width, 100, bias=False) for width in (10, 30)]
    assert found.device_bytes(networks) == (30 * 400 if offload == "model" else 40 * 400 // 20)
