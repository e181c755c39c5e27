"""What one diffusers pipeline asks of its caller: sizes, the names of its options, and the layout of its latents.

Each family of diffusers has a call of its own. What differs is read from the signature of the call and from the
configs of the networks; only what they don't tell is in tables here.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from diffusers.pipelines.hunyuandit.pipeline_hunyuandit import map_to_standard_shapes

from inference.pipelines.text_to_image.init_image import MULTIPLE, Size

_GUIDANCE = ("guidance_scale", "true_cfg_scale")
"""Names for the guidance scale. The first one with a number as its default is the one that the makers use."""

_MULTIPLES = {
    "Kandinsky": 64,  # the sides of the latents are multiples of 8
    "Sana": 32,
}
"""Multiples of the sides by the start of the pipeline's name, where 8 times the patch size is not enough."""

_BINNED_SAMPLE_SIZES = {
    "HunyuanDiT": {128},
    "PixArt": {32, 64, 128},
    "Sana": {16, 32, 64, 128},
}
"""Sample sizes for which a pipeline knows the shapes of its training, by the start of its name."""

_USUAL_SIDE = 1024
"""The side in pixels of nearly all models whose pipeline tells none, such as Z-Image."""


class PipelineTraits:
    """What is known about the call of one pipeline."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self._name = type(pipe).__name__

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the pipeline's call, by name."""
        return inspect.signature(self._pipe.__call__).parameters

    @property
    def has_latent_unet(self) -> bool:
        """Whether a UNet draws latents of an autoencoder, as in Stable Diffusion: these take noise and any sampler."""
        parts = all(getattr(self._pipe, part, None) is not None for part in ("unet", "vae"))
        return parts and "latents" in self.parameters

    @property
    def draws_from_text(self) -> bool:
        """Whether text alone is enough: networks made for inpainting also take a picture and a mask."""
        if not self.has_latent_unet:
            return "mask_image" not in self.parameters
        return int(self._pipe.unet.config.in_channels) <= int(self._pipe.vae.config.latent_channels)

    @cached_property
    def guidance_name(self) -> str:
        """The option for guidance; empty if there is none."""
        named = [name for name in _GUIDANCE if name in self.parameters]
        return next((name for name in named if self.default(name) is not None), named[0] if named else "")

    @property
    def takes_negative_prompt(self) -> bool:
        """Whether a negative prompt has an effect with the makers' guidance: FLUX has it as a second kind alone."""
        distilled = self.guidance_name == "guidance_scale" and "true_cfg_scale" in self.parameters
        return "negative_prompt" in self.parameters and not distilled

    @property
    def wants_negative_prompt(self) -> bool:
        """Whether guidance needs a negative prompt, even one without words, as in Qwen-Image."""
        return self.guidance_name == "true_cfg_scale"

    def default(self, name: str) -> float | None:
        """Return the number that the call takes for an option that is left out; None if it has none."""
        value = self.parameters[name].default if name in self.parameters else None
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def multiple(self) -> int:
        """The number of pixels of which both sides must be multiples."""
        if self.has_latent_unet:
            return MULTIPLE
        listed = [step for start, step in _MULTIPLES.items() if self._name.startswith(start)]
        return math.lcm(2 * MULTIPLE, *listed, self.scale * self._patch_size)

    @property
    def scale(self) -> int:
        """The number of pixels for each latent, along one side."""
        return int(getattr(self._pipe, "vae_scale_factor", MULTIPLE))

    @property
    def native_size(self) -> Size:
        """Width and height that the model was trained for, in pixels."""
        height, width = _pair(self._side_in_config())
        return (width, height) if self.has_latent_unet else self.nearest((width, height))

    def nearest(self, size: Size) -> Size:
        """Return the size closest to `size` that the model can draw: `size` itself if it can."""
        if self._name.startswith("HunyuanDiT") and self._bins:
            width, height = map_to_standard_shapes(*size)
            return int(width), int(height)
        if self._name.startswith("HiDream"):  # it always draws as many pixels as it was trained for
            area = (self._pipe.default_sample_size * self.scale) ** 2
            factor = math.sqrt(area / (size[0] * size[1]))
            return _floor(size[0] * factor, self.scale * 2), _floor(size[1] * factor, self.scale * 2)
        step = self.multiple
        width, height = (max(step, round(side / step) * step) for side in size)
        return width, height

    def fixed_options(self) -> dict[str, Any]:
        """Return options that do not depend on the request."""
        options: dict[str, Any] = {}
        if "use_resolution_binning" in self.parameters:
            options["use_resolution_binning"] = self._bins
        if "guidance_schedule" in self.parameters:  # the call takes a schedule or a scale, not both
            options["guidance_schedule"] = None
        return options

    def unpacked(self, latents: torch.Tensor, size: Size) -> torch.Tensor | None:
        """Return latents [images, channels, h, w] from those that the pipeline passes between its steps.

        `size` is the canvas in pixels. The result is None for latents of which no picture can be made here.
        """
        if latents.ndim == 3:
            latents = self._from_tokens(latents, size)
        if latents.ndim == 5 and 1 in latents.shape[1:3]:  # models for videos draw one frame
            latents = latents.squeeze(2 if latents.shape[2] == 1 else 1)
        return latents if latents.ndim == 4 else None

    def _from_tokens(self, latents: torch.Tensor, size: Size) -> torch.Tensor:
        """Return latents [images, tokens, channels] as the pipeline itself unpacks them; unchanged if it can't."""
        width, height = size
        if hasattr(self._pipe, "_unpatchify_latents"):  # FLUX 2 normalizes them as well
            step = self.scale * 2
            grid = latents.transpose(1, 2).unflatten(2, (height // step, width // step))
            vae = self._pipe.vae
            mean = vae.bn.running_mean.view(1, -1, 1, 1).to(grid)
            deviation = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps).view(1, -1, 1, 1).to(grid)
            return self._pipe._unpatchify_latents(grid * deviation + mean)
        unpack = getattr(self._pipe, "_unpack_latents", None)
        if unpack is None:
            return latents
        known = {"latents": latents, "height": height, "width": width, "vae_scale_factor": self.scale}
        known["patch_size"] = self._patch_size
        wanted = inspect.signature(unpack).parameters
        return unpack(**{name: known[name] for name in wanted}) if known.keys() >= wanted.keys() else latents

    @property
    def _bins(self) -> bool:
        """Whether the pipeline draws in the nearest shape of its training, and knows those of this model."""
        known = next(
            (sizes for start, sizes in _BINNED_SAMPLE_SIZES.items() if self._name.startswith(start)), set[int]()
        )
        return getattr(self._pipe.transformer.config, "sample_size", None) in known

    @property
    def _patch_size(self) -> int:
        """The number of latents for each token of a transformer, along one side: usually 2."""
        told = getattr(getattr(getattr(self._pipe, "transformer", None), "config", None), "patch_size", None)
        packs = hasattr(self._pipe, "_unpack_latents") or hasattr(self._pipe, "_unpatchify_latents")
        return told if isinstance(told, int) and not (told == 1 and packs) else 2

    def _side_in_config(self) -> Any:
        """Return the side in pixels, or height and width, from the first place that tells it."""
        told, in_config = getattr(self._pipe, "default_sample_size", None), self._sample_size()
        if self.has_latent_unet or (told is None and "use_resolution_binning" in self.parameters):
            told = in_config or told
        if told is not None:
            return _times(told, self.scale)
        height, width = self.default("height"), self.default("width")
        if height and width:
            return height, width
        if in_config is None:
            return _USUAL_SIDE
        return _times(in_config, self.scale if hasattr(self._pipe, "vae") else 1)  # DeepFloyd IF draws pixels

    def _sample_size(self) -> Any:
        """Return the sample size in the config of the network: a number, or height and width; None if there is none."""
        network = getattr(self._pipe, "unet", None) or getattr(self._pipe, "transformer", None)
        return getattr(getattr(network, "config", None), "sample_size", None)


def _times(side: Any, scale: int) -> Any:
    return [each * scale for each in side] if isinstance(side, list | tuple) else side * scale


def _pair(side: Any) -> tuple[int, int]:
    height, width = side if isinstance(side, list | tuple) else (side, side)
    return int(height), int(width)


def _floor(side: float, step: int) -> int:
    return int(side // step * step)
