"""Augmentation of drawings: background, translation, scale, rotation, warping, mirroring and hue."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

# Brightness and two colour differences (NTSC's YIQ). A rotation of the latter two changes the hue.
_TO_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])

_BEND_GRID = 4
"""The number of control points for warping, along each side."""


def on_background(drawings: Tensor, backgrounds: Tensor) -> Tensor:
    """Blend RGBA bytes [n, 4, h, w] over colours [n, 3] from 0 to 1. Return RGB [n, 3, h, w] from 0 to 1."""
    pixels = drawings.float() / 255
    alpha = pixels[:, 3:]
    return pixels[:, :3] * alpha + backgrounds[:, :, None, None] * (1 - alpha)


def backgrounds(count: int, white: float, generator: torch.Generator) -> Tensor:
    """Return colours [count, 3]: white for the share `white`, random ones for the others."""
    colours = torch.rand(count, 3, generator=generator)
    colours[torch.rand(count, generator=generator) < white] = 1
    return colours


def transform(
    drawings: Tensor, scale: float, shift: float, generator: torch.Generator, tilt: float = 0, bend: float = 0
) -> Tensor:
    """Scale drawings [n, c, h, w] up or down by up to `scale`, shift them by a share of the side, and mirror some.

    Also rotate them by up to `tilt` degrees, and warp them by about `bend` of half the side.
    """
    count = len(drawings)
    sizes = torch.exp(_uniform(-math.log(1 + scale), math.log(1 + scale), count, generator))
    signs = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    matrices = torch.zeros(count, 2, 3)
    matrices[:, 0, 0] = signs / sizes
    matrices[:, 1, 1] = 1 / sizes
    matrices[:, :, 2] = 2 * shift * (2 * torch.rand(count, 2, generator=generator) - 1)
    if tilt:
        angles = torch.deg2rad(_uniform(-tilt, tilt, count, generator))
        tilts = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], dim=1).view(count, 2, 2)
        matrices[:, :, :2] = tilts @ matrices[:, :, :2]
    grid = functional.affine_grid(matrices, list(drawings.shape), align_corners=False)
    if bend:
        displacements = torch.randn(count, 2, _BEND_GRID, _BEND_GRID, generator=generator) * bend
        smooth = functional.interpolate(displacements, drawings.shape[-2:], mode="bicubic", align_corners=False)
        grid = grid + smooth.permute(0, 2, 3, 1)
    return functional.grid_sample(drawings.float(), grid.to(drawings.device), align_corners=False)


def rotate_hue(images: Tensor, generator: torch.Generator, max_angle: float = math.pi) -> Tensor:
    """Rotate the hues of RGB images [n, 3, h, w] by a random angle of up to `max_angle`, in radians."""
    angles = _uniform(-max_angle, max_angle, len(images), generator)
    rotation = torch.zeros(len(images), 3, 3)
    rotation[:, 0, 0] = 1
    rotation[:, 1, 1] = rotation[:, 2, 2] = angles.cos()
    rotation[:, 1, 2], rotation[:, 2, 1] = -angles.sin(), angles.sin()
    matrices = (torch.linalg.inv(_TO_YIQ) @ rotation @ _TO_YIQ).to(images.device)
    return torch.einsum("nij,njhw->nihw", matrices, images).clamp(0, 1)


def add_outlines(drawings: Tensor, generator: torch.Generator) -> Tensor:
    """Add dark lines along all edges of RGBA drawings [n, 4, h, w], as some artists do."""
    brightness = drawings[:, :3].mean(dim=1, keepdim=True) * drawings[:, 3:] / 255
    both = torch.cat([brightness, drawings[:, 3:]], dim=1)
    edges = functional.max_pool2d(both, 3, 1, 1) + functional.max_pool2d(-both, 3, 1, 1)  # local maximum - minimum
    outline = (edges.amax(dim=1, keepdim=True) / 100 - 0.5).clamp(0, 1)
    dark = torch.rand(len(drawings), 1, 1, 1, generator=generator) * 60
    colours = drawings[:, :3] * (1 - outline) + dark * outline
    return torch.cat([colours, torch.maximum(drawings[:, 3:], 255 * outline)], dim=1)


def posterize(drawings: Tensor) -> Tensor:
    """Reduce RGBA drawings [n, 4, h, w] to six levels per colour."""
    return torch.cat([(drawings[:, :3] / 51).round() * 51, drawings[:, 3:]], dim=1)


def cut_out(drawings: Tensor, generator: torch.Generator) -> Tensor:
    """Remove a rectangle of up to a third of each side from RGBA drawings [n, 4, h, w]."""
    (count, _, height, width), places = drawings.shape, torch.arange(max(drawings.shape[2:]))
    starts = torch.rand(count, 2, generator=generator)
    ends = starts + torch.rand(count, 2, generator=generator) / 3
    rows, columns = (
        (places[:side] >= starts[:, i, None] * side) & (places[:side] < ends[:, i, None] * side)
        for i, side in enumerate((height, width))
    )
    return drawings * ~(rows[:, None, :, None] & columns[:, None, None, :])


def augment(drawings: Tensor, generator: torch.Generator, may_change_hue: Tensor | None = None) -> Tensor:
    """Augment RGBA bytes [n, 4, h, w] as if by another artist, on any background: RGB [n, 3, h, w] from 0 to 1.

    `may_change_hue` [n] marks drawings that may get another colour; some of them do.
    """
    drawings = drawings.float()
    drawings = torch.where(random_mask(drawings, 0.3, generator), posterize(drawings), drawings)
    drawings = torch.where(random_mask(drawings, 0.5, generator), add_outlines(drawings, generator), drawings)
    drawings = torch.where(random_mask(drawings, 0.3, generator), cut_out(drawings, generator), drawings)
    drawings = transform(drawings, scale=0.4, shift=0.12, generator=generator, tilt=25, bend=0.06)
    images = on_background(drawings, backgrounds(len(drawings), 0.6, generator))
    images = rotate_hue(images, generator, max_angle=0.15)
    if may_change_hue is not None:
        recoloured = random_mask(images, 0.25, generator) & may_change_hue[:, None, None, None]
        images = torch.where(recoloured, rotate_hue(images, generator), images)
    grey = images.mean(dim=1, keepdim=True)
    saturation = _uniform(0.5, 1.4, len(images), generator)[:, None, None, None]
    brightness = _uniform(0.75, 1.2, len(images), generator)[:, None, None, None]
    noise = torch.randn(images.shape, generator=generator) * 0.03
    return ((grey + (images - grey) * saturation) * brightness + noise).clamp(0, 1)


def random_mask(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return a random mask [n, 1, 1, 1] that is true for about this share of `images`."""
    return (torch.rand(len(images), generator=generator) < share)[:, None, None, None]


def _uniform(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)
