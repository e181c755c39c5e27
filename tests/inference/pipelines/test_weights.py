from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForQuestionAnswering, AutoModelForSeq2SeqLM, RobertaForQuestionAnswering
from transformers.utils import logging

from inference.pipelines.weights import read_legacy, read_model, weight_bytes
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.tiny_text import BFLOAT16, FLOAT32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_text.summarizer(tmp_path)


def make_legacy(folder: Path) -> None:
    """Replace the safetensors by a pickle in which, as was usual, tied weights stand twice."""
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.shared.weight"]
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def same(ours: torch.nn.Module, theirs: torch.nn.Module) -> bool:
    ours_by_name, theirs_by_name = ours.state_dict(), theirs.state_dict()
    return ours_by_name.keys() == theirs_by_name.keys() and all(
        torch.equal(tensor, theirs_by_name[name]) and tensor.dtype == theirs_by_name[name].dtype
        for name, tensor in ours_by_name.items()
    )


@pytest.mark.parametrize("placement", [FLOAT32, BFLOAT16])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_model_is_read_as_transformers_reads_it(folder: Path, legacy: bool, placement: tiny_text.Placement) -> None:
    if legacy:
        make_legacy(folder)
    theirs = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=placement.dtype)
    ours = read_model(AutoModelForSeq2SeqLM, folder, placement)
    assert same(ours, theirs)
    assert not ours.training
    assert ours.generation_config.to_dict() == theirs.generation_config.to_dict()


def test_tied_weights_are_held_once(folder: Path) -> None:
    once = weight_bytes(read_model(AutoModelForSeq2SeqLM, folder, FLOAT32))
    make_legacy(folder)
    model = read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)
    assert model.lm_head.weight is model.model.shared.weight
    assert weight_bytes(model) == once


def test_a_model_in_several_files_is_read_from_all(tmp_path: Path) -> None:
    folder = tiny_text.reader(tmp_path)
    whole = AutoModelForQuestionAnswering.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    whole.save_pretrained(folder, max_shard_size="8KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert same(read_model(RobertaForQuestionAnswering, folder, FLOAT32), whole)


def test_settings_of_generation_come_from_the_config_where_they_have_no_file(folder: Path) -> None:
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_beams": 4, "max_length": 17}))
    settings = read_model(AutoModelForSeq2SeqLM, folder, FLOAT32).generation_config
    assert (settings.num_beams, settings.max_length) == (4, 17)


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)


def test_a_file_that_was_cut_off_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(OSError, match="ends before its last tensor"):
        read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)


def test_weights_that_share_memory_in_a_legacy_file_are_read_once(folder: Path) -> None:
    make_legacy(folder)
    tensors = dict(read_legacy(folder / "pytorch_model.bin", torch.bfloat16))
    assert tensors["lm_head.weight"] is tensors["model.shared.weight"]


def test_loading_is_quiet_also_about_weights_that_are_not_used(
    folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"encoder_layers": 0}))
    capfd.readouterr()
    logging.add_handler(caplog.handler)
    read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)
    logging.remove_handler(caplog.handler)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
