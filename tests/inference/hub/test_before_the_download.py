"""What is refused before any weights are downloaded: against a fake hub, with the check that the bot uses."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.hub.fake_hub import FakeHub, sha
from tests.inference.hub.repositories import (
    BERT,
    LLAMA,
    OWN_CODE,
    PIPELINE,
    REPO,
    config_in,
    hub_at,
    model,
    on_disk,
    pipeline,
    refusal,
    spec,
    weights_requested,
)


@pytest.fixture
def fake_hub(fake_hub: FakeHub) -> FakeHub:
    fake_hub.files[REPO] = model(LLAMA)
    return fake_hub


# --- what is accepted --------------------------------------------------------------------------


def test_the_settings_files_come_first_and_the_weights_after_them(fake_hub: FakeHub, tmp_path: Path) -> None:
    folder = hub_at(fake_hub, tmp_path).folder(spec(), ignore_progress)
    sent = [line.rsplit("/", 1)[-1] for line in fake_hub.requests if line.startswith("GET") and "/resolve/" in line]
    assert sorted(sent[:-1]) == ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    assert sent[-1] == "model.safetensors"
    assert folder.name == sha(REPO)
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {REPO: sha(REPO)}


def test_the_weights_are_of_the_same_commit_as_the_settings_files(fake_hub: FakeHub, tmp_path: Path) -> None:
    config = config_in(tmp_path)

    def check(wanted: ModelSpec, folder: Path, nbytes: int) -> None:
        fake_hub.commits[REPO] = sha("a newer commit")

    hub = Hub(config, check=check, endpoint=fake_hub.endpoint, cache=tmp_path / "cache")
    assert hub.folder(spec(), ignore_progress).name == sha(REPO)
    assert {line.split("/")[4] for line in fake_hub.requests if "safetensors" in line} == {sha(REPO)}


def test_the_check_gets_the_sizes_of_the_weights_of_a_pipeline(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = pipeline(PIPELINE)
    checked: list[ModelSpec] = []

    def check(wanted: ModelSpec, folder: Path, nbytes: int) -> None:
        checked.append(wanted)

    hub = Hub(config_in(tmp_path), check=check, endpoint=fake_hub.endpoint, cache=tmp_path / "cache")
    hub.download(spec("imagine"), ignore_progress)
    weights = "diffusion_pytorch_model.safetensors"
    assert checked[0].weight_files == ((f"safety_checker/{weights}", 1000), (f"unet/{weights}", 1000))


def test_progress_counts_settings_files_and_weights_together(fake_hub: FakeHub, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    hub_at(fake_hub, tmp_path).folder(spec(), fractions.append)
    assert fractions == sorted(fractions, key=lambda fraction: fraction or 0)
    assert fractions[-1] == 1.0


def test_a_known_kind_with_code_of_its_own_is_loaded_by_the_library(fake_hub: FakeHub, tmp_path: Path) -> None:
    own = {"auto_map": {"AutoTokenizer": [None, "tokenization_own.OwnTokenizer"]}, "tokenizer_class": "LlamaTokenizer"}
    fake_hub.files[REPO] = model({**LLAMA, "auto_map": {"AutoConfig": "own.OwnConfig"}}, tokenizer_config=own)
    assert hub_at(fake_hub, tmp_path).folder(spec(), ignore_progress)


def test_a_pipeline_with_a_component_of_a_diffusers_pipeline_is_downloaded(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = pipeline(PIPELINE)
    assert hub_at(fake_hub, tmp_path).folder(spec("imagine"), ignore_progress)


def test_a_model_that_is_not_listed_may_be_of_any_task(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = model(BERT)
    assert hub_at(fake_hub, tmp_path).download(spec(""), ignore_progress)
    fake_hub.files["org/own"] = model({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]})
    assert refusal(hub_at(fake_hub, tmp_path), spec("", "org/own")).startswith(
        "tiny is of a kind that no command can use (Wav2Vec2ForCTC). Models here are: "
    )


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "files", "sentence"),
    [
        ("complete", model(BERT), "tiny can't serve /complete: it is of another kind (BertForMaskedLM)."),
        ("imagine", model(LLAMA), "tiny can't serve /imagine: it is of another kind (LlamaForCausalLM)."),
        ("complete", model({}), "tiny can't serve /complete: it is of another kind (?)."),
        ("complete", model({"model_type": [], "architectures": "x"}), "it is of another kind (?)."),
        ("imagine", pipeline({**PIPELINE, "_class_name": "AudioLDM2Pipeline"}), "another kind (AudioLDM2Pipeline)."),
        ("complete", pipeline(PIPELINE), "another kind (StableDiffusionPipeline)."),
    ],
)
def test_a_model_of_another_kind(
    fake_hub: FakeHub, tmp_path: Path, task: str, files: dict[str, bytes], sentence: str
) -> None:
    fake_hub.files[REPO] = files
    assert sentence in refusal(hub_at(fake_hub, tmp_path), spec(task))
    assert weights_requested(fake_hub) == []


@pytest.mark.parametrize(
    ("task", "files"),
    [
        ("complete", model(OWN_CODE)),
        ("complete", model({"auto_map": {"AutoModel": "own.Own"}})),
        ("complete", model(LLAMA, tokenizer_config={"auto_map": {"AutoTokenizer": ["own.Own", None]}})),
        (
            "caption",
            model(
                {"model_type": "vision-encoder-decoder"},
                tokenizer_config={"auto_map": ["tokenization_own.Own", None], "tokenizer_class": "OwnTokenizerFast"},
            ),
        ),
        ("imagine", pipeline({**PIPELINE, "_class_name": ["pipeline", "OwnPipeline"]})),
        ("imagine", pipeline({**PIPELINE, "_class_name": "OwnPipeline"})),
        ("imagine", pipeline({**PIPELINE, "unet": ["my_unet", "OwnUNet"]})),
    ],
)
def test_a_model_with_code_of_its_own(fake_hub: FakeHub, tmp_path: Path, task: str, files: dict[str, bytes]) -> None:
    fake_hub.files[REPO] = files
    assert refusal(hub_at(fake_hub, tmp_path), spec(task)) == (
        "tiny comes with its own program code, which is not run here. "
        "The bot's operator has to pick a model that transformers or diffusers can load by themselves."
    )
    assert weights_requested(fake_hub) == []


@pytest.mark.parametrize(
    ("quantization", "sentence"),
    [
        ({"quant_method": "gptq"}, "gptq, and what reads it is not installed here. The bot's operator has to install"),
        ({"quant_method": "awq"}, "(`pip install gptqmodel`)"),
        ({"quant_method": "compressed-tensors"}, "(`pip install 'compressed-tensors>=0.15'`)"),
        ({"load_in_4bit": True}, "(`pip install 'bitsandbytes>=0.46.1'`)"),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "nvfp4-pack-quantized",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "float"}}},
            },
            "in the number format compressed-tensors (nvfp4-pack-quantized), which is not read here.",
        ),
        ({"quant_method": "torchao"}, "in the number format torchao, which is not read here."),
        ({"quant_method": "fbgemm_fp8"}, "in the number format fbgemm_fp8, which is not read here."),
        ({"quant_method": "modelopt"}, "in the number format modelopt, which is not read here."),
        ({"bits": 4}, "in the number format ?, which is not read here."),
        (["gptq"], "in the number format ?, which is not read here."),
    ],
)
def test_numbers_that_cannot_be_read(fake_hub: FakeHub, tmp_path: Path, quantization: object, sentence: str) -> None:
    fake_hub.files[REPO] = model({**LLAMA, "quantization_config": quantization})
    assert sentence in refusal(hub_at(fake_hub, tmp_path), spec())
    assert weights_requested(fake_hub) == []


def test_numbers_of_a_component_that_cannot_be_read(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = pipeline(PIPELINE, unet={"quantization_config": {"quant_method": "bitsandbytes"}})
    message = refusal(hub_at(fake_hub, tmp_path), spec("imagine"))
    assert "in the number format bitsandbytes (diffusers), which is not read here." in message
    assert weights_requested(fake_hub) == []


def test_a_number_format_is_read_once_its_package_is_installed(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packages" / "compressed_tensors").mkdir(parents=True)
    (tmp_path / "packages" / "compressed_tensors" / "__init__.py").touch()
    fake_hub.files[REPO] = model({**LLAMA, "quantization_config": {"quant_method": "compressed-tensors"}})
    hub = hub_at(fake_hub, tmp_path)
    refusal(hub, spec())
    monkeypatch.syspath_prepend(tmp_path / "packages")
    importlib.invalidate_caches()
    assert hub.folder(spec(), ignore_progress)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["model-00001-of-00002.gguf", "model-00002-of-00002.gguf"], "a GGUF model in several files"),
        (["config.json", "flax_model.msgpack", "tf_model.h5"], "Flax weights, TensorFlow weights"),
        (["config.json", "onnx/model.onnx"], "ONNX files"),
        (["v1-5-pruned.safetensors", "v1-5-pruned.ckpt"], "a checkpoint in a single file"),
        (["adapter_config.json", "adapter_model.safetensors", "training_args.bin"], "an adapter (LoRA) for another"),
        (["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"], "a part of sharded"),
    ],
)
def test_weights_in_a_format_that_is_not_read(fake_hub: FakeHub, tmp_path: Path, names: list[str], found: str) -> None:
    fake_hub.files[REPO] = dict.fromkeys([*names, "README.md"], b"{}")
    message = refusal(hub_at(fake_hub, tmp_path), spec())
    assert f"org/tiny has no weights that can be read here: it has only {found}" in message
    assert "Needed are safetensors files or pytorch_model.bin" in message
    assert weights_requested(fake_hub) == []


def test_a_repository_without_any_weights(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = {"config.json": b"{}", "training_args.bin": b"x"}
    assert "has no weights that can be read here (safetensors or" in refusal(hub_at(fake_hub, tmp_path), spec())


def test_a_model_larger_than_the_memory(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.claimed_sizes["model.safetensors"] = 3 * 10**9
    assert refusal(hub_at(fake_hub, tmp_path, memory="1 GB"), spec()) == (
        "tiny needs about 3.0 GB of memory, and the bot may use 1.0 GB. With `quantize: int8` it needs 750 MB: the "
        "bot's operator has to set that for it in config.yaml, to raise `memory`, or to pick a smaller model."
    )
    assert refusal(hub_at(fake_hub, tmp_path, memory="0.4 GB"), spec()) == (
        "tiny needs about 3.0 GB of memory, or 428 MB with `quantize: int4`, and the bot may use 400 MB. "
        "The bot's operator has to pick a smaller model, or to raise `memory`."
    )
    assert refusal(hub_at(fake_hub, tmp_path, memory="0.4 GB"), spec(quantize="int4")) == (
        "tiny needs about 428 MB of memory, and the bot may use 400 MB. "
        "The bot's operator has to pick a smaller model, or to raise `memory`."
    )
    assert weights_requested(fake_hub) == []


def test_the_memory_counts_in_the_numbers_that_the_model_is_loaded_in(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.claimed_sizes["model.safetensors"] = 2 * 10**9
    hub = hub_at(fake_hub, tmp_path, memory="1 GB")
    fake_hub.files[REPO] = model({**LLAMA, "torch_dtype": "bfloat16"})
    assert "needs about 4.0 GB of memory" in refusal(hub, spec())
    fake_hub.files["org/mxfp4"] = model({**LLAMA, "quantization_config": {"quant_method": "mxfp4"}})
    assert "needs about 15.1 GB of memory" in refusal(hub, spec(repo="org/mxfp4"))
    eight_bits = {"quant_method": "mxfp4", "config_groups": {"all": {"weights": {"num_bits": 8}}, "none": None}}
    fake_hub.files["org/eight"] = model({**LLAMA, "quantization_config": eight_bits})
    assert "needs about 8.0 GB of memory" in refusal(hub, spec(repo="org/eight"))


def test_a_model_larger_than_the_disk_is_refused_for_its_kind_first(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.claimed_sizes["model.safetensors"] = 10**15
    hub = hub_at(fake_hub, tmp_path, memory="10000000 GB")
    assert "1,000,000.0 GB on the bot's disk" in refusal(hub, spec())
    assert "can't serve /caption" in refusal(hub, spec("caption"))
    assert weights_requested(fake_hub) == []


def test_a_gate_is_met_at_the_first_settings_file(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.gated.add(REPO)
    message = refusal(hub_at(fake_hub, tmp_path), spec())
    assert "accept it on https://huggingface.co/org/tiny and set HF_TOKEN" in message
    assert weights_requested(fake_hub) == []
    assert fake_hub.requested_files()


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b""])
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "generation_config.json"])
def test_a_damaged_settings_file(fake_hub: FakeHub, tmp_path: Path, name: str, content: bytes) -> None:
    fake_hub.files[REPO][name] = content
    assert refusal(hub_at(fake_hub, tmp_path), spec()) == (
        f"tiny can't be used, since its file {name} is damaged: it holds no valid JSON object. "
        "The bot's operator can delete it with `.venv/bin/hf cache rm model/org/tiny`, and fetch it again with "
        "`.venv/bin/python -m inference download org/tiny`. If that does not help, its makers have to repair it."
    )
    assert weights_requested(fake_hub) == []


def test_a_repository_without_a_tokenizer(fake_hub: FakeHub, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "vocab.txt"):
        del fake_hub.files[REPO][name]
    assert refusal(hub_at(fake_hub, tmp_path), spec()).startswith(
        "tiny has no tokenizer that can be read here: a file like tokenizer.json, vocab.txt or tokenizer.model is "
        "missing. The bot's operator has to pick another model"
    )
    assert weights_requested(fake_hub) == []


def test_a_damaged_index_of_a_pipeline(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files[REPO] = {**pipeline(PIPELINE), "model_index.json": b"["}
    assert "its file model_index.json is damaged" in refusal(hub_at(fake_hub, tmp_path), spec("imagine"))
    local = on_disk(tmp_path / "here", fake_hub.files[REPO])
    assert "its file model_index.json is damaged" in refusal(hub_at(fake_hub, tmp_path), spec("imagine", str(local)))


# --- again -------------------------------------------------------------------------------------


def test_a_refused_model_is_checked_again_without_a_download(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    fake_hub.files[REPO] = model(BERT)
    first = refusal(hub, spec())
    fake_hub.requests.clear()
    assert refusal(hub, spec()) == first
    assert fake_hub.requested_files() == set()
    assert not (tmp_path / "data" / "commits.json").exists()
    assert hub.folder(spec("fill"), ignore_progress).name == sha(REPO)
    assert fake_hub.requested_files() == {"model.safetensors"}


def test_a_repository_that_was_corrected_is_downloaded(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    fake_hub.files[REPO] = model(BERT)
    refusal(hub, spec())
    fake_hub.files[REPO], fake_hub.commits[REPO] = model(LLAMA), sha("corrected")
    assert hub.folder(spec(), ignore_progress).name == sha("corrected")


def test_a_complete_model_is_checked_by_the_download_command_too(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    hub.download(spec(), ignore_progress)
    with pytest.raises(ModelUnavailable, match="can't serve /imagine"):
        hub.download(spec("imagine"), ignore_progress)
    fake_hub.requests.clear()
    hub.download(spec(), ignore_progress)
    assert fake_hub.requests == []
