"""Layers of DALL·E mini's encoder and decoder.

It differs from BART (Lewis et al. 2019) in gated feed-forward layers (GLU, Shazeer 2020) and NormFormer's additional
layer norms (Shleifer et al. 2021). Sums and norms are float32 regardless of the weights' dtype.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

KeysAndValues = tuple[Tensor, Tensor]
"""Keys and values, each [rows, heads, tokens, head size]."""


class Dense(nn.Linear):
    """A linear layer that computes in the dtype of its weights."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.to(self.weight.dtype))


class Norm(nn.LayerNorm):
    """A layer norm that computes in float32."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.float())


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = Dense(width, width, bias=False)
        self.k_proj = Dense(width, width, bias=False)
        self.v_proj = Dense(width, width, bias=False)
        self.out_proj = Dense(width, width, bias=False)

    def project(self, states: Tensor) -> KeysAndValues:
        """Return keys and values of `states` [rows, tokens, width]."""
        return self._split(self.k_proj(states)), self._split(self.v_proj(states))

    def forward(
        self, states: Tensor, keys_and_values: KeysAndValues, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Let `states` [rows, tokens, width] attend to keys and values where `mask` [rows, 1, 1, keys] is true."""
        query = self._split(self.q_proj(states))
        attended = scaled_dot_product_attention(query, *keys_and_values, attn_mask=mask, is_causal=causal)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [rows, heads, tokens, head size]


class GLU(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.before = Norm(width)
        self.gate = Dense(width, hidden, bias=False)
        self.value = Dense(width, hidden, bias=False)
        self.inside = Norm(hidden)
        self.out = Dense(hidden, width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        states = self.before(states)
        return self.out(self.inside(gelu(self.gate(states)) * self.value(states)))


class EncoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before_self, self.after_self = Norm(width), Norm(width)
        self.self_attention = Attention(width, heads)
        self.glu = GLU(width, hidden)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        normed = self.before_self(states)
        states = states + self.after_self(self.self_attention(normed, self.self_attention.project(normed), mask))
        return states + self.glu(states)


class DecoderLayer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before_self, self.after_self = Norm(width), Norm(width)
        self.self_attention = Attention(width, heads)
        self.before_cross, self.after_cross = Norm(width), Norm(width)
        self.cross_attention = Attention(width, heads)
        self.glu = GLU(width, hidden)

    def forward(self, states: Tensor, cache: LayerCache, mask: Tensor) -> Tensor:
        normed = self.before_self(states)
        keys_and_values = cache.append(self.self_attention.project(normed))
        num_new_tokens = states.shape[1]
        states = states + self.after_self(self.self_attention(normed, keys_and_values, causal=num_new_tokens > 1))
        attended = self.cross_attention(self.before_cross(states), cache.text, mask)
        states = states + self.after_cross(attended)
        return states + self.glu(states)


class LayerCache:
    """The cache of one decoder layer: keys and values of the text, and of up to `capacity` image tokens."""

    def __init__(self, text: KeysAndValues, capacity: int) -> None:
        keys, _ = text
        rows, heads, _, size = keys.shape
        self.text = text
        self._image = keys.new_empty(2, rows, heads, capacity, size)
        self._length = 0

    def append(self, new: KeysAndValues) -> KeysAndValues:
        """Append keys and values of the next tokens. Return all so far. Only the first call may have several tokens."""
        end = self._length + new[0].shape[2]
        for store, tensor in zip(self._image, new, strict=True):
            store[:, :, self._length : end] = tensor
        self._length = end
        keys, values = self._image[:, :, :, :end]
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Keep only these rows, in this order. A row may occur more than once."""
        self.text = (self.text[0][rows], self.text[1][rows])
        self._image = torch.stack([tensor[rows] for tensor in self._image])
