"""Test models whose files are in two repositories."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inference.hub import is_complete, wanted_files
from tests.inference.hub.fake_hub import FakeHub, sha
from tests.inference.hub.test_hub import TINY, hub_at, ignore_progress, refusal, spec

DALLE = {
    "config.json": b'{"model_type": "dallebart"}',
    "enwiki-words-frequency.txt": b"the 9",
    "flax_model.msgpack": b"w" * 1000,
    "tokenizer.json": b"{}",
}


VQGAN = {"config.json": b'{"n_embed": 16384}', "flax_model.msgpack": b"v" * 500}


VQGAN_REPO = "dalle-mini/vqgan_imagenet_f16_16384"


@pytest.fixture
def dalle(fake_hub: FakeHub) -> FakeHub:
    fake_hub.files |= {"org/dalle": dict(DALLE), VQGAN_REPO: dict(VQGAN)}
    return fake_hub


def test_flax_weights_are_downloaded_for_a_model_that_has_no_other_format() -> None:
    assert "flax_model.msgpack" in wanted_files(DALLE, flax=True)
    assert is_complete(DALLE, flax=True)
    assert not is_complete(set(DALLE) - {"flax_model.msgpack"}, flax=True)
    assert not is_complete(DALLE)


def test_a_model_and_its_companion_are_one_download(dalle: FakeHub, tmp_path: Path) -> None:
    fractions: list[float | None] = []
    hub = hub_at(dalle, tmp_path)
    folder = hub.folder(spec("org/dalle"), fractions.append)
    assert dalle.downloaded_files() == sorted([*DALLE, *VQGAN])
    assert fractions == sorted(fractions, key=lambda f: f or 0)
    assert fractions[-1] == 1.0
    assert fractions[0] != 1.0
    assert hub.state(spec("org/dalle")) == ("on disk", sum(map(len, [*DALLE.values(), *VQGAN.values()])))
    assert json.loads((tmp_path / "data" / "commits.json").read_text()) == {
        repo: sha(repo) for repo in ("org/dalle", VQGAN_REPO)
    }
    complete = hub.with_companions(spec("org/dalle"))
    assert Path(complete.companion).name == sha(VQGAN_REPO)
    assert complete.key == spec("org/dalle").key
    dalle.requests.clear()
    assert hub.download(spec("org/dalle"), ignore_progress) == folder
    assert dalle.requests == []


def test_the_decoder_for_previews_is_part_of_the_download_and_of_the_size(fake_hub: FakeHub, tmp_path: Path) -> None:
    decoder = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": b"d" * 500}
    more = {"taesd_decoder.safetensors": b"x", "README.md": b"#"}
    fake_hub.files |= {"org/tiny": dict(TINY), "org/taesd": decoder | more}
    plain = spec("org/tiny")
    chosen = replace(plain, preview_decoder="org/taesd")
    hub = hub_at(fake_hub, tmp_path)
    hub.download(plain, ignore_progress)
    assert hub.state(chosen) == ("not downloaded", 0)
    fake_hub.requests.clear()
    hub.download(chosen, ignore_progress)
    assert fake_hub.downloaded_files() == sorted(decoder)
    assert hub.state(chosen)[1] == hub.state(plain)[1] + sum(map(len, decoder.values()))
    assert Path(hub.with_companions(chosen).companion).name == sha("org/taesd")
    assert chosen.key != plain.key
    assert hub.with_companions(plain).companion == ""


def test_a_model_without_its_companion_is_not_on_disk(dalle: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(dalle, tmp_path)
    del dalle.files[VQGAN_REPO]
    assert f"no model {VQGAN_REPO}" in refusal(hub, spec("org/dalle"))
    dalle.files[VQGAN_REPO] = dict(VQGAN)
    dalle.broken.add("flax_model.msgpack")
    assert "hub failed" in refusal(hub, spec("org/dalle"))
    assert hub.state(spec("org/dalle")) == ("not downloaded", 0)
    assert "python -m inference download org/dalle" in refusal(
        hub_at(dalle, tmp_path, download=False), spec("org/dalle")
    )
    dalle.broken.clear()
    assert hub.folder(spec("org/dalle"), ignore_progress)


def test_a_companion_that_is_on_disk_is_not_downloaded_again(dalle: FakeHub, tmp_path: Path) -> None:
    hub = hub_at(dalle, tmp_path)
    hub.download(spec(VQGAN_REPO), ignore_progress)
    dalle.requests.clear()
    hub.download(spec("org/dalle"), ignore_progress)
    assert dalle.downloaded_files() == sorted(DALLE)


def test_a_companion_inside_the_model_folder_is_used(fake_hub: FakeHub, tmp_path: Path) -> None:
    folder = tmp_path / "dalle"
    for path, content in {**DALLE, **{f"vqgan/{name}": data for name, data in VQGAN.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    hub = hub_at(fake_hub, tmp_path / "elsewhere", download=False)
    assert hub.folder(spec(str(folder)), ignore_progress) == folder
    assert hub.with_companions(spec(str(folder))).companion == str(folder / "vqgan")
    assert hub.state(spec(str(folder)))[1] == sum(map(len, [*DALLE.values(), *VQGAN.values()]))


def test_the_companion_of_a_model_folder_is_downloaded(dalle: FakeHub, tmp_path: Path) -> None:
    for name, content in DALLE.items():
        (tmp_path / name).write_bytes(content)
    local = spec(str(tmp_path))
    assert "not on this machine yet" in refusal(hub_at(dalle, tmp_path / "elsewhere", download=False), local)
    hub = hub_at(dalle, tmp_path / "elsewhere")
    assert hub.folder(local, ignore_progress) == tmp_path
    assert Path(hub.with_companions(local).companion).name == sha(VQGAN_REPO)


def test_the_model_that_enlarges_pictures_may_be_a_folder_beside_other_companions(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    folder = tmp_path / "enlarger"
    folder.mkdir()
    for name, content in {"config.json": b'{"model_type": "swin2sr"}', "model.safetensors": b"s" * 70}.items():
        (folder / name).write_bytes(content)
    decoder = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": b"d" * 500}
    fake_hub.files |= {"org/tiny": dict(TINY), "org/taesd": decoder}
    plain = spec("org/tiny")
    chosen = replace(plain, preview_decoder="org/taesd", upscaler=str(folder))
    hub = hub_at(fake_hub, tmp_path)
    hub.download(chosen, ignore_progress)
    found = hub.with_companions(chosen)
    assert (Path(found.companion).name, found.upscaler) == (sha("org/taesd"), str(folder))
    enlarger_size = sum(file.stat().st_size for file in folder.iterdir())
    assert hub.state(chosen)[1] == hub.state(replace(chosen, upscaler=""))[1] + enlarger_size
    assert chosen.key != replace(chosen, upscaler="").key
    (folder / "model.safetensors").unlink()
    assert hub.state(chosen) == ("not downloaded", 0)
    assert "weights" in refusal(hub, chosen)
