"""Enlarging of images of any size, tile by tile, within the memory that one tile takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from inference.types.errors import GenerationFailed

Network = Callable[[Tensor], Tensor]
"""Enlarges pixels [1, 3, height, width] from 0 to 1."""

OnTile = Callable[[int, int], None]
"""Called before each tile with the number of finished tiles and that of all. Its errors end the work."""


@dataclass(frozen=True, slots=True)
class TileSize:
    """The side of a tile in pixels, and the `margin` around it that the network sees too.

    What the network computes for the margin is thrown away: near the edge of its input it lacks what is beyond.
    """

    side: int = 256
    margin: int = 32

    def halved(self) -> TileSize | None:
        """Return a size that takes about a quarter of the memory; None if there is none."""
        return TileSize(self.side // 2, self.margin) if self.side >= 2 * self.margin else None


def enlarge_in_tiles(
    network: Network, pixels: Tensor, factor: int, window: int, size: TileSize, before_tile: OnTile
) -> Tensor:
    """Return bytes [3, factor * height, factor * width] of `pixels`, which are bytes [3, height, width].

    The network attends within windows, so all tiles begin at a multiple of `window`: then each window has the same
    pixels as it would have without tiles. An image that fits into one tile with its margins is one tile. Raise
    GenerationFailed if numbers overflow.
    """
    height, width = pixels.shape[1:]
    padded = _pad(pixels, window)
    result = torch.empty(3, factor * height, factor * width, dtype=torch.uint8)
    tiles = list(product(_spans(padded.shape[1], window, size), _spans(padded.shape[2], window, size)))
    for done, (rows, columns) in enumerate(tiles):
        before_tile(done, len(tiles))
        part = padded[None, :, rows.seen, columns.seen].float() / 255
        enlarged = _to_bytes(network(part)[0])
        target = result[:, rows.target(factor), columns.target(factor)]
        target.copy_(enlarged[:, rows.kept(factor, target.shape[1]), columns.kept(factor, target.shape[2])])
    return result


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of an axis that a tile fills, from `start` to `end`, and the part that its network sees."""

    start: int
    end: int
    seen: slice

    def target(self, factor: int) -> slice:
        return slice(self.start * factor, self.end * factor)

    def kept(self, factor: int, length: int) -> slice:
        first = (self.start - self.seen.start) * factor
        return slice(first, first + length)


def _spans(length: int, window: int, size: TileSize) -> list[_Span]:
    """Return the tiles of one axis of `length` pixels, a multiple of `window`."""
    side, margin = (-(-pixels // window) * window for pixels in (size.side, size.margin))
    if length <= side + 2 * margin:
        return [_Span(0, length, slice(0, length))]
    return [
        _Span(
            start,
            min(start + side, length),
            slice(max(0, start - margin), min(start + side + margin, length)),
        )
        for start in range(0, length, side)
    ]


def _pad(pixels: Tensor, window: int) -> Tensor:
    """Return bytes [3, height, width] with whole windows, mirrored beyond the right and the lower edge.

    It is what transformers' image processor of Swin2SR does, which adds one window to an image of whole windows.
    """
    for axis in (1, 2):
        length = pixels.shape[axis]
        positions = torch.arange((length // window + 1) * window) % (2 * length)
        mirrored = torch.where(positions < length, positions, 2 * length - 1 - positions)
        pixels = pixels.index_select(axis, mirrored)
    return pixels


def _to_bytes(enlarged: Any) -> Tensor:
    if not torch.isfinite(enlarged).all():
        raise GenerationFailed(
            "The model's numbers overflowed, so there is no picture. The bot's operator can give this model another "
            "`dtype`: bfloat16 or float32."
        )
    return (enlarged.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()
