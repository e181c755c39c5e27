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
"""From the names that Flax gives by order of creation to those of the modules here."""


@dataclass(frozen=True, slots=True)
class BartConfig:
    """One half of the network: its layers, the tokens that it knows, and how many of them it takes."""

    width: int
    layers: int
    heads: int
    hidden: int
    vocabulary: int
    length: int


class BartStack(nn.Module):
    """What encoder and decoder share: embeddings of tokens and positions, layers, and a norm at the end."""

    def __init__(self, sizes: BartConfig, kind: type[EncoderLayer] | type[DecoderLayer]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(sizes.vocabulary, sizes.width)
        self.embed_positions = nn.Embedding(sizes.length, sizes.width)
        self.layernorm_embedding = Norm(sizes.width)
        self.layers = nn.ModuleList([kind(sizes.width, sizes.heads, sizes.hidden) for _ in range(sizes.layers)])
        self.final_ln = Norm(sizes.width)

    def embed(self, tokens: Tensor, first: int = 0) -> Tensor:
        """The states [rows, tokens, width] of `tokens` [rows, tokens], of which the first is at position `first`."""
        positions = torch.arange(first, first + tokens.shape[1], device=tokens.device)
        return self.layernorm_embedding(self.embed_tokens(tokens).float() + self.embed_positions(positions).float())


class DecoderCache:
    """What the decoder remembers of each row: the text, and the image tokens so far."""

    def __init__(self, layers: list[LayerCache], mask: Tensor) -> None:
        self.layers = layers
        self.mask = mask
        """[rows, 1, 1, text tokens], true where there is one."""
        self.length = 0

    def select(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order; one may come more than once."""
        self.mask = self.mask[rows]
        for layer in self.layers:
            layer.select(rows)


class DalleBart(nn.Module):
    """Both halves. The logits are float32 too: guidance multiplies their differences, and so their errors, by ten."""

    def __init__(self, encoder: BartConfig, decoder: BartConfig) -> None:
        super().__init__()
        self.encoder = BartStack(encoder, EncoderLayer)
        self.decoder = BartStack(decoder, DecoderLayer)
        self.lm_head = Dense(decoder.width, decoder.vocabulary, bias=False)
        self.text_length = encoder.length
        self.image_length = decoder.length
        self.start = decoder.vocabulary - 1
        """The token before the first; those below it stand for pieces of a picture."""

    @classmethod
    def load(cls, folder: Path, placement: Placement) -> Self:
        """Raises ModelUnavailable for variants that were never published, RuntimeError if weights are missing."""
        with torch.device("meta"):
            model = cls(*_read_sizes(folder))
        # Some norms have no scale.
        plain = {n: torch.ones(t.shape) for n, t in model.state_dict().items() if t.ndim == 1 and n.endswith("weight")}
        weights = dict(_read_weights(folder / FILE, placement.dtype))
        model.load_state_dict({**plain, **weights}, assign=True)
        return model.to(placement.device).eval()

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """The states [rows, tokens, width] of text `tokens` [rows, tokens]; `mask` is true where there is one."""
        states = self.encoder.embed(tokens)
        for layer in self.encoder.layers:
            states = layer(states, mask[:, None, None, :])
        return self.encoder.final_ln(states)

    def remember(self, states: Tensor, mask: Tensor) -> DecoderCache:
        """The memory to start from, of what `encode` returned and its mask."""
        layers: list[Any] = list(self.decoder.layers)
        pairs = [layer.cross_attention.pair(states) for layer in layers]
        return DecoderCache([LayerCache(pair, self.image_length) for pair in pairs], mask[:, None, None, :])

    def forward(self, tokens: Tensor, memory: DecoderCache) -> Tensor:
        """The logits [rows, tokens, vocabulary] of what follows each of the next `tokens` [rows, tokens].

        The memory takes them in: one at a time, or several at the start.
        """
        states = self.decoder.embed(tokens, memory.length)
        for layer, past in zip(self.decoder.layers, memory.layers, strict=True):
            states = layer(states, past, memory.mask)
        memory.length += tokens.shape[1]
        return self.lm_head(self.decoder.final_ln(states))


def _read_sizes(folder: Path) -> tuple[BartConfig, BartConfig]:
    """Of encoder and decoder."""
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    strange = [name for name in _UNSUPPORTED if config.get(name)]
    if strange or config["ln_positions"] != "normformer" or not config["use_glu"]:
        raise ModelUnavailable("This is a variant of DALL·E mini that the bot can't run.")

    def sizes(half: str, vocabulary: int, length: int) -> BartConfig:
        layers, heads, hidden = (config[f"{half}_{name}"] for name in ("layers", "attention_heads", "ffn_dim"))
        return BartConfig(config["d_model"], layers, heads, hidden, vocabulary, length)

    return (
        sizes("encoder", config["encoder_vocab_size"], config["max_text_length"]),
        sizes("decoder", config["image_vocab_size"] + 1, config["image_length"]),
    )


def _read_weights(file: Path, dtype: torch.dtype) -> NamedTensors:
    """By the names of the modules here; layers that are stacked in one array are taken apart."""

    def wanted(name: str) -> torch.dtype:
        return torch.float32 if name.startswith("lm_head") or "norm" in name.lower() or "final_ln" in name else dtype

    for name, tensor in read_flax(file, wanted):
        if _STACKED.search(name):
            yield from ((_renamed(_STACKED.sub(f".{i}.", name)), layer) for i, layer in enumerate(tensor))
        else:
            yield _renamed(name), tensor


def _renamed(name: str) -> str:
    for pattern, replacement in _NAMES.items():
        name = re.sub(pattern, replacement, name)
    return name
