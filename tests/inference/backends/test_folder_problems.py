"""What `--check-config` says of models that are folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.local import LocalBackend
from inference.config.loading import load_config
from inference.hub.hub import Hub
from tests.inference.pipelines.tiny_causal import save_causal
from tests.inference.pipelines.tiny_images import save_stable_diffusion

WEIGHTS = "weights (safetensors or pytorch_model.bin"
TOKENIZER = "a file of the tokenizer (tokenizer.json, vocab.txt, tokenizer.model or the like)"
INDEX = "model.safetensors.index.json"


def shard(number: int, count: int) -> str:
    return f"model-{number:05}-of-{count:05}.safetensors"


def incomplete(folder: Path, missing: str) -> str:
    return (
        f"The model {folder} is not complete. Missing: {missing}. "
        "The bot's operator has to add this, or correct the model's `repo` in config.yaml."
    )


def problems(folder: Path, settings: str) -> list[str]:
    (folder / "config.yaml").write_text(settings)
    config = load_config(folder / "config.yaml")
    backend = LocalBackend(config, Hub(config, endpoint="http://127.0.0.1:9", cache=folder / "cache"))
    return [*backend.problems(), *backend.device_problems()]


def test_a_folder_that_is_not_there_is_reported_with_its_path_and_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "models:\n  complete:\n    - org/a\n    - ./nowhere\n") == [
        f"line 4, models.complete[1]: {incomplete(tmp_path / 'nowhere', 'the folder itself')}"
    ]


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        (
            [],
            f"config.json, weights (safetensors or pytorch_model.bin), {TOKENIZER}",
        ),
        (["config.json", "tokenizer.json"], "weights (safetensors or pytorch_model.bin)"),
        (["model.safetensors", "vocab.txt"], "config.json"),
        (["config.json", "model.safetensors"], TOKENIZER),
        (["config.json", "model.safetensors", "tokenizer_config.json", "special_tokens_map.json"], TOKENIZER),
        (["model_index.json"], "components in model_index.json"),
        (["config.json", "tokenizer.json", "tf_model.h5"], f"{WEIGHTS}; found: TensorFlow weights)"),
        (["vocab.txt", "v1-5-pruned.ckpt"], f"config.json, {WEIGHTS}; found: a checkpoint in a single file)"),
        (["config.json", "vocab.txt", INDEX], f"{WEIGHTS})"),
        (["config.json", "vocab.txt", INDEX, shard(1, 2)], shard(2, 2)),
        (["config.json", "vocab.txt", shard(1, 2), shard(2, 2)], INDEX),
        (["config.json", "vocab.txt", INDEX, shard(3, 9)], f"{shard(1, 9)}, {shard(2, 9)}, {shard(4, 9)}, …"),
    ],
)
def test_what_a_folder_lacks_is_named(tmp_path: Path, files: list[str], missing: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}" if name.endswith(".json") else "")
    problem = problems(tmp_path, "models: {complete: [./model]}")[0]
    assert problem == f"line 1, models.complete[0]: {incomplete(folder, missing)}"


def test_a_painter_without_one_of_its_parts_is_reported(tmp_path: Path) -> None:
    painter = save_stable_diffusion(tmp_path / "painter")
    for file in (painter / "vae").iterdir():
        file.unlink()
    (problem,) = problems(tmp_path, "models: {imagine: [./painter]}")
    assert problem.endswith(incomplete(painter, "vae/"))


def test_a_painter_without_the_weights_of_a_part_is_reported(tmp_path: Path) -> None:
    painter = save_stable_diffusion(tmp_path / "painter")
    (weights,) = (painter / "vae").glob("*.safetensors")
    weights.unlink()
    (problem,) = problems(tmp_path, "models: {imagine: [./painter]}")
    assert problem.endswith(incomplete(painter, "weights in vae/"))
    (painter / "vae" / weights.name.replace(".", "-00001-of-00002.")).touch()
    (problem,) = problems(tmp_path, "models: {imagine: [./painter]}")
    assert "Missing: vae/diffusion_pytorch_model.safetensors.index.json, vae/diffusion_pytorch_model-00002" in problem


def test_a_flax_model_without_its_weights_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "dalle"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "dallebart"}')
    (folder / "tokenizer.json").write_text("{}")
    (problem,) = problems(tmp_path, "models: {imagine: [./dalle]}")
    assert problem.endswith(incomplete(folder, "flax_model.msgpack"))


@pytest.mark.parametrize("files", [["config.json"], ["config.json", "model.safetensors", "vocab.txt"]])
def test_a_damaged_file_is_reported_once(tmp_path: Path, files: list[str]) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("[")
    (problem,) = problems(tmp_path, "models: {complete: [./model]}")
    assert problem.startswith(
        f"line 1, models.complete[0]: {folder} can't be used, since its file config.json is damaged"
    )


def test_a_tokenizer_of_bytes_needs_no_vocabulary(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}')
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "ByT5Tokenizer"}')
    (folder / "model.safetensors").touch()
    assert problems(tmp_path, "models: {summarize: [./model]}") == []


def test_a_folder_and_a_device_that_are_missing_are_both_reported(tmp_path: Path) -> None:
    first, second = problems(tmp_path, "models: {fill: [{repo: ./nowhere, device: 'cuda:99'}]}")
    assert "Missing: the folder itself." in first
    assert "models.fill[0].device: cuda:99 is not on this machine" in second


def test_a_model_under_a_task_of_another_kind_is_reported(tmp_path: Path) -> None:
    save_causal(tmp_path / "text", "gpt2")
    save_stable_diffusion(tmp_path / "painter")
    first, second = problems(tmp_path, "models:\n  caption: [./painter]\n  imagine: [./text]\n")
    assert first.startswith("line 2, models.caption[0]: painter can't serve /caption: it is of another kind")
    assert second.startswith("line 3, models.imagine[0]: text can't serve /imagine: it is of another kind")


def test_the_problems_of_models_are_in_the_order_of_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, "models:\n  mood: [./a]\n  fill:\n    - ./b\n    - ./c\n  complete: [./d]\n")
    assert [problem.split(",")[0] for problem in found] == ["line 2", "line 4", "line 5", "line 6"]


def test_a_budget_too_small_for_a_model_is_named_in_its_own_unit(tmp_path: Path) -> None:
    save_causal(tmp_path / "text", "gpt2")
    (problem,) = problems(tmp_path, "memory: 0.01 MB\nmodels: {complete: [./text]}")
    assert problem.startswith("line 2, models.complete[0]: text needs about ")
    assert " kB of memory, or 68 kB with `quantize: int4`, and the bot may use 10 kB. " in problem


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("offload: group", "`offload: group`, which needs a GPU with CUDA"),
        ("offload: model, quantize: int8", "both `offload` and `quantize`, which needs a GPU with CUDA"),
    ],
)
def test_what_a_cpu_can_not_do_is_reported_before_anything_is_loaded(tmp_path: Path, options: str, reason: str) -> None:
    save_stable_diffusion(tmp_path / "painter")
    [problem] = problems(tmp_path, f"models:\n  imagine:\n    - {{repo: ./painter, device: cpu, {options}}}\n")
    assert problem.startswith(f"line 3, models.imagine[0]: painter can't be loaded with {reason}.")
