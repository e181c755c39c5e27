"""A tiny GGUF file with what llama.cpp's converter writes for a model in the form of Llama."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.gguf_file import LLAMA_NAMES


def save_gguf(
    folder: Path,
    file: Path,
    quantization: GGMLQuantizationType = GGMLQuantizationType.F32,
    *,
    architecture: str = "llama",
    metadata: dict[str, float | str] | None = None,
    tensors: dict[str, torch.Tensor] | None = None,
) -> Path:
    """Write the Llama model in `folder`, with its tokenizer, to `file`. `metadata` and `tensors` are added."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(file, architecture)
    config = model.config
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    for key, value in (metadata or {}).items():
        if isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_float32(key, value)
    _add_tokenizer(writer, folder, config.vocab_size)
    for name, tensor in {**model.state_dict(), **(tensors or {})}.items():
        _add_tensor(writer, name, tensor, quantization, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokenizer(writer: GGUFWriter, folder: Path, vocab_size: int) -> None:
    """Write the tokenizer in `folder`, with a name for each row of the embeddings that has no token."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    bpe = json.loads((folder / "tokenizer.json").read_text())["model"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].__getitem__)
    padding = [f"[PAD{index}]" for index in range(len(tokens), vocab_size)]
    writer.add_token_list(tokens + padding)
    writer.add_token_types([3, 3, *[1] * (len(tokens) - 2), *[5] * len(padding)])
    writer.add_token_merges([" ".join(merge) for merge in bpe["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _add_tensor(
    writer: GGUFWriter, name: str, tensor: torch.Tensor, quantization: GGMLQuantizationType, config: Any
) -> None:
    if "q_proj.weight" in name or "k_proj.weight" in name:
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
        tensor = tensor.view(heads, 2, -1, tensor.shape[1]).transpose(1, 2).reshape(tensor.shape)
    for theirs, ours in LLAMA_NAMES.items():
        name = name.replace(theirs, ours)
    name = name.replace("lm_head", "output")
    array = tensor.numpy().astype(np.float32)
    if tensor.dim() < 2 or quantization == GGMLQuantizationType.F32:
        writer.add_tensor(name, array)
    else:
        writer.add_tensor(name, gguf.quantize(array, quantization), raw_dtype=quantization)
