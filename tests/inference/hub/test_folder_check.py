"""Test that a model on disk is refused for the same reasons by the check and when it is loaded, without a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.local import LocalBackend
from inference.backends.model_check import ModelCheck
from inference.backends.model_manager import ModelManager
from inference.config.schema import Config
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.types.errors import ModelUnavailable
from tests.inference.hub.fake_hub import FakeHub
from tests.inference.hub.repositories import (
    BERT,
    LLAMA,
    OWN_CODE,
    PIPELINE,
    config_in,
    hub_at,
    model,
    on_disk,
    pipeline,
    spec,
)


@pytest.mark.parametrize(
    ("task", "files", "sentence"),
    [
        ("complete", model(BERT), "can't serve /complete"),
        ("chat", model(LLAMA), "has no chat template, so it can't hold a conversation"),
        ("complete", model(OWN_CODE), "comes with its own program code"),
        ("complete", model({**LLAMA, "quantization_config": {"quant_method": "gptq"}}), "the number format gptq"),
        ("complete", model({**LLAMA, "pad": "x" * 10**4}), "and the bot may use 10 kB"),
        ("complete", {**model(LLAMA), "config.json": b"{"}, "its file config.json is damaged"),
        ("complete", {**model(LLAMA), "config.json": b"[]"}, "its file config.json is damaged"),
        ("imagine", {**pipeline(PIPELINE), "model_index.json": b"["}, "its file model_index.json is damaged"),
        ("imagine", pipeline({**PIPELINE, "unet": ["my_unet", "OwnUNet"]}), "comes with its own program code"),
        (
            "complete",
            {"config.json": b"{}", "model.onnx": b""},
            "Missing: weights (safetensors or pytorch_model.bin; found: ONNX files), a file of the tokenizer",
        ),
        ("complete", {"config.json": b"[", "model.onnx": b""}, "its file config.json is damaged"),
        ("complete", {"config.json": b"{}", "model.safetensors": b""}, "Missing: a file of the tokenizer"),
        *(
            ("complete", {**model(LLAMA), name: b'{"cut": '}, f"its file {name} is damaged")
            for name in ("generation_config.json", "tokenizer.json", "special_tokens_map.json")
        ),
    ],
)
def test_a_folder_is_refused_for_the_same_reasons_at_the_check_and_when_it_is_loaded(
    fake_hub: FakeHub, tmp_path: Path, task: str, files: dict[str, bytes], sentence: str
) -> None:
    folder = on_disk(tmp_path / "here", files)
    listed = {"name": "tiny", "repo": str(folder), "device": "cpu", "dtype": "float32"}
    config = Config.model_validate({"data": tmp_path / "data", "memory": "0.01 MB", "models": {task: [listed]}})
    hub = Hub(config, check=ModelCheck(config), endpoint=fake_hub.endpoint, cache=tmp_path / "cache")
    backend = LocalBackend(config, hub)
    (at_check,) = backend.problems() or backend.device_problems()
    assert sentence in at_check
    with (
        pytest.raises(ModelUnavailable) as at_load,
        ModelManager("cpu", config, hub).lease(spec(task, str(folder)), ignore_progress),
    ):
        pass
    assert at_load.value.__cause__ is None
    if "may use" not in sentence:
        assert at_check.replace(str(folder), "tiny").endswith(f": {at_load.value.user_message}")
    assert fake_hub.requests == []


def test_the_check_of_a_model_that_is_not_downloaded_asks_nothing(fake_hub: FakeHub, tmp_path: Path) -> None:
    config = config_in(tmp_path)
    manager = ModelManager("cpu", config, hub_at(fake_hub, tmp_path))
    manager.check(spec(), config, probe=False)
    assert fake_hub.requests == []
