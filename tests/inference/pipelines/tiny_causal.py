"""Tiny causal language models of several architectures, with random weights and the files of a hub repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Lfm2Config,
    Lfm2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.devices import Placement
from inference.types import ModelSpec

_CORPUS = [
    "the quick brown fox jumps over the lazy dog and the cat sat on the mat",
    "once upon a time there was a small boat on a wide river in the green hills",
    "she said that he would come home before the rain, but the road was long and dark",
    "User: what is this text about? It does not say. Answer: a dog, a cat and a boat.",
] * 4
_VOCAB_SIZE = 200
"""Fewer tokens than the corpus could give, so that every token has a text."""
_MAX_POSITIONS = 1024

CHAT = (
    "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant:{% endif %}"
)


NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT
"""A template that refuses a system message, like the templates of older Gemma and Mistral models."""


def _tokenizer(*, chat: str, window: int) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        _CORPUS,
        trainers.BpeTrainer(
            vocab_size=_VOCAB_SIZE,
            special_tokens=["<s>", "</s>"],
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", model_max_length=window
    )
    if chat:
        tokenizer.chat_template = chat
    return tokenizer


def _gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=_VOCAB_SIZE, n_positions=_MAX_POSITIONS, n_embd=32, n_layer=3, n_head=4)
    )


def _opt() -> PreTrainedModel:
    """Return a model like opt-350m: layer norms after the blocks, and embeddings smaller than the hidden size."""
    config = OPTConfig(
        vocab_size=_VOCAB_SIZE,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        word_embed_proj_dim=16,
        do_layer_norm_before=False,
        max_position_embeddings=_MAX_POSITIONS,
    )
    return OPTForCausalLM(config)


_GROUPED_QUERY_CONFIG: dict[str, int] = {
    "vocab_size": _VOCAB_SIZE,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": _MAX_POSITIONS,
}


def _llama() -> PreTrainedModel:
    """Return a model with rotary positions and two query heads per key head."""
    return LlamaForCausalLM(LlamaConfig(**_GROUPED_QUERY_CONFIG))  # pyright: ignore[reportArgumentType]


def _mistral() -> PreTrainedModel:
    """Return a model with a sliding window of eight tokens."""
    return MistralForCausalLM(MistralConfig(**_GROUPED_QUERY_CONFIG, sliding_window=8))  # pyright: ignore[reportArgumentType]


def _lfm2() -> PreTrainedModel:
    """Return a model with convolutions between its attention layers, which `GenericRunner` runs."""
    config: dict[str, Any] = {
        **_GROUPED_QUERY_CONFIG,
        "layer_types": ["conv", "full_attention", "conv"],
        "tie_embedding": False,
    }
    return Lfm2ForCausalLM(Lfm2Config(**config))


ARCHITECTURES: dict[str, Callable[[], PreTrainedModel]] = {
    "gpt2": _gpt2,
    "opt": _opt,
    "llama": _llama,
    "mistral": _mistral,
    "lfm2": _lfm2,
}

RUNNERS = {"batched": "gpt2", "generic": "lfm2"}
"""An architecture for each runner."""


def save_causal(folder: Path, architecture: str, *, chat: str = "", seed: int = 0, window: int = 256) -> Path:
    """Save a model and its tokenizer in `folder`. `</s>` ends a text, but the model does not generate it.

    `chat` is the chat template of the tokenizer. Without one, the model only continues texts. `window` is the
    maximum length of the tokenizer.
    """
    torch.manual_seed(seed)
    model = ARCHITECTURES[architecture]().eval()
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15 if "embed" in name or "wte" in name else 0.3)
    if isinstance(model, Lfm2ForCausalLM):
        model.lm_head.weight.data[1] = 0  # which makes `</s>` unlikely
    generation = model.generation_config
    assert generation is not None
    generation.eos_token_id = 1
    model.save_pretrained(folder)
    _tokenizer(chat=chat, window=window).save_pretrained(folder)
    return folder


def save_bytes(folder: Path) -> Path:
    """Save a tokenizer with one token per byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({symbol: i for i, symbol in enumerate(alphabet)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=bpe).save_pretrained(folder)
    return folder


def load(folder: Path, dtype: torch.dtype = torch.float32) -> CausalLM:
    """Load a saved model as the bot does."""
    spec = ModelSpec(name="tiny", task="complete", repo=str(folder))
    return CausalLM.load(spec, folder, Placement(torch.device("cpu"), dtype))
