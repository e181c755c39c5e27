"""Swin2SR (Conde et al., 2022): networks that enlarge an image by 2 or 4, with sharp edges."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from transformers import Swin2SRForImageSuperResolution

from inference.pipelines.devices import Placement
from inference.pipelines.super_resolution.tiling import OnTile, TileSize, enlarge_in_tiles
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import DType
from inference.types.errors import ModelUnavailable

_CHANNELS = 3


def _ignore(done: int, total: int) -> None:
    """Take the progress, and do nothing."""


class Swin2SR:
    """A network on its device. It enlarges images in mode RGB `factor` times in width and height."""

    def __init__(self, model: Any) -> None:
        self.nbytes = weight_bytes(model)
        self.factor: int = model.config.upscale
        self._model = model

    @classmethod
    def load(cls, folder: Path, placement: Placement, dtype: DType) -> Self:
        """Load the model in `folder`. With the `dtype` auto it computes in float32.

        These models are small, and bfloat16 has fewer steps between two brightnesses than a picture. Raise
        ModelUnavailable if it is not for pictures with three colours.
        """
        if dtype == "auto":
            placement = replace(placement, dtype=torch.float32)
        model = read_model(Swin2SRForImageSuperResolution, folder, placement)
        if (model.config.num_channels, model.config.num_channels_out) != (_CHANNELS, _CHANNELS):
            raise ModelUnavailable(
                "This super-resolution model is for pictures with {count} colour channels, and people send pictures "
                "with {usual}. The bot's operator has to pick another one.",
                count=model.config.num_channels,
                usual=_CHANNELS,
            )
        return cls(model)

    @torch.inference_mode()
    def enlarge(self, image: Image.Image, size: TileSize | None = None, before_tile: OnTile = _ignore) -> Image.Image:
        """Return the image `factor` times as wide and high. It is computed in tiles of that size."""
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        window: int = self._model.config.window_size
        enlarged = enlarge_in_tiles(self._reconstruct, pixels, self.factor, window, size or TileSize(), before_tile)
        return Image.fromarray(enlarged.permute(1, 2, 0).numpy())

    def enlarged_to(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        """Return the image in `size`, enlarged as often as that takes, and then scaled down to it."""
        while self.factor > 1 and (image.width < size[0] or image.height < size[1]):
            image = self.enlarge(image)
        return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)

    @contextmanager
    def interrupted_by(self, between_layers: Callable[[], None]) -> Generator[None]:
        """Call `between_layers` before each layer of the network: a large one takes seconds for a tile."""
        layers = [layer for stage in self._model.swin2sr.encoder.stages for layer in stage.layers]
        hooks = [layer.register_forward_pre_hook(lambda _, __: between_layers()) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _reconstruct(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._model(pixels.to(self._model.device, self._model.dtype)).reconstruction
