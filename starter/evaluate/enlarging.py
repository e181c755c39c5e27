"""Quality of enlarged images: the enlarger against bicubic interpolation, on drawings by an unseen artist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from PIL import Image
from torch import Tensor

from inference.pipelines.devices import Placement
from inference.pipelines.super_resolution.swin2sr import Swin2SR

Enlarge = Callable[[Image.Image], Image.Image]
"""Returns an image four times as wide and high."""

FACTOR = 4


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over `count` images: PSNR in dB (more is better), and two distances from 0 on (less is better).

    `features` is computed like LPIPS, but with the features of the captioner's encoder, and `edges` is the mean
    difference of neighbouring pixels' differences, from 0 to 1.
    """

    count: int
    psnr: float
    features: float
    edges: float


def load_enlarger(folder: Path) -> Enlarge:
    """Return the enlarger in `folder`, as the bot uses it."""
    return Swin2SR.load(folder, Placement(torch.device("cpu"), torch.float32), "float32").enlarge


def bicubic(image: Image.Image) -> Image.Image:
    """Return the image four times as wide and high, interpolated."""
    return image.resize((image.width * FACTOR, image.height * FACTOR), Image.Resampling.BICUBIC)


def evaluate_enlarging(enlarge: Enlarge, small: Tensor, large: Tensor, encoder: Any) -> Quality:
    """Return the quality of `small` [n, 3, h, w] enlarged, compared with `large` [n, 3, H, W], all from 0 to 1.

    A `large` that is less than four times as large is compared with the scaled-down result. `encoder` is the
    captioner's image encoder.
    """
    sums = torch.zeros(3, dtype=torch.float64)
    for image, truth in zip(small, large, strict=True):
        enlarged = to_tensor(_scaled(enlarge(to_image(image)), truth.shape[-1]))
        sums += torch.tensor(
            [
                -10 * (enlarged - truth).square().mean().log10().item(),
                feature_distance(encoder, enlarged, truth),
                _edge_difference(enlarged, truth),
            ]
        )
    return Quality(len(small), *(sums / len(small)).tolist())


@torch.inference_mode()
def feature_distance(encoder: Any, one: Tensor, other: Tensor) -> float:
    """Return the distance of two images [3, h, w] in the features of all blocks, each position normalized to length 1.

    That is how LPIPS compares (Zhang et al., 2018), without its learned weights of channels.
    """
    states = encoder(torch.stack([one, other]) * 2 - 1, output_hidden_states=True).hidden_states
    distances: list[Tensor] = []
    for state in states:  # [2, channels, h, w], or [2, positions, channels] after the last block
        channels = 1 if state.ndim == 4 else 2
        first, second = functional.normalize(state, dim=channels).unbind()
        distances.append((first - second).square().sum(dim=channels - 1).mean())
    return torch.stack(distances).sum().item()


def comparison_sheet(enlarge: Enlarge, small: Tensor, large: Tensor, columns: int = 2) -> Image.Image:
    """Return a sheet with bicubic interpolation, the enlarged image and the truth, side by side for each image."""
    side = large.shape[-1]
    sheet = Image.new("RGB", (3 * columns * side, -(-len(small) // columns) * side), "white")
    for i, (image, truth) in enumerate(zip(small, large, strict=True)):
        row, column = divmod(i, columns)
        shown: Sequence[Image.Image] = (bicubic(to_image(image)), enlarge(to_image(image)), to_image(truth))
        for place, each in enumerate(shown):
            sheet.paste(_scaled(each, side), ((3 * column + place) * side, row * side))
    return sheet


def to_image(pixels: Tensor) -> Image.Image:
    """Convert an image [3, h, w] from 0 to 1."""
    return Image.fromarray((pixels.clamp(0, 1).permute(1, 2, 0) * 255).round().byte().numpy())


def to_tensor(image: Image.Image) -> Tensor:
    """Convert an image to [3, h, w] from 0 to 1."""
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return pixels.view(image.height, image.width, 3).permute(2, 0, 1).float() / 255


def _scaled(image: Image.Image, side: int) -> Image.Image:
    return image if image.width == side else image.resize((side, side), Image.Resampling.LANCZOS)


def _edge_difference(one: Tensor, other: Tensor) -> float:
    return sum((one.diff(dim=side) - other.diff(dim=side)).abs().mean().item() for side in (-2, -1)) / 2
