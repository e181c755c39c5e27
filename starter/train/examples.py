"""Training examples for the image model: latents with the names of what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from starter.drawings.artists import Drawing
from starter.drawings.collection import Collection
from starter.drawings.colours import COLOURS, recoloured
from starter.drawings.vocabulary import things
from starter.train.augment import on_background
from starter.train.autoencoder import encode

_COLOUR_WORDS = (*COLOURS, "black", "white", "grey", "light")
_MAX_BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class Examples:
    """Latents [n, 12, 8, 8], each with the name of what it shows."""

    latents: Tensor
    names: tuple[str, ...]

    def random_example(self, generator: torch.Generator) -> tuple[Tensor, str]:
        """Return a random example."""
        index = int(torch.randint(len(self.names), (1,), generator=generator))
        return self.latents[index], self.names[index]


def original_examples(collection: Collection, autoencoder: Any) -> Examples:
    """Return the original drawings as examples."""
    return Examples(_latents(collection.pixels, autoencoder), collection.names)


def recoloured_examples(collection: Collection, autoencoder: Any) -> Examples:
    """Return every drawing with a main colour in all colours: "blue car", "green cat".

    Hearts, and things with a colour in their name, are left out: the vocabulary has their colours.
    """
    categories = {thing.name: thing.category for thing in things()}
    drawings: list[Drawing] = []
    names: list[str] = []
    for drawing, name in zip(collection.pixels, collection.names, strict=True):
        if name.split()[0] in _COLOUR_WORDS or categories[name] == "hearts":
            continue
        for colour in COLOURS:
            recoloured_drawing = recoloured(drawing, colour)
            if recoloured_drawing is not None:
                drawings.append(recoloured_drawing)
                names.append(f"{colour} {name}")
    return Examples(_latents(np.stack(drawings), autoencoder), tuple(names))


def to_tensor(pixels: Drawing) -> Tensor:
    """Convert RGBA bytes [n, h, w, 4] to a tensor [n, 4, h, w]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def on_white(drawings: Tensor) -> Tensor:
    """Blend RGBA bytes [n, 4, h, w] over white: RGB [n, 3, h, w] from 0 to 1."""
    return on_background(drawings, torch.ones(len(drawings), 3))


def _latents(pixels: Drawing, autoencoder: Any) -> Tensor:
    parts = to_tensor(pixels).split(_MAX_BATCH_SIZE)
    return torch.cat([encode(autoencoder, on_white(batch)) for batch in parts])
