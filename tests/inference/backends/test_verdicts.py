"""Test that what a probe found is kept, and found again when files or libraries change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import bot
from inference.backends import verdicts
from inference.backends.verdicts import Verdicts
from inference.cli import execute
from inference.cli.arguments import parse
from inference.pipelines.devices import Placement
from inference.types import ModelSpec
from tests.inference.pipelines.tiny_causal import save_causal

CPU = Placement(torch.device("cpu"), torch.float32)


def test_a_verdict_belongs_to_the_files_and_the_number_format(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    kept, spec = Verdicts(tmp_path / "data/verdicts.json"), ModelSpec(name="x", task="complete", repo=str(folder))
    assert kept.get(spec, folder, CPU) == ""
    kept.keep(spec, folder, CPU, "batched")
    assert kept.get(spec, folder, CPU) == "batched"
    assert kept.get(spec, folder, Placement(CPU.device, torch.bfloat16)) == ""
    assert kept.get(replace(spec, quantize="int8"), folder, CPU) == ""
    (folder / "config.json").write_text('{"changed": 1}')
    assert kept.get(spec, folder, CPU) == ""


def test_a_verdict_belongs_to_the_commit_of_a_repository(tmp_path: Path) -> None:
    spec = ModelSpec(name="tiny", task="complete", repo="org/tiny")
    kept = Verdicts(tmp_path / "verdicts.json")
    kept.keep(spec, Path("snapshots/abc"), CPU, "generic")
    assert kept.get(spec, Path("snapshots/abc"), CPU) == "generic"
    assert kept.get(spec, Path("snapshots/def"), CPU) == ""


def test_the_way_is_told_if_the_verdicts_on_all_places_that_the_settings_allow_agree(tmp_path: Path) -> None:
    folder, kept = Path("snapshots/abc"), Verdicts(tmp_path / "verdicts.json")

    def way(**settings: Any) -> str:
        return kept.way(ModelSpec(name="tiny", task="complete", repo="org/tiny", **settings), folder)

    spec = ModelSpec(name="tiny", task="complete", repo="org/tiny")
    assert way() == ""
    kept.keep(spec, folder, CPU, "batched")
    assert (way(), way(device="cpu", dtype="float32")) == ("batched", "batched")
    assert (way(dtype="bfloat16"), way(device="cuda:1")) == ("", "")
    kept.keep(spec, folder, Placement(CPU.device, torch.bfloat16), "generic")
    assert (way(), way(dtype="float32"), way(dtype="bfloat16")) == ("", "batched", "one text at a time")


def test_a_verdict_of_another_probe_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, folder = ModelSpec(name="tiny", task="complete", repo="org/tiny"), Path("snapshots/abc")
    kept = Verdicts(tmp_path / "verdicts.json")
    kept.keep(spec, folder, CPU, "generic")
    monkeypatch.setattr(verdicts, "_PROBE_VERSION", -1)
    assert kept.get(spec, folder, CPU) == ""


def test_the_check_of_the_config_probes_each_language_model_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_causal(tmp_path / "batched", "llama")
    save_causal(tmp_path / "generic", "lfm2")
    path, record = tmp_path / "config.yaml", tmp_path / "data/verdicts.json"
    path.write_text("device: cpu\ndtype: float32\nmodels:\n  complete: [./batched, ./generic]\n")
    assert bot.main(["--check-config", "--config", str(path)]) == 0, capsys.readouterr().err
    kept = json.loads(record.read_text())
    assert sorted(verdict.split(":")[0] for verdict in kept.values()) == ["batched", "generic"]
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "  complete  batched  checked: batched",
        "  complete  generic  checked: one text at a time",
    ]
    assert execute(parse(["--config", str(path), "models"])) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" on disk, batched")
    assert second.endswith(" on disk, one text at a time")
    other = dict.fromkeys(kept, "generic")
    record.write_text(json.dumps(other))
    assert bot.main(["--check-config", "--config", str(path)]) == 0
    assert json.loads(record.read_text()) == other, "the second check probed again"


def test_the_check_of_the_config_refuses_a_model_that_can_not_be_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = save_causal(tmp_path / "broken", "llama") / "model.safetensors"
    save_file({name: tensor.fill_(torch.inf) for name, tensor in load_file(file).items()}, file, {"format": "pt"})
    path = tmp_path / "config.yaml"
    path.write_text("device: cpu\ndtype: float32\nmodels:\n  complete: [./broken]\n")
    assert bot.main(["--check-config", "--config", str(path)]) == 2
    assert "models.complete[0]" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_file_of_verdicts_is_no_reason_to_refuse_a_model(tmp_path: Path, content: str) -> None:
    file = tmp_path / "verdicts.json"
    file.write_text(content)
    spec = ModelSpec(name="tiny", task="complete", repo="org/tiny")
    Verdicts(file).keep(spec, Path("snapshots/abc"), CPU, "generic")
    assert Verdicts(file).get(spec, Path("snapshots/abc"), CPU) == ""
