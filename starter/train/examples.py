"""What the painter learns to draw: latents with the names of what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from starter.drawings.artists import Drawing
from starter.drawings.collection import Collection
from starter.drawings.colours import COLOURS, painted
from starter.drawings.vocabulary import things
from starter.train.augment import on_background
from starter.train.autoencoder import encoded

_COLOURED_ALREADY = (*COLOURS, "black", "white", "grey", "light")
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Examples:
    """Latents [n, 12, 8, 8], and what each shows."""

    latents: Tensor
    names: tuple[str, ...]

    def one(self, generator: torch.Generator) -> tuple[Tensor, str]:
        """One of them, by chance."""
        row = int(torch.randint(len(self.names), (1,), generator=generator))
        return self.latents[row], self.names[row]


def as_drawn(collection: Collection, autoencoder: Any) -> Examples:
    """The drawings as their artists made them."""
    return Examples(_latents(collection.pixels, autoencoder), collection.names)


def in_colours(collection: Collection, autoencoder: Any) -> Examples:
    """Every drawing that has a main colour, in all colours: "blue car", "green cat".

    Hearts and things named by a colour stay as they are: their colours are what the vocabulary is about.
    """
    categories = {thing.name: thing.category for thing in things()}
    drawings: list[Drawing] = []
    names: list[str] = []
    for drawing, name in zip(collection.pixels, collection.names, strict=True):
        if name.split()[0] in _COLOURED_ALREADY or categories[name] == "hearts":
            continue
        for colour in COLOURS:
            changed = painted(drawing, colour)
            if changed is not None:
                drawings.append(changed)
                names.append(f"{colour} {name}")
    return Examples(_latents(np.stack(drawings), autoencoder), tuple(names))


def to_tensor(pixels: Drawing) -> Tensor:
    """RGBA bytes [n, h, w, 4] as torch wants them: [n, 4, h, w]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def on_white(drawings: Tensor) -> Tensor:
    """RGBA bytes [n, 4, h, w] on white paper: RGB [n, 3, h, w] from 0 to 1."""
    return on_background(drawings, torch.ones(len(drawings), 3))


def _latents(pixels: Drawing, autoencoder: Any) -> Tensor:
    parts = to_tensor(pixels).split(_AT_ONCE)
    return torch.cat([encoded(autoencoder, on_white(part)) for part in parts])
