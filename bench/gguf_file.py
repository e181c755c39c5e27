"""Write a language model as a GGUF file, as llama.cpp's converter does: the forms of GPT-2 and Llama. Imports torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.pytorch_utils import Conv1D

_GPT2 = {
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "transformer.h.": "blk.",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
LLAMA_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "model.layers.": "blk.",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""The names of llama.cpp for the layers of transformers."""
_PRETOKENIZERS = {"gpt2": "gpt-2", "llama": "smollm"}
_FULL_PRECISION = ("position_embd",)
"""Tables that llama.cpp keeps in float32."""


def write_gguf(folder: Path, file: Path, weights: str) -> Path:
    """Write the model in `folder` with its tokenizer. `weights` is F32, BF16, Q8_0 or Q4_0."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    architecture: str = model.config.model_type
    writer = GGUFWriter(file, architecture)
    _add_settings(writer, model.config)
    _add_tokenizer(writer, folder, architecture, model.config.vocab_size)
    for name, tensor in _tensors(model, {"gpt2": _GPT2, "llama": LLAMA_NAMES}[architecture]).items():
        _add_tensor(writer, name, tensor, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_settings(writer: GGUFWriter, config: Any) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(config.head_dim)


def _add_tokenizer(writer: GGUFWriter, folder: Path, architecture: str, size: int) -> None:
    """Add the byte-level vocabulary. Rows of the embedding without a token get a placeholder."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    bpe = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens: dict[int, str] = {id_: token for token, id_ in tokenizer.get_vocab().items()}
    special = set(tokenizer.all_special_ids)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_PRETOKENIZERS[architecture])
    writer.add_token_list([tokens.get(id_, f"<unused{id_}>") for id_ in range(size)])
    writer.add_token_types(
        [3 if id_ in special else 1 if id_ in tokens else 5 for id_ in range(size)]  # control, normal, unused
    )
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in bpe["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_bos_token_id(tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id)
    writer.add_add_bos_token(False)


def _tensors(model: Any, names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """Return the weights by llama.cpp's names, [out, in]. A head that is tied to the embedding is left out."""
    transposed = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}
    config = model.config
    tensors: dict[str, torch.Tensor] = {}
    for name, parameter in model.named_parameters():
        tensor = parameter.detach()
        if name in transposed:
            tensor = tensor.t()
        if "q_proj" in name or "k_proj" in name:
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            tensor = tensor.view(heads, 2, -1, tensor.shape[1]).transpose(1, 2).reshape(tensor.shape)
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        tensors[name.replace("lm_head", "output")] = tensor
    return tensors


def _add_tensor(writer: GGUFWriter, name: str, tensor: torch.Tensor, weights: str) -> None:
    array = tensor.contiguous().numpy().astype(np.float32)
    if tensor.dim() < 2 or weights == "F32" or name.startswith(_FULL_PRECISION):
        writer.add_tensor(name, array)
        return
    # llama.cpp gives 8 bits to an embedding that is the head too when the others have 4.
    kind = GGMLQuantizationType["Q8_0" if weights == "Q4_0" and name.startswith("token_embd") else weights]
    writer.add_tensor(name, gguf.quantize(array, kind), raw_dtype=kind)
