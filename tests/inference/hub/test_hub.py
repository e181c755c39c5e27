"""Model files: which ones are wanted, found, fetched and pinned; against a fake hub on this machine."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from inference.config.schema import Config
from inference.hub import Hub, components_of, is_complete, wanted_files
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


def silent(fraction: float | None) -> None:
    pass


# --- which files ------------------------------------------------------------------------------


def test_safetensors_are_wanted_and_the_other_formats_are_not() -> None:
    others = ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "rust_model.ot", "64.tflite", "README.md"]
    folders = ["onnx/decoder_model.onnx", "onnx/config.json", "coreml/model.mlpackage/weights.bin"]
    assert wanted_files([*GPT2, "model.safetensors", *others, *folders]) == sorted([*GPT2, "model.safetensors"])


def test_a_repository_with_only_a_legacy_bin_is_read_from_it() -> None:
    assert wanted_files([*GPT2, "pytorch_model.bin", "flax_model.msgpack", "training_args.bin"]) == sorted(
        [*GPT2, "pytorch_model.bin"]
    )


def test_all_shards_come_with_their_index_and_without_those_of_another_format() -> None:
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"]
    others = ["pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json", "model.fp16.safetensors"]
    assert wanted_files(["config.json", *shards, *others]) == sorted(["config.json", *shards])


def test_sentencepiece_and_chat_templates_are_wanted() -> None:
    names = ["chat_template.jinja", "config.json", "model.safetensors", "spiece.model", "tokenizer.model"]
    assert wanted_files(names) == names


def test_a_diffusers_pipeline_wants_its_components_and_no_checkpoints_or_variants() -> None:
    noise = [
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
    assert wanted_files([*DIFFUSERS, *noise], COMPONENTS) == DIFFUSERS


def test_each_component_falls_back_to_its_own_legacy_bin() -> None:
    names = [name for name in DIFFUSERS if not name.startswith("unet/diffusion")]
    legacy = "unet/diffusion_pytorch_model.bin"
    assert legacy in wanted_files([*names, legacy], COMPONENTS)


def test_a_component_that_is_switched_off_or_a_setting_is_no_folder() -> None:
    assert COMPONENTS == ["feature_extractor", "scheduler", "text_encoder", "tokenizer", "unet"]


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_model_without_config_or_weights_is_incomplete(missing: str) -> None:
    assert is_complete(TINY)
    assert not is_complete(set(TINY) - {missing})


@pytest.mark.parametrize("missing", DIFFUSERS[:1] + DIFFUSERS[2:5] + DIFFUSERS[-1:])
def test_a_pipeline_without_one_of_its_components_is_incomplete(missing: str) -> None:
    assert is_complete(DIFFUSERS, COMPONENTS)
    assert not is_complete(set(DIFFUSERS) - {missing}, COMPONENTS)


def test_a_missing_shard_makes_a_model_incomplete() -> None:
    shards = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    names = ["config.json", "model.safetensors.index.json", *shards]
    assert is_complete(names)
    assert not is_complete(names[:-1])
    assert not is_complete(names[:2])


# --- fetching ---------------------------------------------------------------------------------


def test_a_model_is_fetched_on_first_use_with_only_the_files_it_needs(online: FakeHub, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    folder = hub_at(online, tmp_path).folder(spec(), fractions.append)
    assert (folder / "model.safetensors").read_bytes() == TINY["model.safetensors"]
    assert online.fetched() == ["config.json", "model.safetensors", "vocab.txt"]
    assert fractions == sorted(fractions, key=lambda f: f or 0)
    assert fractions[-1] == 1.0


def test_a_fetched_model_is_on_disk_and_loads_without_asking_the_hub(online: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(online, tmp_path)
    assert hub.state(spec()) == ("not downloaded", 0)
    folder = hub.folder(spec(), silent)
    online.asked.clear()
    assert hub.state(spec()) == ("on disk", 2 + 4 + 1000)
    assert hub.folder(spec(), silent) == folder
    assert hub.download(spec(), silent) == folder
    assert online.asked == []


def test_later_loads_keep_to_the_recorded_commit(online: FakeHub, tmp_path: Path) -> None:
    first = hub_at(online, tmp_path).download(spec(), silent)
    online.commits["org/tiny"] = sha("a newer commit")
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {"org/tiny": sha("org/tiny")}
    (tmp_path / "cache" / "models--org--tiny" / "refs" / "main").write_text(sha("a newer commit"))
    assert hub_at(online, tmp_path).folder(spec(), silent) == first


def test_a_model_that_another_program_fetched_is_used_and_pinned(online: FakeHub, tmp_path: Path) -> None:
    snapshot = tmp_path / "cache" / "models--org--tiny" / "snapshots" / sha("theirs")
    snapshot.mkdir(parents=True)
    for name, content in TINY.items():
        (snapshot / name).write_bytes(content)
    refs = tmp_path / "cache" / "models--org--tiny" / "refs"
    refs.mkdir()
    (refs / "main").write_text(sha("theirs"))
    assert hub_at(online, tmp_path).download(spec(), silent) == snapshot
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {"org/tiny": sha("theirs")}
    assert online.asked == []


def test_a_revision_is_pinned_apart_from_the_main_branch(online: FakeHub, tmp_path: Path) -> None:
    commit = sha("org/tiny")
    folder = hub_at(online, tmp_path).download(spec(revision=commit), silent)
    assert folder.name == commit
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {f"org/tiny@{commit}": commit}


def test_a_short_legacy_id_is_an_id_like_any_other(online: FakeHub, tmp_path: Path) -> None:
    online.files["gpt2"] = dict(TINY)
    assert hub_at(online, tmp_path).folder(spec("gpt2"), silent).name == sha("gpt2")


def test_a_download_that_broke_off_is_not_on_disk_and_goes_on_where_it_was(online: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(online, tmp_path)
    online.broken.add("model.safetensors")
    with pytest.raises(ModelUnavailable, match=r"hub failed .*python -m inference download org/tiny"):
        hub.folder(spec(), silent)
    assert hub.state(spec()) == ("not downloaded", 0)
    assert not (tmp_path / "data" / "commits.json").exists()
    online.broken.clear()
    online.asked.clear()
    hub.folder(spec(), silent)
    assert "config.json" not in online.fetched()
    assert hub.state(spec())[0] == "on disk"


def test_a_model_whose_weights_came_before_its_tokenizer_broke_is_not_on_disk(online: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(online, tmp_path)
    online.broken.add("vocab.txt")
    with pytest.raises(ModelUnavailable):
        hub.folder(spec(), silent)
    assert hub.state(spec()) == ("not downloaded", 0)


def test_a_connection_that_breaks_inside_a_file_is_taken_up_again(online: FakeHub, tmp_path: Path) -> None:
    online.cut.add("model.safetensors")
    folder = hub_at(online, tmp_path).folder(spec(), silent)
    assert (folder / "model.safetensors").read_bytes() == TINY["model.safetensors"]
    assert online.fetched().count("model.safetensors") == 2


def test_a_diffusers_pipeline_is_fetched_by_its_index(online: FakeHub, tmp_path: Path) -> None:
    files = {name: name.encode() for name in [*DIFFUSERS, "sd-v1-4.ckpt", "unet/diffusion_pytorch_model.bin"]}
    online.files["org/sd"] = files | {"model_index.json": json.dumps(PIPELINE).encode()}
    hub = hub_at(online, tmp_path)
    hub.folder(spec("org/sd"), silent)
    assert online.fetched() == DIFFUSERS
    assert hub.state(spec("org/sd"))[0] == "on disk"


def test_whoever_watches_can_stop_a_download(online: FakeHub, tmp_path: Path) -> None:
    def stop(fraction: float | None) -> None:
        raise RequestCancelled("The one who asked has gone.")

    hub = hub_at(online, tmp_path)
    with pytest.raises(RequestCancelled):
        hub.folder(spec(), stop)
    assert hub.state(spec()) == ("not downloaded", 0)
    assert list((tmp_path / "cache").rglob("*.incomplete")) == []


# --- refusals ---------------------------------------------------------------------------------


def refusal(hub: Hub, wanted: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        hub.folder(wanted, silent)
    return caught.value.user_message


def test_an_unknown_model_is_told_from_a_gated_one(online: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(online, tmp_path)
    assert "no model org/nothing on the hub" in refusal(hub, spec("org/nothing"))
    online.gated.add("org/tiny")
    assert "accept it on https://huggingface.co/org/tiny and set HF_TOKEN" in refusal(hub, spec())


def test_an_unknown_revision_is_named(online: FakeHub, tmp_path: Path) -> None:
    assert "no revision v9" in refusal(hub_at(online, tmp_path), spec(revision="v9"))


def test_a_repository_without_readable_weights_is_refused_before_its_large_files_are_fetched(
    online: FakeHub, tmp_path: Path
) -> None:
    del online.files["org/tiny"]["model.safetensors"]
    assert "has no weights that can be read here" in refusal(hub_at(online, tmp_path), spec())
    assert online.fetched() == ["config.json"]


def test_a_model_larger_than_the_free_disk_is_refused_before_its_large_files_are_fetched(
    online: FakeHub, tmp_path: Path
) -> None:
    online.claimed_size = 10**15
    message = refusal(hub_at(online, tmp_path), spec())
    assert "needs 3,000,000.0 GB on the bot's disk" in message
    assert "make room" in message
    assert online.fetched() == []


def test_a_disk_that_fills_while_fetching_is_named() -> None:
    full = explain(OSError(errno.ENOSPC, "No space left on device"), spec())
    assert "disk became full" in full.user_message


def test_a_cache_that_cannot_be_written_is_named(online: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert "could not be stored" in refusal(hub_at(online, tmp_path), spec())


def test_out_of_reach_and_not_on_disk_names_the_command_that_fetches(tmp_path: Path) -> None:
    hub = Hub(Config(data=tmp_path / "data"), endpoint="http://127.0.0.1:9", cache=tmp_path / "cache")
    message = refusal(hub, spec())
    assert "the hub is out of reach" in message
    assert message.endswith("python -m inference download org/tiny`")


def test_without_leave_to_download_a_missing_model_is_refused_but_the_command_still_fetches(
    online: FakeHub, tmp_path: Path
) -> None:
    hub = hub_at(online, tmp_path, download=False)
    assert refusal(hub, spec()) == (
        "tiny is not on this machine yet. The bot's operator can fetch it: "
        "`.venv/bin/python -m inference download org/tiny`"
    )
    assert online.asked == []
    hub.download(spec(), silent)
    assert hub.folder(spec(), silent).name == sha("org/tiny")


def test_a_damaged_record_is_named(online: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "commits.json").write_text("{")
    assert "repair commits.json, or delete it" in refusal(hub_at(online, tmp_path), spec())


# --- folders ----------------------------------------------------------------------------------


def test_a_folder_is_used_where_it_lies(online: FakeHub, tmp_path: Path) -> None:
    for name, content in TINY.items():
        (tmp_path / name).write_bytes(content)
    hub = hub_at(online, tmp_path / "elsewhere")
    assert hub.state(spec(str(tmp_path))) == ("on disk", 2 + 4 + 1000)
    assert hub.folder(spec(str(tmp_path)), silent) == tmp_path
    assert hub.download(spec(str(tmp_path)), silent) == tmp_path


@pytest.mark.parametrize("content", [{}, {"config.json": b"{}"}, {"model_index.json": b"{"}])
def test_a_folder_without_a_whole_model_is_refused(online: FakeHub, tmp_path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    hub = hub_at(online, tmp_path / "elsewhere")
    assert hub.state(spec(str(tmp_path))) == ("not downloaded", 0)
    assert "no complete model lies there" in refusal(hub, spec(str(tmp_path)))
