"""Repositories for the check of models: their files, and a hub that checks as the bot's does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.backends.model_check import ModelCheck
from inference.config.schema import Config
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.hub.fake_hub import FakeHub

REPO = "org/tiny"
LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "float32"}
BERT = {"model_type": "bert", "architectures": ["BertForMaskedLM"]}
OWN_CODE = {
    "model_type": "own",
    "architectures": ["OwnForCausalLM"],
    "auto_map": {"AutoModelForCausalLM": "modeling_own.OwnForCausalLM"},
}
PIPELINE: dict[str, Any] = {
    "_class_name": "StableDiffusionPipeline",
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}
WEIGHTS = ("safetensors", "bin", "gguf", "msgpack", "h5", "onnx", "ckpt")


def spec(task: str = "complete", repo: str = REPO, **options: Any) -> ModelSpec:
    return ModelSpec(name="tiny", task=task, repo=repo, device="cpu", dtype="float32", **options)


def config_in(folder: Path, **settings: Any) -> Config:
    return Config(data=folder / "data", **settings)


def hub_at(fake_hub: FakeHub, folder: Path, **settings: Any) -> Hub:
    config = config_in(folder, **settings)
    return Hub(config, check=ModelCheck(config), endpoint=fake_hub.endpoint, cache=folder / "cache")


def model(config: object, **others: object) -> dict[str, bytes]:
    """Return the files of a model with this config; other settings files by their name without .json."""
    settings = {"config": config, "tokenizer_config": {}, "tokenizer": {"version": "1.0"}, **others}
    return {f"{name}.json": json.dumps(content).encode() for name, content in settings.items()} | {
        "vocab.txt": b"a\n",
        "model.safetensors": b"w" * 1000,
        "README.md": b"#",
        "modeling_own.py": b"raise SystemExit",
    }


def pipeline(index: object, **configs: object) -> dict[str, bytes]:
    """Return the files of a diffusers repository with this index; configs of components by their folder."""
    configs = {"unet": {}, "safety_checker": {}, **configs}
    files = {"model_index.json": json.dumps(index).encode()}
    for folder, content in configs.items():
        files |= {
            f"{folder}/config.json": json.dumps(content).encode(),
            f"{folder}/diffusion_pytorch_model.safetensors": b"w" * 1000,
        }
    return files


def refusal(hub: Hub, wanted: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        hub.folder(wanted, ignore_progress)
    assert hub.state(wanted) == ("not downloaded", 0)
    return caught.value.user_message


def weights_requested(fake_hub: FakeHub) -> list[str]:
    return sorted(name for name in fake_hub.requested_files() if name.endswith(WEIGHTS))


def on_disk(folder: Path, files: dict[str, bytes]) -> Path:
    """Write the files into `folder`, and return it."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
