"""Which GGUF file of a repository or folder is read, and what is refused before it is downloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.backends.model_check import ModelCheck
from inference.config.schema import Config
from inference.hub import is_complete, wanted_files
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.hub.repository_files import gguf_file
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.hub.fake_hub import FakeHub
from tests.inference.pipelines.tiny_causal import save_causal
from tests.inference.pipelines.tiny_gguf import save_gguf

REPO = "org/tiny-GGUF"
QUANTIZED = ["m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q4_K_S.gguf", "m-Q5_K_M.gguf", "m-Q6_K.gguf", "m-IQ3_XS.gguf"]


def spec(repo: str = REPO, file: str = "") -> ModelSpec:
    return ModelSpec(name="tiny", task="complete", repo=repo, file=file, device="cpu", dtype="float32")


def hub_at(fake_hub: FakeHub, folder: Path, **settings: Any) -> Hub:
    config = Config(data=folder / "data", **settings)
    return Hub(config, check=ModelCheck(config), endpoint=fake_hub.endpoint, cache=folder / "cache")


def refusal(hub: Hub, wanted: ModelSpec) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        hub.folder(wanted, ignore_progress)
    return caught.value.user_message


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("gguf")
    return save_gguf(save_causal(folder / "original", "llama"), folder / "tiny.gguf").read_bytes()


@pytest.fixture
def fake_hub(fake_hub: FakeHub, content: bytes) -> FakeHub:
    fake_hub.files[REPO] = {"m-Q4_K_M.gguf": content + b"more", "m-Q8_0.gguf": content, "README.md": b"#"}
    fake_hub.gguf[REPO] = {"architecture": "llama", "total": 40_000}
    return fake_hub


# --- the choice --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([*QUANTIZED, "m-Q8_0.gguf", "m-BF16.gguf", "m-f32.gguf"], "m-Q8_0.gguf"),
        ([*QUANTIZED, "m.f16.gguf"], "m.f16.gguf"),
        (QUANTIZED, "m-Q6_K.gguf"),
        (QUANTIZED[:3], "m-Q4_K_M.gguf"),
        (["m-Q4_0.gguf", "m-Q4_1.gguf", "m-IQ4_XS.gguf"], "m-Q4_1.gguf"),
        (["model.gguf"], "model.gguf"),
        (["m-Q4_0.gguf", "mmproj-m-Q8_0.gguf", "m-imatrix.gguf", "Q8_0/m-Q8_0.gguf"], "m-Q4_0.gguf"),
        (["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf", "m-Q2_K.gguf"], "m-Q2_K.gguf"),
        (["m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"], ""),
        (["m-Q8_0.gguf", "model.safetensors", "config.json"], ""),
    ],
)
def test_the_most_exact_file_up_to_eight_bits_is_read(names: list[str], chosen: str) -> None:
    assert gguf_file(names) == chosen
    assert is_complete(["README.md", *names]) == bool(chosen or "model.safetensors" in names)


@pytest.mark.parametrize("pattern", ["m-Q4_K_M.gguf", "*Q4_K_M*", "*_M.gguf"])
def test_a_file_that_is_named_is_read_even_beside_other_weights(pattern: str) -> None:
    names = ["config.json", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "model.safetensors"]
    assert wanted_files(names, file=pattern) == ["config.json", "m-Q4_K_M.gguf"]


# --- the download ------------------------------------------------------------------------------


def test_one_file_is_downloaded_and_found_again(fake_hub: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(fake_hub, tmp_path)
    hub.folder(spec(), ignore_progress)
    assert fake_hub.downloaded_files() == ["m-Q8_0.gguf"]
    assert hub.state(spec())[0] == "on disk"
    assert hub.state(spec(file="*Q4*"))[0] == "not downloaded"
    hub.folder(spec(file="*Q4*"), ignore_progress)
    assert fake_hub.downloaded_files() == ["m-Q4_K_M.gguf", "m-Q8_0.gguf"]


@pytest.mark.parametrize(
    ("gguf", "settings", "sentence"),
    [
        ({"architecture": "plamo"}, {}, "a GGUF file of the architecture plamo, which is not read here"),
        ({"architecture": "t5", "total": 1}, {}, "a GGUF file of the architecture t5, which is not read here"),
        ({"architecture": "llama", "total": 40_000}, {"memory": "0.1 MB"}, "needs about 160 kB of memory"),
    ],
)
def test_what_the_hub_says_about_a_file_decides_before_its_download(
    fake_hub: FakeHub, tmp_path: Path, gguf: dict[str, Any], settings: dict[str, Any], sentence: str
) -> None:
    fake_hub.gguf[REPO] = gguf
    assert sentence in refusal(hub_at(fake_hub, tmp_path, **settings), replace(spec(), runtime="torch"))
    assert fake_hub.downloaded_files() == []


def test_a_file_that_is_not_there_is_refused_with_those_that_are(fake_hub: FakeHub, tmp_path: Path) -> None:
    sentence = refusal(hub_at(fake_hub, tmp_path), spec(file="*Q5*"))
    assert "has no GGUF file *Q5* that can be read here. It has: m-Q4_K_M.gguf, m-Q8_0.gguf." in sentence


# --- on disk -----------------------------------------------------------------------------------


def test_a_folder_and_a_file_are_models(fake_hub: FakeHub, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m-Q8_0.gguf").write_bytes(content)
    (tmp_path / "m-Q4_0.gguf").write_bytes(content + b"more")
    entries = [{"repo": str(tmp_path), "name": "all"}, str(tmp_path / "m-Q4_0.gguf")]
    config = Config.model_validate({"data": tmp_path / "data", "models": {"complete": entries}})
    folder, file = config.specs("complete")
    hub = hub_at(fake_hub, tmp_path)
    assert hub.state(folder) == ("on disk", len(content))
    assert hub.state(file) == ("on disk", len(content) + 4)
    assert (file.name, file.repo, file.file) == ("m-Q4_0.gguf", str(tmp_path), "m-Q4_0.gguf")
    assert folder.key != file.key


def test_a_missing_file_in_a_folder_is_named(fake_hub: FakeHub, tmp_path: Path) -> None:
    assert "Missing: here.gguf." in refusal(hub_at(fake_hub, tmp_path), spec(repo=str(tmp_path), file="here.gguf"))
