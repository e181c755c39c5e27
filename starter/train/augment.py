"""Drawings as training sees them: on a background, shifted, scaled, tilted, bent, mirrored, in other hues."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

# Brightness and two colour differences (NTSC's YIQ): turning the latter two is a change of hue.
_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])

_BENDS = 4
"""Along each side, how many parts of a drawing are bent on their own."""


def on_background(drawings: Tensor, backgrounds: Tensor) -> Tensor:
    """RGBA bytes [n, 4, h, w] over colours [n, 3] from 0 to 1: RGB [n, 3, h, w] from 0 to 1."""
    pixels = drawings.float() / 255
    alpha = pixels[:, 3:]
    return pixels[:, :3] * alpha + backgrounds[:, :, None, None] * (1 - alpha)


def backgrounds(count: int, white: float, generator: torch.Generator) -> Tensor:
    """Colours [count, 3]: white for a share of them, the others anything."""
    colours = torch.rand(count, 3, generator=generator)
    colours[torch.rand(count, generator=generator) < white] = 1
    return colours


def placed(
    drawings: Tensor, scale: float, shift: float, generator: torch.Generator, tilt: float = 0, bend: float = 0
) -> Tensor:
    """Drawings [n, c, h, w] up to `scale` larger or smaller, shifted by up to a share of the side, some mirrored.

    And tilted by up to so many degrees, and bent, each part on its own, by about that share of half the side.
    """
    count = len(drawings)
    sizes = torch.exp(_between(-math.log(1 + scale), math.log(1 + scale), count, generator))
    signs = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    matrices = torch.zeros(count, 2, 3)
    matrices[:, 0, 0] = signs / sizes
    matrices[:, 1, 1] = 1 / sizes
    matrices[:, :, 2] = 2 * shift * (2 * torch.rand(count, 2, generator=generator) - 1)
    if tilt:
        angles = torch.deg2rad(_between(-tilt, tilt, count, generator))
        tilts = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], dim=1).view(count, 2, 2)
        matrices[:, :, :2] = tilts @ matrices[:, :, :2]
    grid = functional.affine_grid(matrices, list(drawings.shape), align_corners=False)
    if bend:
        moves = torch.randn(count, 2, _BENDS, _BENDS, generator=generator) * bend
        smooth = functional.interpolate(moves, drawings.shape[-2:], mode="bicubic", align_corners=False)
        grid = grid + smooth.permute(0, 2, 3, 1)
    return functional.grid_sample(drawings.float(), grid.to(drawings.device), align_corners=False)


def turned(images: Tensor, generator: torch.Generator, most: float = math.pi) -> Tensor:
    """RGB images [n, 3, h, w] with their hues turned by any angle, or up to `most`, in radians."""
    angles = _between(-most, most, len(images), generator)
    turn = torch.zeros(len(images), 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = angles.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angles.sin(), angles.sin()
    matrices = (torch.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ).to(images.device)
    return torch.einsum("nij,njhw->nihw", matrices, images).clamp(0, 1)


def outlined(drawings: Tensor, generator: torch.Generator) -> Tensor:
    """RGBA drawings [n, 4, h, w] with a dark line along their edges, inner ones too, as some artists draw."""
    brightness = drawings[:, :3].mean(dim=1, keepdim=True) * drawings[:, 3:] / 255
    both = torch.cat([brightness, drawings[:, 3:]], dim=1)
    edges = functional.max_pool2d(both, 3, 1, 1) + functional.max_pool2d(-both, 3, 1, 1)  # highest less lowest nearby
    line = (edges.amax(dim=1, keepdim=True) / 100 - 0.5).clamp(0, 1)
    dark = torch.rand(len(drawings), 1, 1, 1, generator=generator) * 60
    colours = drawings[:, :3] * (1 - line) + dark * line
    return torch.cat([colours, torch.maximum(drawings[:, 3:], 255 * line)], dim=1)


def flattened(drawings: Tensor) -> Tensor:
    """RGBA drawings [n, 4, h, w] without their soft shades: six of each colour."""
    return torch.cat([(drawings[:, :3] / 51).round() * 51, drawings[:, 3:]], dim=1)


def with_holes(drawings: Tensor, generator: torch.Generator) -> Tensor:
    """RGBA drawings [n, 4, h, w] without a rectangle of up to a third of each side, so that every part must count."""
    (count, _, height, width), places = drawings.shape, torch.arange(max(drawings.shape[2:]))
    starts = torch.rand(count, 2, generator=generator)
    ends = starts + torch.rand(count, 2, generator=generator) / 3
    rows, columns = (
        (places[:side] >= starts[:, i, None] * side) & (places[:side] < ends[:, i, None] * side)
        for i, side in enumerate((height, width))
    )
    return drawings * ~(rows[:, None, :, None] & columns[:, None, None, :])


def disguised(drawings: Tensor, generator: torch.Generator, any_hue: Tensor | None = None) -> Tensor:
    """RGBA bytes [n, 4, h, w] as another artist might draw them, on any paper: RGB [n, 3, h, w] from 0 to 1.

    `any_hue` [n] says which may be of another colour altogether, and some of those are.
    """
    drawings = drawings.float()
    drawings = torch.where(some(drawings, 0.3, generator), flattened(drawings), drawings)
    drawings = torch.where(some(drawings, 0.5, generator), outlined(drawings, generator), drawings)
    drawings = torch.where(some(drawings, 0.3, generator), with_holes(drawings, generator), drawings)
    drawings = placed(drawings, scale=0.4, shift=0.12, generator=generator, tilt=25, bend=0.06)
    images = on_background(drawings, backgrounds(len(drawings), 0.6, generator))
    images = turned(images, generator, most=0.15)
    if any_hue is not None:
        recoloured = some(images, 0.25, generator) & any_hue[:, None, None, None]
        images = torch.where(recoloured, turned(images, generator), images)
    grey = images.mean(dim=1, keepdim=True)
    saturation = _between(0.5, 1.4, len(images), generator)[:, None, None, None]
    brightness = _between(0.75, 1.2, len(images), generator)[:, None, None, None]
    noise = torch.randn(images.shape, generator=generator) * 0.03
    return ((grey + (images - grey) * saturation) * brightness + noise).clamp(0, 1)


def some(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Which of `images` [n, 1, 1, 1], by chance."""
    return (torch.rand(len(images), generator=generator) < share)[:, None, None, None]


def _between(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)
