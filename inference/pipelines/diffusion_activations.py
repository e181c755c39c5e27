"""How much memory a diffusers pipeline takes while it draws, besides its weights. Needs no torch.

The most is taken where the autoencoder decodes, or where the network that draws makes a step. Both grow with the
pixels. The factors below were measured with `python -m bench memory` on a CPU: torch 2.13, diffusers 0.42.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.hub import CONFIG, read_settings
from inference.types import ModelSpec

_USUAL_SIDE = 1024
"""The side in pixels of a picture if no config tells it, as in `pipeline_traits.py`."""

_USUAL_CHANNELS = (128, 256, 512, 512)
"""The channels of most autoencoders, from the level of the pixels on."""

_DECODED = 3.6
"""Copies of the decoder's largest tensor that are in memory at one time: its channels at the level below the pixels,
once they are enlarged."""

_STEP = {"unet": 28, "transformer": 20}
"""Copies of the states that a step keeps, by the network: the channels of a UNet's first level for each latent, or the
width of a transformer for each token. With guidance there are two of each."""

_USUAL_WIDTH = 3072
"""The width of a transformer if its config does not tell it in the usual words."""

_TEXT_TOKENS = 512
"""Tokens of the prompt beside those of the picture."""

_LIBRARIES = 28 * 10**7
"""Bytes of main memory that loading and the first picture take: code that is imported, tokenizers, gaps in the heap."""


@dataclass(frozen=True, slots=True)
class Activations:
    """What is in memory besides the weights, in bytes: while the autoencoder decodes, during a step, and always."""

    decoding: int
    step: int
    libraries: int

    @classmethod
    def of(cls, spec: ModelSpec, folder: Path, itemsize: int, device: str = "") -> Activations:
        """Return the estimate for one picture of the usual size. `itemsize` is the size of a number in bytes.

        Raise ModelUnavailable if a settings file is damaged.
        """
        vae = read_settings(spec, folder, f"vae/{CONFIG}")
        channels = _channels(vae)
        scale = 2 ** (len(channels) - 1)
        width, height = spec.size or (_side(spec, folder, scale),) * 2
        pixels = width * height // spec.upscale**2
        float16 = itemsize == 2 and (spec.dtype == "float16" or device == "mps")
        decoder_itemsize = 4 if float16 and vae.get("force_upcast") else itemsize
        decoding = int(_DECODED * pixels * channels[min(1, len(channels) - 1)] * decoder_itemsize)
        libraries = _LIBRARIES if device in ("", "cpu") else 0  # they are not in a GPU's memory
        return cls(decoding, _step(spec, folder, pixels // scale**2) * itemsize, libraries)

    @property
    def working(self) -> int:
        """The most that is in memory besides the weights while a picture is drawn, in bytes."""
        return max(self.decoding, self.step)

    @property
    def nbytes(self) -> int:
        return self.working + self.libraries


def _channels(vae: dict[str, Any]) -> tuple[int, ...]:
    """Return the channels of an autoencoder's decoder by level, from that of the pixels on."""
    channels = vae.get("decoder_block_out_channels") or vae.get("block_out_channels")
    if channels is None and vae.get("dim_mult"):  # those of Wan and Qwen-Image
        channels = [vae.get("base_dim", 96) * factor for factor in vae["dim_mult"]]
    return tuple(channels) if isinstance(channels, list) and channels else _USUAL_CHANNELS


def _step(spec: ModelSpec, folder: Path, latents: int) -> int:
    """Return how many numbers a step keeps in memory for a picture of so many latents."""
    unet = read_settings(spec, folder, f"unet/{CONFIG}")
    if channels := unet.get("block_out_channels"):
        return 2 * _STEP["unet"] * latents * channels[0]
    config = read_settings(spec, folder, f"transformer/{CONFIG}")
    heads, width = config.get("num_attention_heads"), config.get("attention_head_dim")
    width = heads * width if isinstance(heads, int) and isinstance(width, int) else config.get("dim") or _USUAL_WIDTH
    patch = max(2, config.get("patch_size") or 0) if isinstance(config.get("patch_size"), int) else 2
    rows = 1 if config.get("guidance_embeds") else 2
    return rows * _STEP["transformer"] * (latents // patch**2 + _TEXT_TOKENS) * width


def _side(spec: ModelSpec, folder: Path, scale: int) -> int:
    """Return the side of the pictures of a model's training in pixels."""
    for network in ("unet", "transformer"):
        side = read_settings(spec, folder, f"{network}/{CONFIG}").get("sample_size")
        if isinstance(side, int):
            return side * scale
    return _USUAL_SIDE
