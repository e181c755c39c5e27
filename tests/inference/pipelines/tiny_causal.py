"""Tiny causal language models of several architectures, random but lively, saved as the hub would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from inference.pipelines.causal_lm import CausalLM
from inference.pipelines.devices import Placement
from inference.types import ModelSpec

_CORPUS = [
    "the quick brown fox jumps over the lazy dog and the cat sat on the mat",
    "once upon a time there was a small boat on a wide river in the green hills",
    "she said that he would come home before the rain, but the road was long and dark",
    "User: what is this text about? It does not say. Answer: a dog, a cat and a boat.",
] * 4
_VOCABULARY = 200
"""Fewer than the corpus yields, so that every token has a text."""
_POSITIONS = 1024

CHAT = (
    "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant:{% endif %}"
)


NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT
"""A template that refuses a system message, as those of Gemma and Mistral did."""


def _tokenizer(*, chat: str, window: int) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        _CORPUS,
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
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
    return GPT2LMHeadModel(GPT2Config(vocab_size=_VOCABULARY, n_positions=_POSITIONS, n_embd=32, n_layer=3, n_head=4))


def _opt() -> PreTrainedModel:
    """Like opt-350m: layer norms after the blocks, embeddings narrower than the model."""
    config = OPTConfig(
        vocab_size=_VOCABULARY,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        word_embed_proj_dim=16,
        do_layer_norm_before=False,
        max_position_embeddings=_POSITIONS,
    )
    return OPTForCausalLM(config)


_GROUPED: dict[str, int] = {
    "vocab_size": _VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": _POSITIONS,
}


def _llama() -> PreTrainedModel:
    """Rotary positions, and two query heads to each key head."""
    return LlamaForCausalLM(LlamaConfig(**_GROUPED))  # pyright: ignore[reportArgumentType]


def _mistral() -> PreTrainedModel:
    """Attention that looks back eight tokens only."""
    return MistralForCausalLM(MistralConfig(**_GROUPED, sliding_window=8))  # pyright: ignore[reportArgumentType]


ARCHITECTURES: dict[str, Callable[[], PreTrainedModel]] = {
    "gpt2": _gpt2,
    "opt": _opt,
    "llama": _llama,
    "mistral": _mistral,
}


def save_causal(folder: Path, architecture: str, *, chat: str = "", seed: int = 0, window: int = 256) -> Path:
    """Writes a model and its tokenizer into `folder`; the token `</s>` ends texts, and never comes by itself.

    `chat` is the tokenizer's chat template; without one the model only goes on with texts. `window` is how many tokens
    the tokenizer lets it read.
    """
    torch.manual_seed(seed)
    model = ARCHITECTURES[architecture]().eval()
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15 if "embed" in name or "wte" in name else 0.3)
    generation = model.generation_config
    assert generation is not None
    generation.eos_token_id = 1
    model.save_pretrained(folder)
    _tokenizer(chat=chat, window=window).save_pretrained(folder)
    return folder


def save_bytes(folder: Path) -> Path:
    """A tokenizer with a token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=bpe).save_pretrained(folder)
    return folder


def load(folder: Path, dtype: torch.dtype = torch.float32) -> CausalLM:
    """The saved model as the bot would load it."""
    spec = ModelSpec(name="tiny", task="complete", repo=str(folder))
    return CausalLM.load(spec, folder, Placement(torch.device("cpu"), dtype))
