"""Test which model files are needed, found, downloaded and pinned, with a fake hub on this machine."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from inference.config.schema import Config
from inference.hub import components_of, is_complete, wanted_files
from inference.hub.hub import Hub
from inference.hub.hub_errors import explain
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, RequestCancelled
from tests.inference.hub.fake_hub import FakeHub, sha

TINY = {
    "config.json": b"{}",
    "vocab.txt": b"a\nb\n",
    "model.safetensors": b"w" * 1000,
    "flax_model.msgpack": b"f" * 500,
    "README.md": b"#",
}
GPT2 = ["config.json", "generation_config.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "vocab.json"]
PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "requires_safety_checker": True,
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}
COMPONENTS = components_of(PIPELINE)
DIFFUSERS = [
    "feature_extractor/preprocessor_config.json",
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
]


def spec(repo: str = "org/tiny", revision: str | None = None) -> ModelSpec:
    return ModelSpec(name=repo.rsplit("/", 1)[-1], task="fill", repo=repo, revision=revision)


def hub_at(fake: FakeHub, folder: Path, *, download: bool = True) -> Hub:
    return Hub(Config(data=folder / "data", download=download), endpoint=fake.endpoint, cache=folder / "cache")


def ignore_progress(fraction: float | None) -> None:
    pass


# --- needed files -----------------------------------------------------------------------------


def test_safetensors_are_downloaded_and_other_formats_are_not() -> None:
    others = ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "rust_model.ot", "64.tflite", "README.md"]
    folders = ["onnx/decoder_model.onnx", "onnx/config.json", "coreml/model.mlpackage/weights.bin"]
    assert wanted_files([*GPT2, "model.safetensors", *others, *folders]) == sorted([*GPT2, "model.safetensors"])


def test_a_bin_file_is_downloaded_if_there_are_no_safetensors() -> None:
    assert wanted_files([*GPT2, "pytorch_model.bin", "flax_model.msgpack", "training_args.bin"]) == sorted(
        [*GPT2, "pytorch_model.bin"]
    )


def test_all_safetensors_shards_and_their_index_are_downloaded() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    others = ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json", "model.fp16.safetensors"]
    assert wanted_files(["config.json", *shards, *others]) == sorted(["config.json", *shards])


def test_sentencepiece_models_and_chat_templates_are_downloaded() -> None:
    names = ["chat_template.jinja", "config.json", "model.safetensors", "spiece.model", "tokenizer.model"]
    assert wanted_files(names) == names


def test_the_components_of_a_diffusers_pipeline_are_downloaded_without_checkpoints_and_variants() -> None:
    unneeded = [
        "sd-v1-4.ckpt",
        "v1-5-pruned.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "text_encoder/pytorch_model.bin",
        "text_encoder/flax_model.msgpack",
        "image_encoder/model.safetensors",
        "vae_decoder/model.onnx",
    ]
    assert wanted_files([*DIFFUSERS, *unneeded], COMPONENTS) == DIFFUSERS


def test_a_component_without_safetensors_falls_back_to_its_bin_file() -> None:
    names = [name for name in DIFFUSERS if not name.startswith("unet/diffusion")]
    legacy = "unet/diffusion_pytorch_model.bin"
    assert legacy in wanted_files([*names, legacy], COMPONENTS)


def test_disabled_components_and_settings_are_not_components() -> None:
    assert COMPONENTS == ["feature_extractor", "scheduler", "text_encoder", "tokenizer", "unet"]


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_model_without_config_or_weights_is_incomplete(missing: str) -> None:
    assert is_complete(TINY)
    assert not is_complete(set(TINY) - {missing})


@pytest.mark.parametrize("missing", DIFFUSERS[:1] + DIFFUSERS[2:5] + DIFFUSERS[-1:])
def test_a_pipeline_without_one_of_its_components_is_incomplete(missing: str) -> None:
    assert is_complete(DIFFUSERS, COMPONENTS)
    assert not is_complete(set(DIFFUSERS) - {missing}, COMPONENTS)


def test_a_model_with_a_missing_shard_is_incomplete() -> None:
    shards = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    names = ["config.json", "model.safetensors.index.json", *shards]
    assert is_complete(names)
    assert not is_complete(names[:-1])
    assert not is_complete(names[:2])


# --- downloads --------------------------------------------------------------------------------


def test_the_first_use_of_a_model_downloads_only_the_files_it_needs(fake_hub: FakeHub, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    folder = hub_at(fake_hub, tmp_path).folder(spec(), fractions.append)
    assert (folder / "model.safetensors").read_bytes() == TINY["model.safetensors"]
    assert fake_hub.downloaded_files() == ["config.json", "model.safetensors", "vocab.txt"]
    assert fractions == sorted(fractions, key=lambda f: f or 0)
    assert fractions[-1] == 1.0


def test_a_downloaded_model_is_on_disk_and_loads_without_a_request_to_the_hub(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    hub = hub_at(fake_hub, tmp_path)
    assert hub.state(spec()) == ("not downloaded", 0)
    folder = hub.folder(spec(), ignore_progress)
    fake_hub.requests.clear()
    assert hub.state(spec()) == ("on disk", 2 + 4 + 1000)
    assert hub.folder(spec(), ignore_progress) == folder
    assert hub.download(spec(), ignore_progress) == folder
    assert fake_hub.requests == []


def test_later_loads_use_the_recorded_commit(fake_hub: FakeHub, tmp_path: Path) -> None:
    first = hub_at(fake_hub, tmp_path).download(spec(), ignore_progress)
    fake_hub.commits["org/tiny"] = sha("a newer commit")
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {"org/tiny": sha("org/tiny")}
    (tmp_path / "cache" / "models--org--tiny" / "refs" / "main").write_text(sha("a newer commit"))
    assert hub_at(fake_hub, tmp_path).folder(spec(), ignore_progress) == first


def test_a_model_that_another_program_downloaded_is_used_and_pinned(fake_hub: FakeHub, tmp_path: Path) -> None:
    snapshot = tmp_path / "cache" / "models--org--tiny" / "snapshots" / sha("other program")
    snapshot.mkdir(parents=True)
    for name, content in TINY.items():
        (snapshot / name).write_bytes(content)
    refs = tmp_path / "cache" / "models--org--tiny" / "refs"
    refs.mkdir()
    (refs / "main").write_text(sha("other program"))
    assert hub_at(fake_hub, tmp_path).download(spec(), ignore_progress) == snapshot
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {"org/tiny": sha("other program")}
    assert fake_hub.requests == []


def test_a_revision_is_pinned_separately_from_the_main_branch(fake_hub: FakeHub, tmp_path: Path) -> None:
    commit = sha("org/tiny")
    folder = hub_at(fake_hub, tmp_path).download(spec(revision=commit), ignore_progress)
    assert folder.name == commit
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {f"org/tiny@{commit}": commit}


def test_a_legacy_id_without_an_organisation_is_downloaded(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.files["gpt2"] = dict(TINY)
    assert hub_at(fake_hub, tmp_path).folder(spec("gpt2"), ignore_progress).name == sha("gpt2")


def test_a_failed_download_is_not_on_disk_and_resumes_with_the_missing_files(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    fake_hub.broken.add("model.safetensors")
    with pytest.raises(ModelUnavailable, match=r"hub failed .*python -m inference download org/tiny"):
        hub.folder(spec(), ignore_progress)
    assert hub.state(spec()) == ("not downloaded", 0)
    assert not (tmp_path / "data" / "commits.json").exists()
    fake_hub.broken.clear()
    fake_hub.requests.clear()
    hub.folder(spec(), ignore_progress)
    assert "config.json" not in fake_hub.downloaded_files()
    assert hub.state(spec())[0] == "on disk"


def test_a_model_with_weights_but_without_a_tokenizer_is_not_on_disk(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    fake_hub.broken.add("vocab.txt")
    with pytest.raises(ModelUnavailable):
        hub.folder(spec(), ignore_progress)
    assert hub.state(spec()) == ("not downloaded", 0)


def test_a_download_resumes_after_the_connection_breaks_inside_a_file(fake_hub: FakeHub, tmp_path: Path) -> None:
    fake_hub.interrupted.add("model.safetensors")
    folder = hub_at(fake_hub, tmp_path).folder(spec(), ignore_progress)
    assert (folder / "model.safetensors").read_bytes() == TINY["model.safetensors"]
    assert fake_hub.downloaded_files().count("model.safetensors") == 2


def test_the_download_of_a_diffusers_pipeline_follows_its_model_index(fake_hub: FakeHub, tmp_path: Path) -> None:
    files = {name: name.encode() for name in [*DIFFUSERS, "sd-v1-4.ckpt", "unet/diffusion_pytorch_model.bin"]}
    fake_hub.files["org/sd"] = files | {"model_index.json": json.dumps(PIPELINE).encode()}
    hub = hub_at(fake_hub, tmp_path)
    hub.folder(spec("org/sd"), ignore_progress)
    assert fake_hub.downloaded_files() == DIFFUSERS
    assert hub.state(spec("org/sd"))[0] == "on disk"


def test_the_progress_callback_can_cancel_a_download(fake_hub: FakeHub, tmp_path: Path) -> None:
    def cancel(fraction: float | None) -> None:
        raise RequestCancelled("The caller has cancelled.")

    hub = hub_at(fake_hub, tmp_path)
    with pytest.raises(RequestCancelled):
        hub.folder(spec(), cancel)
    assert hub.state(spec()) == ("not downloaded", 0)
    assert list((tmp_path / "cache").rglob("*.incomplete")) == []


# --- errors -----------------------------------------------------------------------------------


def refusal(hub: Hub, wanted: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        hub.folder(wanted, ignore_progress)
    return caught.value.user_message


def test_unknown_and_gated_models_have_different_error_messages(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    assert "no model org/nothing on the hub" in refusal(hub, spec("org/nothing"))
    fake_hub.gated.add("org/tiny")
    assert "accept it on https://huggingface.co/org/tiny and set HF_TOKEN" in refusal(hub, spec())


def test_the_error_names_an_unknown_revision(fake_hub: FakeHub, tmp_path: Path) -> None:
    assert "no revision v9" in refusal(hub_at(fake_hub, tmp_path), spec(revision="v9"))


def test_a_repository_without_readable_weights_is_refused_before_large_files_are_downloaded(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    del fake_hub.files["org/tiny"]["model.safetensors"]
    assert "has no weights that can be read here" in refusal(hub_at(fake_hub, tmp_path), spec())
    assert fake_hub.downloaded_files() == ["config.json"]


def test_a_model_larger_than_the_free_disk_space_is_refused_before_large_files_are_downloaded(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    fake_hub.claimed_size = 10**15
    message = refusal(hub_at(fake_hub, tmp_path), spec())
    assert "needs 3,000,000.0 GB on the bot's disk" in message
    assert "make room" in message
    assert fake_hub.downloaded_files() == []


def test_the_error_says_that_the_disk_became_full_during_a_download() -> None:
    error = explain(OSError(errno.ENOSPC, "No space left on device"), spec())
    assert "disk became full" in error.user_message


def test_an_unwritable_cache_is_reported(fake_hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file instead of a folder")
    assert "could not be stored" in refusal(hub_at(fake_hub, tmp_path), spec())


def test_the_error_for_an_unreachable_hub_names_the_download_command(tmp_path: Path) -> None:
    hub = Hub(Config(data=tmp_path / "data"), endpoint="http://127.0.0.1:9", cache=tmp_path / "cache")
    message = refusal(hub, spec())
    assert "the hub is out of reach" in message
    assert message.endswith("python -m inference download org/tiny`")


def test_with_downloads_disabled_only_the_download_command_downloads_a_missing_model(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    hub = hub_at(fake_hub, tmp_path, download=False)
    assert refusal(hub, spec()) == (
        "tiny is not on this machine yet. The bot's operator can fetch it: "
        "`.venv/bin/python -m inference download org/tiny`"
    )
    assert fake_hub.requests == []
    hub.download(spec(), ignore_progress)
    assert hub.folder(spec(), ignore_progress).name == sha("org/tiny")


def test_a_damaged_commits_file_is_reported(fake_hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "commits.json").write_text("{")
    assert "The file commits.json in the bot's data folder is damaged" in refusal(hub_at(fake_hub, tmp_path), spec())


# --- folders ----------------------------------------------------------------------------------


def test_a_model_folder_is_used_in_place(fake_hub: FakeHub, tmp_path: Path) -> None:
    for name, content in TINY.items():
        (tmp_path / name).write_bytes(content)
    hub = hub_at(fake_hub, tmp_path / "elsewhere")
    assert hub.state(spec(str(tmp_path))) == ("on disk", 2 + 4 + 1000)
    assert hub.folder(spec(str(tmp_path)), ignore_progress) == tmp_path
    assert hub.download(spec(str(tmp_path)), ignore_progress) == tmp_path


@pytest.mark.parametrize("content", [{}, {"config.json": b"{}"}, {"model_index.json": b"{}"}])
def test_a_folder_with_an_incomplete_model_is_refused(
    fake_hub: FakeHub, tmp_path: Path, content: dict[str, bytes]
) -> None:
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    hub = hub_at(fake_hub, tmp_path / "elsewhere")
    assert hub.state(spec(str(tmp_path))) == ("not downloaded", 0)
    assert "is not complete. Missing: " in refusal(hub, spec(str(tmp_path)))
