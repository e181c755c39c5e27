"""Test how peers are run, and the file that llama.cpp gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from bench.gguf_file import write_gguf
from bench.peers import Candidate, Peer, fastest
from tests.bench import peers
from tests.inference.pipelines.tiny_causal import save_causal


def test_a_peer_tells_its_time_in_its_last_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peers.answer(monkeypatch, tmp_path, seconds=0.5)
    peer = fastest(Candidate("llama.cpp F32", "llama.cpp", {}))
    assert peer == Peer("llama.cpp F32", 0.5)
    assert peer.per_second(32) == 64


def test_a_peer_that_is_not_installed_is_named_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    peers.be_missing(monkeypatch, tmp_path)
    peer = fastest(
        Candidate("a", "llama.cpp", {"folder": "", "weights": "F32", "prompts": [], "tokens": 1, "rounds": 1}),
        Candidate("b", "openvino-unet", {"folder": "", "side": 64, "precision": "float32", "rounds": 1}),
    )
    assert peer == Peer("not installed")
    assert peer.per_second(32) is None


def test_a_peer_that_fails_is_named_and_its_error_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    peers.fail(monkeypatch, tmp_path)
    assert fastest(Candidate("llama.cpp F32", "llama.cpp", {})) == Peer("llama.cpp F32 failed")
    assert "llama.cpp F32" in capfd.readouterr().err


@pytest.mark.parametrize("model_type", ["gpt2", "llama"])
def test_a_written_gguf_file_has_the_numbers_of_the_model(tmp_path: Path, model_type: str) -> None:
    folder = save_causal(tmp_path / "model", model_type)
    file = write_gguf(folder, tmp_path / "model.gguf", "F32")
    tokens = torch.tensor([[5, 17, 40, 9]])
    auto: Any = AutoModelForCausalLM
    with torch.inference_mode():
        expected = auto.from_pretrained(folder, dtype=torch.float32)(tokens).logits
        written = auto.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)(tokens).logits
    assert torch.allclose(written, expected, atol=1e-4)


@pytest.mark.parametrize("weights", ["BF16", "Q8_0", "Q4_0"])
def test_smaller_weights_give_a_smaller_file(tmp_path: Path, weights: str) -> None:
    folder = save_causal(tmp_path / "model", "gpt2")
    full = write_gguf(folder, tmp_path / "full.gguf", "F32")
    assert write_gguf(folder, tmp_path / "small.gguf", weights).stat().st_size < full.stat().st_size
