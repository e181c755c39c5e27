"""Which files of a diffusion model are read if `file` names the one with its weights."""

from __future__ import annotations

from inference.hub import is_complete, wanted_files

PARTS = ("scheduler", "tokenizer", "transformer", "vae")
SETTINGS = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "tokenizer/vocab.json",
    "transformer/config.json",
    "vae/config.json",
}
WEIGHTS = {f"{part}/diffusion_pytorch_model.safetensors" for part in ("transformer", "vae")}
FILES = {"model.safetensors", "model-Q4_0.gguf", "model-Q8_0.gguf"}


def test_a_file_takes_the_place_of_the_transformer_alone() -> None:
    wanted = {*wanted_files(SETTINGS | WEIGHTS | FILES, PARTS, file="*.gguf")}
    assert wanted == SETTINGS | {"vae/diffusion_pytorch_model.safetensors", "model-Q8_0.gguf"}


def test_without_a_file_no_checkpoint_beside_the_parts_is_read() -> None:
    assert {*wanted_files(SETTINGS | WEIGHTS | FILES, PARTS)} == SETTINGS | WEIGHTS


def test_a_model_with_a_file_is_complete_with_the_settings_of_its_parts() -> None:
    assert is_complete(SETTINGS | {"model.safetensors"}, PARTS, file="model.safetensors")
    assert is_complete(SETTINGS, PARTS, file="/elsewhere/model.safetensors")
    assert not is_complete(SETTINGS, PARTS, file="model.safetensors")
    assert not is_complete((SETTINGS | {"model.safetensors"}) - {"vae/config.json"}, PARTS, file="model.safetensors")
