"""Beams that share the keys and values of one input write what `generate` writes."""

from typing import Any

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    GPT2Config,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

from inference.pipelines.shared_beams import shared_input

SMALL: dict[str, Any] = {
    "vocab_size": 60, "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "max_position_embeddings": 64,
    "pad_token_id": 1, "eos_token_id": 2, "bos_token_id": 0, "decoder_start_token_id": 2,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "bart": SMALL,
    "pegasus": SMALL,
    "marian": SMALL,
    "led": SMALL
    | {"attention_window": 4, "max_encoder_position_embeddings": 64, "max_decoder_position_embeddings": 64},
    "t5": {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    | {"decoder_start_token_id": 0},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_model_writes_the_same_tokens(kind: str) -> None:
    torch.manual_seed(0)
    model: Any = AutoModelForSeq2SeqLM.from_config(AutoConfig.for_model(kind, **KINDS[kind])).eval()
    tokens = torch.randint(5, 60, (1, 12))
    inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    settings = {"num_beams": 4, "min_new_tokens": 12, "max_new_tokens": 12}
    with torch.inference_mode():
        shared = shared_input(model, 4, **inputs)
        assert "past_key_values" in shared
        assert torch.equal(model.generate(**inputs, **shared, **settings), model.generate(**inputs, **settings))


def test_a_captioner_writes_the_same_tokens() -> None:
    torch.manual_seed(0)
    vit = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=32)
    gpt2 = GPT2Config(vocab_size=60, n_embd=16, n_layer=2, n_head=2, n_positions=64, eos_token_id=2, bos_token_id=2)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(vit, gpt2)
    model: Any = VisionEncoderDecoderModel(config=config)
    model.generation_config.decoder_start_token_id, model.generation_config.pad_token_id = 2, 2
    model.eval()
    pixels = torch.randn(1, 3, 32, 32)
    settings = {"num_beams": 4, "min_new_tokens": 10, "max_new_tokens": 10}
    with torch.inference_mode():
        shared = shared_input(model, 4, pixel_values=pixels)
        assert "past_key_values" in shared
        expected = model.generate(pixel_values=pixels, **settings)
        assert torch.equal(model.generate(pixel_values=pixels, **shared, **settings), expected)
