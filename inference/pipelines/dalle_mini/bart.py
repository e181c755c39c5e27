"""DALL·E mini's language model, from text tokens to image tokens (https://github.com/borisdayma/dalle-mini)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from inference.pipelines.dalle_mini.flax_checkpoint import FILE, read_flax
from inference.pipelines.dalle_mini.layers import DecoderLayer, Dense, EncoderLayer, LayerCache, Norm
from inference.pipelines.devices import Placement
from inference.pipelines.weights import NamedTensors
from inference.types.errors import ModelUnavailable

_UNSUPPORTED = (
    "use_bias", "use_head_scale", "use_cosine_attention", "use_deepnet_scaling", "use_alibi", "scale_embedding",
    "tie_word_embeddings", "use_swin_position_embeddings",
)  # fmt: skip

_STACKED = re.compile(r"\.FlaxBart(?:En|De)coderLayers\.")
_NAMES = {
    r"^model\.": "",
    r"\.FlaxBart(En|De)coderLayer\.": ".",
    r"\.GLU\.0\.LayerNorm\.0": ".glu.before", r"\.GLU\.0\.LayerNorm\.1": ".glu.inside",
    r"\.GLU\.0\.Dense\.0": ".glu.gate", r"\.GLU\.0\.Dense\.1": ".glu.value", r"\.GLU\.0\.Dense\.2": ".glu.out",
    r"\.FlaxBartAttention\.0": ".self_attention", r"\.FlaxBartAttention\.1": ".cross_attention",
    r"\.LayerNorm\.0": ".before_self", r"\.LayerNorm\.1": ".after_self",
    r"\.LayerNorm\.2": ".before_cross", r"\.LayerNorm\.3": ".after_cross",
}  # fmt: skip
"""Regular expressions from Flax's names, which are numbered by order of creation, to the module names used here."""


@dataclass(frozen=True, slots=True)
class BartConfig:
    """The configuration of encoder or decoder. `length` is the maximum number of tokens."""

    width: int
    layers: int
    heads: int
    hidden: int
    vocab_size: int
    length: int


class BartStack(nn.Module):
    """The common part of encoder and decoder: embeddings of tokens and positions, layers, and a final norm."""

    def __init__(self, config: BartConfig, layer_class: type[EncoderLayer] | type[DecoderLayer]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.width)
        self.embed_positions = nn.Embedding(config.length, config.width)
        self.layernorm_embedding = Norm(config.width)
        layers = (layer_class(config.width, config.heads, config.hidden) for _ in range(config.layers))
        self.layers = nn.ModuleList(layers)
        self.final_ln = Norm(config.width)

    def embed(self, tokens: Tensor, offset: int = 0) -> Tensor:
        """Return the states [rows, tokens, width] of `tokens` [rows, tokens], whose first position is `offset`."""
        positions = torch.arange(offset, offset + tokens.shape[1], device=tokens.device)
        return self.layernorm_embedding(self.embed_tokens(tokens).float() + self.embed_positions(positions).float())


class DecoderCache:
    """The decoder's cache for each row: the text, and the image tokens so far."""

    def __init__(self, layers: list[LayerCache], mask: Tensor) -> None:
        self.layers = layers
        self.mask = mask
        """[rows, 1, 1, text tokens], true for tokens, false for padding."""
        self.length = 0

    def select(self, rows: Tensor) -> None:
        """Keep only these rows, in this order. A row may occur more than once."""
        self.mask = self.mask[rows]
        for layer in self.layers:
            layer.select(rows)


class DalleBart(nn.Module):
    """Encoder and decoder. Logits are float32 too: guidance multiplies their differences, and errors, by ten."""

    def __init__(self, encoder: BartConfig, decoder: BartConfig) -> None:
        super().__init__()
        self.encoder = BartStack(encoder, EncoderLayer)
        self.decoder = BartStack(decoder, DecoderLayer)
        self.lm_head = Dense(decoder.width, decoder.vocab_size, bias=False)
        self.text_length = encoder.length
        self.image_length = decoder.length
        self.start = decoder.vocab_size - 1
        """The token before the first one. Lower tokens stand for parts of an image."""

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> Self:
        """Raise ModelUnavailable for unknown variants, RuntimeError if weights are missing."""
        with torch.device("meta"):
            model = cls(*_read_configs(folder))
        # Some norms have no scale: it is 1.
        ones = {n: torch.ones(t.shape) for n, t in model.state_dict().items() if t.ndim == 1 and n.endswith("weight")}
        weights = dict(_read_weights(folder / FILE, placement.dtype))
        model.load_state_dict({**ones, **weights}, assign=True)
        return model.to(placement.device).eval()

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the states [rows, tokens, width] of text `tokens` [rows, tokens]; `mask` is false for padding."""
        states = self.encoder.embed(tokens)
        for layer in self.encoder.layers:
            states = layer(states, mask[:, None, None, :])
        return self.encoder.final_ln(states)

    def new_cache(self, states: Tensor, mask: Tensor) -> DecoderCache:
        """Return a new cache for the states that `encode` returned, and their mask."""
        layers: list[Any] = list(self.decoder.layers)
        pairs = [layer.cross_attention.project(states) for layer in layers]
        return DecoderCache([LayerCache(pair, self.image_length) for pair in pairs], mask[:, None, None, :])

    def forward(self, tokens: Tensor, cache: DecoderCache) -> Tensor:
        """Return the logits [rows, tokens, vocabulary] after each of the next `tokens` [rows, tokens].

        The tokens are added to the cache: one at a time, or several at the start.
        """
        states = self.decoder.embed(tokens, cache.length)
        for layer, layer_cache in zip(self.decoder.layers, cache.layers, strict=True):
            states = layer(states, layer_cache, cache.mask)
        cache.length += tokens.shape[1]
        return self.lm_head(self.decoder.final_ln(states))


def _read_configs(folder: Path) -> tuple[BartConfig, BartConfig]:
    """Return the configurations of encoder and decoder."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    unsupported = [name for name in _UNSUPPORTED if config.get(name)]
    if unsupported or config["ln_positions"] != "normformer" or not config["use_glu"]:
        raise ModelUnavailable("This is a variant of DALL·E mini that the bot can't run.")

    def stack_config(half: str, vocab_size: int, length: int) -> BartConfig:
        layers, heads, hidden = (config[f"{half}_{name}"] for name in ("layers", "attention_heads", "ffn_dim"))
        return BartConfig(config["d_model"], layers, heads, hidden, vocab_size, length)

    return (
        stack_config("encoder", config["encoder_vocab_size"], config["max_text_length"]),
        stack_config("decoder", config["image_vocab_size"] + 1, config["image_length"]),
    )


def _read_weights(file: Path, dtype: torch.dtype) -> NamedTensors:
    """Yield weights under the module names used here. Layers stacked in one array are separated."""

    def dtype_of(name: str) -> torch.dtype:
        return torch.float32 if name.startswith("lm_head") or "norm" in name.lower() or "final_ln" in name else dtype

    for name, tensor in read_flax(file, dtype_of):
        if _STACKED.search(name):
            yield from ((_rename(_STACKED.sub(f".{i}.", name)), layer) for i, layer in enumerate(tensor))
        else:
            yield _rename(name), tensor


def _rename(name: str) -> str:
    for pattern, replacement in _NAMES.items():
        name = re.sub(pattern, replacement, name)
    return name
