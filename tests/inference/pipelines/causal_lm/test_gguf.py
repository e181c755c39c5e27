"""Language models in GGUF files: held against transformers' own reading of them, and against the original model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.devices import Placement
from inference.pipelines.gguf import gguf_summary
from inference.pipelines.gguf_weights import read_gguf_model
from inference.tasks import CompleteRequest, Completion, Message
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_causal import CHAT, save_causal
from tests.inference.pipelines.tiny_gguf import save_gguf

PROMPTS = ("the quick brown", "once upon a time there was")
CPU = Placement(torch.device("cpu"), torch.float32)


def spec_of(file: Path) -> ModelSpec:
    return ModelSpec(name="tiny", task="complete", repo=str(file.parent), file=file.name)


def load(file: Path) -> CausalLM:
    return CausalLM.load(spec_of(file), file.parent, CPU)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_causal(tmp_path / "original", "llama")


@pytest.mark.parametrize("quantization", [GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_0])
def test_greedy_text_equals_that_of_transformers(
    folder: Path, tmp_path: Path, quantization: GGMLQuantizationType
) -> None:
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf", quantization)
    reference: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    tokenizer: Any = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    pipeline = load(file)
    for prompt in PROMPTS:
        inputs = tokenizer(prompt, return_tensors="pt")
        output = reference.generate(**inputs, max_new_tokens=24, do_sample=False, pad_token_id=1)
        expected = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        (completion,) = run(pipeline, CompleteRequest(prompt=prompt, max_new_tokens=24, temperature=0, seed=0))
        assert isinstance(completion, Completion)
        assert completion.text == expected


def test_a_file_in_full_precision_gives_the_numbers_of_the_original(folder: Path, tmp_path: Path) -> None:
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf")
    ours = read_gguf_model(spec_of(file), file.parent, CPU).state_dict()
    original: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert all(torch.equal(ours[name], tensor) for name, tensor in original.state_dict().items())


def test_the_positions_of_llama_3_are_those_of_the_original(tmp_path: Path) -> None:
    """llama.cpp stores what the frequencies are divided by as a tensor; transformers computes it from the config."""
    rope = {
        "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32,
    }  # fmt: skip
    folder = save_causal(tmp_path / "original", "llama")
    config: Any = LlamaConfig.from_pretrained(folder)
    plain: Any = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config.rope_parameters = rope
    original: Any = LlamaForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)
    factors = plain.model.rotary_emb.inv_freq / original.model.rotary_emb.inv_freq
    assert factors.max() > 2
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf", tensors={"rope_freqs.weight": factors})
    ours: Any = read_gguf_model(spec_of(file), file.parent, CPU)
    ids = torch.arange(2, 60)[None]
    with torch.inference_mode():
        torch.testing.assert_close(ours(ids).logits, original(ids).logits)


def test_the_chat_template_is_read_from_the_file(tmp_path: Path) -> None:
    file = save_gguf(save_causal(tmp_path / "original", "llama", chat=CHAT), tmp_path / "gguf" / "tiny.gguf")
    tokenizer = Tokenizer(file.parent, gguf_file=file.name)
    assert tokenizer.can_chat
    assert tokenizer.decode(tokenizer.chat([Message("user", "a dog")])) == "user: a dogassistant:"


def test_a_file_without_a_chat_template_holds_no_conversation(folder: Path, tmp_path: Path) -> None:
    chat = save_gguf(save_causal(tmp_path / "chat", "llama", chat=CHAT), tmp_path / "a" / "tiny.gguf")
    compatible_family(replace(spec_of(chat), task="chat"), chat.parent)
    plain = save_gguf(folder, tmp_path / "b" / "tiny.gguf")
    with pytest.raises(ModelUnavailable, match="tiny has no chat template, so it can't hold a conversation"):
        compatible_family(replace(spec_of(plain), task="chat"), plain.parent)


@pytest.mark.parametrize(
    ("metadata", "tensors", "part"),
    [
        ({"llama.rope.scaling.type": "yarn"}, {}, "rope.scaling"),
        ({"llama.rope.scaling.factor": 8.0}, {}, "rope.scaling"),
        ({"llama.logit_scale": 2.0}, {}, "logit_scale"),
        ({}, {"blk.0.attn_q.bias": torch.ones(32)}, "blk.0.attn_q.bias"),
    ],
)
def test_a_file_of_which_transformers_reads_only_a_part_is_refused(
    folder: Path, tmp_path: Path, metadata: dict[str, float | str], tensors: dict[str, torch.Tensor], part: str
) -> None:
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf", metadata=metadata, tensors=tensors)
    with pytest.raises(ModelUnavailable, match=rf"does not understand a part of it \({part}\)"):
        load(file)


def test_a_file_of_an_unknown_architecture_is_refused_by_its_header(folder: Path, tmp_path: Path) -> None:
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf", architecture="plamo")
    with pytest.raises(ModelUnavailable, match="a GGUF file of the architecture plamo"):
        compatible_family(spec_of(file), file.parent)


def test_the_header_tells_the_number_of_parameters(folder: Path, tmp_path: Path) -> None:
    file = save_gguf(folder, tmp_path / "gguf" / "tiny.gguf", GGMLQuantizationType.Q4_0)
    original: Any = AutoModelForCausalLM.from_pretrained(folder)
    summary = gguf_summary(spec_of(file), file.parent)
    assert summary
    assert summary.num_parameters == sum(tensor.numel() for tensor in original.state_dict().values())


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF\x03\0\0\0" + b"\1" * 16, b"no GGUF file"])
def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=r"its file tiny\.gguf is damaged"):
        compatible_family(spec_of(file), tmp_path)
