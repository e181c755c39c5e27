"""A tiny random model of every type that transformers can generate text with, to compare decodings. Imports torch."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CONFIG_MAPPING,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

VOCABULARY = 200
LAYERS = 4
WINDOW = 8

# The value of each setting, wherever a configuration has it. Names are in one string where they share a value.
_SIZES: dict[str, Any] = {
    name: value
    for names, value in {
        "vocab_size unpadded_vocab_size vocab_size_per_layer_input": VOCABULARY,
        "shape_vocab_size pronunciation_vocab_size": VOCABULARY,
        "output_channels post_conv_in_channels post_conv_mid_channels post_conv_out_channels": 16,
        "downsample_channels": [16, 16],
        "hidden_size n_embd d_model embedding_size embedding_dim hidden_dim word_embed_proj_dim lru_width": 32,
        "embed_dim output_dim out_hidden_size projection_dim emb_dim projector_hidden_size text_hidden_size": 32,
        "input_embedding_size output_embedding_size encoder_hidden_size hidden_size_global conv_dim ple_embed_dim": 32,
        "adapter_in_dim adapter_out_dim adapter_input_size projection_hidden_dim nemo_conv_channels": 32,
        "ext_pw_out_channel depthwise_separable_out_channel projector_input_dim projector_output_dim": 32,
        "vision_output_dim decoder_hidden_size alignment_intermediate_size downsample_hidden_size": 32,
        "intermediate_size ffn_dim decoder_ffn_dim encoder_ffn_dim d_ff mlp_dim ffn_hidden_size mamba_d_ssm": 64,
        "dense_intermediate_size intermediate_size_mlp feed_forward_size dim_ff dff d_inner n_inner": 64,
        "num_hidden_layers n_layer num_layers n_layers decoder_layers encoder_layers num_decoder_layers": LAYERS,
        "num_encoder_layers layers": LAYERS,
        "depth": 2,
        "num_attention_heads n_head n_heads num_heads attention_heads decoder_attention_heads": 4,
        "encoder_attention_heads swa_num_attention_heads linear_num_value_heads linear_num_heads": 4,
        "num_decoder_attention_heads num_encoder_attention_heads mamba_n_heads mamba_num_heads": 4,
        "num_key_value_heads num_kv_heads swa_num_key_value_heads kv_n_heads linear_num_key_heads index_n_heads": 2,
        "head_dim global_head_dim swa_head_dim qk_rope_head_dim qk_nope_head_dim v_head_dim index_head_dim": 8,
        "linear_key_head_dim linear_value_head_dim linear_head_dim attention_head_size d_head dim_head d_kv": 8,
        "kv_channels query_pre_attn_scalar mamba_d_state ssm_state_size state_size hidden_size_per_layer_input": 8,
        "rotary_dim mamba_dt_rank time_step_rank": 4,
        "mamba_d_head mamba_head_dim": 16,
        "q_lora_rank kv_lora_rank o_lora_rank hc_lowrank router_hidden_size shape_embed_dim laurel_rank": 16,
        "moe_intermediate_size shared_expert_intermediate_size shared_experts_intermediate_size": 16,
        "shared_intermediate_size expert_ffn_hidden_size pronunciation_embed_dim": 16,
        "max_position_embeddings n_positions n_ctx max_seq_len max_sequence_length max_target_positions": 256,
        "context_length": 256,
        "num_experts num_local_experts n_routed_experts moe_num_experts": 4,
        "num_experts_per_tok num_experts_per_token moe_k moe_topk moe_top_k top_k_experts": 2,
        "n_group topk_group num_expert_group mamba_n_groups n_groups o_groups n_shared_experts": 1,
        "first_k_dense_replace num_dense_layers": 1,
        "sliding_window attention_chunk_size attention_window_size window_size sliding_window_size": WINDOW,
        "local_attention local_attention_window_len keep_window_size local_attn_chunk_length": WINDOW,
        "lsh_attn_chunk_length index_topk index_block_size block_multiple_of mamba_chunk_size chunk_size": WINDOW,
        "use_sliding_window is_decoder": True,
        "tie_word_embeddings": False,
        "image_size": 32,
        "patch_size": 8,
        "bos_token_id decoder_start_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
        "forced_eos_token_id": None,
    }.items()
    for name in names.split()
}

# Rotary positions in three dimensions, for heads with 8 values.
_ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}

# Encoders of pictures as tokens, which are large otherwise.
_VQ = {"base_channels": 32, "channel_multiplier": (1, 1), "latent_channels": 8, "num_embeddings": 16}

# What single types need besides, by the type of the configuration or the nested configuration. "layers" is the
# number of layers where it isn't the usual one.
_SPECIAL: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [1, 3]},
    "blip-2": {"image_token_index": 199, "num_query_tokens": 4},
    "blt": {"encoder_hash_byte_group_vocab": 100, "num_hidden_layers": LAYERS},
    "chameleon": {"vocabulary_map": {"<image>": 190}},
    "chameleon_vqgan": _VQ,
    "cohere_compass_text": {
        "rope_parameters": dict.fromkeys(("sliding_attention", "full_attention"), _ROPE),
    },
    "dbrx": {"attn_config": {"rope_theta": 10000.0, "clip_qkv": 8.0}},
    "deepseek_ocr2_text": {"mlp_layer_types": ["dense", "sparse", "sparse", "sparse"]},
    "deepseek_v4": {
        "layer_types": ["sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"] * 2,
        "layers": 6,
        "num_key_value_heads": 1,
        "compress_rates": {"compressed_sparse_attention": 4, "heavily_compressed_attention": 8},
    },
    "dots3_note_text": {
        "swa_num_attention_heads": 4,
        "swa_num_key_value_heads": 4,
        "swa_q_lora_rank": 16,
        "swa_kv_lora_rank": 16,
        "swa_head_dim": 16,
        "swa_qk_nope_head_dim": 8,
        "swa_v_head_dim": 8,
    },
    "emu3": {"vocabulary_map": {"<image>": 190, "<|extra_200|>": 191}},
    "emu3_vqgan": _VQ,
    "ernie4_5_vl_moe_text": {
        "moe_intermediate_size": [16, 16],
        "rope_parameters": _ROPE | {"mrope_section": [1, 1, 2]},
    },
    "florence_vision": {
        "patch_size": (7, 3, 3, 3),
        "embed_dim": (8, 8, 16, 16),
        "num_heads": (2, 2, 2, 2),
        "num_groups": (2, 2, 2, 2),
    },
    "gemma3": {"mm_tokens_per_image": 4},
    "gemma3n_text": {"num_kv_shared_layers": 2, "activation_sparsity_pattern": [0.95, 0.95, 0.0, 0.0]},
    "gemma4_text": {"num_kv_shared_layers": 2, "global_head_dim": 16},
    "gemma4_unified_text": {"num_kv_shared_layers": 2, "global_head_dim": 16},
    "glm4v_moe_text": {"rope_parameters": _ROPE | {"mrope_section": [1, 1, 0]}},
    "glm5_next_text": {"index_kpool": 4, "qk_rope_head_dim": 0},
    "glm_moe_dsa": {"indexer_types": ["full", "shared"] * 2},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granite4_vision": {
        "deepstack_layer_map": [[-1, 1]],
        "downsample_rate": "1/2",
        "vision_config": {"hidden_size": 64},
    },
    "granitemoehybrid": {"layer_types": ["linear_attention", "full_attention"] * 2},
    "hunyuan_vl_text": {"rope_parameters": _ROPE},
    "jamba": {"attn_layer_period": 4, "attn_layer_offset": 2},
    "janus_vqgan": _VQ,
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "llama4_text": {"interleave_moe_layer_step": 2},
    "longcat_flash": {"num_layers": 2, "zero_expert_num": 2},
    "mamba2": {"head_dim": 16},
    "minimax_m3_vl_text": {"layer_types": ["full_attention", "minimax_m3_sparse"] * 2, "index_topk_blocks": 2},
    "molmo2_adapter": {"vision_feature_layer": [0, 1]},
    "molmo2_vision": {"image_size": [32, 32]},
    "muse_spark_audio": {"layers": 4, "hidden_sizes": (32,) * 4, "depths": (1,) * 4},
    "nemotron_h_omni": {"vision_config": {"video_temporal_patch_size": 2}},
    "qwen2_5_omni_thinker": {"vision_start_token_id": 190},
    "qwen3_omni_moe_thinker": {"vision_start_token_id": 190},
    "qwen4_exp_text": {
        "indexer_n_heads": 2,
        "indexer_kv_heads": 1,
        "indexer_head_dim": 8,
        "indexer_budget": 8,
        "indexer_compress_ratio": 4,
        "ple_layer_ids": [1],
        "heads_per_ngram": 2,
        "ngram_vocab_size_base": 100,
        "make_ngram_vocab_size_divisible_by": 8,
        "split_ngram_parts": 1,
    },
    "qwen2_5_vl_vision": {"window_size": 32},
    "reformer": {
        "attn_layers": ["local", "lsh"] * 2,
        "axial_pos_shape": (16, 16),
        "axial_pos_embds_dim": (16, 16),
    },
    "xlstm": {"hidden_size": 128, "embedding_dim": 128},
    "xmod": {"default_language": "en_XX"},
    "zaya": {"num_experts_per_tok": 1, "layer_types": ["hybrid", "hybrid_sliding"] * 2},
    **{f"{name}_text": {"rope_parameters": _ROPE} for name in ("qwen2_vl", "qwen2_5_vl", "glm4v", "glm_ocr", "glm46v")},
    **{f"{name}_text": {"rope_parameters": _ROPE} for name in ("glmga", "paddleocr_vl", "qwen2_5_omni")},
}

# Types without a tiny model, and why.
UNBUILDABLE: dict[str, str] = {
    "evolla": "transformers has no class for it under AutoModelForImageTextToText",
    "fast_vlm": "needs the package timm",
    "gemma3n": "needs the package timm",
    "gemma4_assistant": "a draft model, which reads the states of another model",
    "gemma4_unified_assistant": "a draft model, which reads the states of another model",
    "inkling_mm_model": "needs the package scipy",
    "musicgen": "makes sound, and AutoModelForCausalLM fails on its configuration",
    "musicgen_melody": "makes sound, and AutoModelForCausalLM fails on its configuration",
    "perception_lm": "needs the package timm",
}

# Parameters that stay as transformers sets them: they decide how fast a state decays.
_KEPT = ("A_log", "dt_bias", "dt_proj.bias", "time_decay", "recurrent_param")


def tiny_config(model_type: str) -> PreTrainedConfig:
    """Return a configuration with every kind of layer of the type, in the sizes above.

    Ids from 3 to 150 are plain text: 0, 1 and 2 begin, end and pad texts, and those up to 199 may stand for pictures.
    """
    return _tiny(CONFIG_MAPPING[model_type], {}, {})


def tiny_model(model_type: str, auto_class: Any = AutoModelForCausalLM, **settings: object) -> PreTrainedModel:
    """Return a model with random weights, always the same ones, whose logits depend on the whole context.

    `settings` replace those of `tiny_config`.
    """
    torch.manual_seed(0)
    config = tiny_config(model_type)
    config.update(settings)
    model: PreTrainedModel = auto_class.from_config(config, dtype=torch.float32).eval()
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(_KEPT):
                continue
            if parameter.dim() < 2:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
            else:
                inputs = parameter.shape[-1] if parameter.dim() == 3 else parameter[0].numel()
                parameter.normal_(std=(3 if id(parameter) in embeddings else 1.2) * inputs**-0.5)
        for name, buffer in model.named_buffers():
            if name.endswith(("correction_bias", "expert_bias")):
                buffer.add_(torch.randn_like(buffer), alpha=0.1)
    return model


def save_tokenizer(folder: Path) -> None:
    """Write a tokenizer with one token for each character: ASCII and some Japanese. Tokens 0 to 2 are special."""
    characters = {chr(token + 29 if token < 98 else token + 0x3040): token for token in range(3, VOCABULARY)}
    model = Tokenizer(models.WordLevel({"<s>": 0, "</s>": 1, "<pad>": 2, **characters}, unk_token="?"))
    model.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    model.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=model, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer.save_pretrained(folder)


def _tiny(config_class: type[PreTrainedConfig], overrides: dict[str, Any], token_ids: dict[int, int]) -> Any:
    """Return a tiny configuration of a class. `token_ids` has the small id of each large one seen so far."""
    special = deepcopy(_SPECIAL.get(config_class.model_type, {}) | overrides)
    default = config_class()
    layers = special.pop("layers", LAYERS if hasattr(default, "vocab_size") else 2)
    settings: dict[str, Any] = {}
    for field in fields(config_class):
        name, value = field.name, vars(default).get(field.name)
        if isinstance(value, PreTrainedConfig):
            settings[name] = _tiny(type(value), special.pop(name, {}), token_ids)
        elif name in ("layer_types", "layers_block_type", "mlp_layer_types") and value:
            settings[name] = _layer_types(name, value, hasattr(default, "sliding_window"), layers)
        elif isinstance(value, dict) and "mrope_section" in value:
            settings[name] = value | {"mrope_section": _ROPE["mrope_section"]}
        elif name in _SIZES:
            settings[name] = layers if _SIZES[name] == LAYERS and "layers" in name else _SIZES[name]
        elif name.endswith(("_token_id", "_token_index", "_id")) and isinstance(value, int) and value >= VOCABULARY:
            settings[name] = token_ids.setdefault(value, VOCABULARY - 1 - len(token_ids))
    if "kv_lora_rank" in settings:
        settings["num_key_value_heads"] = settings["num_attention_heads"]
    return config_class(**settings | special)


def _layer_types(name: str, default: list[str], has_window: bool, layers: int) -> list[str]:
    """Return the kinds of layers in turn. A type whose attention can have a window gets layers with and without."""
    kinds = list(dict.fromkeys(default))
    if has_window and len(kinds) == 1 and kinds[0] in ("full_attention", "sliding_attention"):
        kinds = ["sliding_attention", "full_attention"]
    if kinds == ["sparse"]:
        kinds = ["dense", "sparse"]
    rest = kinds[-1:] if name == "mlp_layer_types" else kinds
    return (kinds + rest * layers)[:layers]
