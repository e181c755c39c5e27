"""Test reading model weights from safetensors and legacy files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForQuestionAnswering, AutoModelForSeq2SeqLM, RobertaForQuestionAnswering
from transformers.utils import logging

from inference.pipelines.weights import read_legacy, read_model, weight_bytes
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines import tiny_text
from tests.inference.pipelines.tiny_text import BFLOAT16, FLOAT32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_text.summarizer(tmp_path)


def make_legacy(folder: Path) -> None:
    """Replace the safetensors file with a pickle that contains tied weights twice, as older files do."""
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.shared.weight"]
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def have_equal_weights(ours: torch.nn.Module, theirs: torch.nn.Module) -> bool:
    ours_by_name, theirs_by_name = ours.state_dict(), theirs.state_dict()
    return ours_by_name.keys() == theirs_by_name.keys() and all(
        torch.equal(tensor, theirs_by_name[name]) and tensor.dtype == theirs_by_name[name].dtype
        for name, tensor in ours_by_name.items()
    )


@pytest.mark.parametrize("placement", [FLOAT32, BFLOAT16])
@pytest.mark.parametrize("legacy", [False, True])
def test_a_model_equals_the_one_that_transformers_loads(
    folder: Path, legacy: bool, placement: tiny_text.Placement
) -> None:
    if legacy:
        make_legacy(folder)
    theirs = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=placement.dtype)
    ours = read_model(AutoModelForSeq2SeqLM, folder, placement)
    assert have_equal_weights(ours, theirs)
    assert not ours.training
    assert ours.generation_config.to_dict() == theirs.generation_config.to_dict()


def test_tied_weights_are_in_memory_once(folder: Path) -> None:
    once = weight_bytes(read_model(AutoModelForSeq2SeqLM, folder, FLOAT32))
    make_legacy(folder)
    model = read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)
    assert model.lm_head.weight is model.model.shared.weight
    assert weight_bytes(model) == once


def test_a_sharded_model_is_read_from_all_its_files(tmp_path: Path) -> None:
    folder = tiny_text.reader(tmp_path)
    whole = AutoModelForQuestionAnswering.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    whole.save_pretrained(folder, max_shard_size="8KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert have_equal_weights(read_model(RobertaForQuestionAnswering, folder, FLOAT32), whole)


def test_without_a_generation_config_the_model_config_has_the_generation_settings(folder: Path) -> None:
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_beams": 4, "max_length": 17}))
    settings = read_model(AutoModelForSeq2SeqLM, folder, FLOAT32).generation_config
    assert (settings.num_beams, settings.max_length) == (4, 17)


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)


def test_a_truncated_file_is_refused(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors of this model is damaged"):
        read_model(AutoModelForSeq2SeqLM, folder, FLOAT32)


def test_weights_that_share_memory_in_a_legacy_file_are_read_once(folder: Path) -> None:
    make_legacy(folder)
    tensors = dict(read_legacy(folder / "pytorch_model.bin", torch.bfloat16))
    assert tensors["lm_head.weight"] is tensors["model.shared.weight"]


def test_loading_prints_and_logs_nothing_even_with_unused_weights(
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
