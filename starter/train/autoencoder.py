"""The painter's eye and hand: pictures of 64×64 pixels to latents of 8×8, and back."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL
from torch import Tensor, nn

from starter.train.augment import backgrounds, on_background, placed, some, turned

LATENT_CHANNELS = 12
_KL_WEIGHT = 1e-6
_SQUARED = 4.0
_BATCH = 8
_MOVED = 0.5
_OTHER_HUE = 0.5
_WHITE = 0.7


def new_autoencoder(widths: tuple[int, ...] = (24, 32, 96, 128)) -> AutoencoderKL:
    """An untrained one, which halves the picture's sides between each two of `widths`."""
    settings: Any = {
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        "block_out_channels": widths,
    }
    return AutoencoderKL(
        **settings,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=1,  # smaller groups take the colour out of large areas; red and green were told apart last
        sample_size=64,
        scaling_factor=1.0,  # `balance` brings every channel to one spread
        mid_block_add_attention=False,  # whose backward pass is slow on CPUs
    )


class Reconstruction:
    """Training task: draw what was seen. `drawings` is RGBA bytes [n, 4, 64, 64]."""

    def __init__(self, drawings: Tensor, device: torch.device, batch: int = _BATCH, network: Any = None) -> None:
        network = network or new_autoencoder()
        self.networks: Any = network.to(device)
        self._drawings = drawings
        self._device = device
        self._batch = batch

    def loss(self, generator: torch.Generator) -> Tensor:
        images = self._images(generator).to(self._device)
        noise = torch.randn(len(images), LATENT_CHANNELS, *_latent_size(self.networks, images), generator=generator)
        with torch.autocast(self._device.type, torch.bfloat16):
            moments = self.networks._encode(images * 2 - 1)
            mean, log_variance = moments.float().chunk(2, dim=1)
            log_variance = log_variance.clamp(-30, 20)
            latents = mean + noise.to(self._device) * (log_variance / 2).exp()
            drawn = self.networks.decode(latents).sample.float() / 2 + 0.5
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=(1, 2, 3)).mean()
        return difference(drawn, images) + _KL_WEIGHT * divergence

    def _images(self, generator: torch.Generator) -> Tensor:
        """A batch [n, 3, 64, 64] from 0 to 1: half as drawn, half moved; half in other hues."""
        rows = torch.randint(len(self._drawings), (self._batch,), generator=generator)
        drawings = self._drawings[rows].float()
        moved = placed(drawings, scale=0.3, shift=0.15, generator=generator)
        drawings = torch.where(some(drawings, _MOVED, generator), moved, drawings)
        images = on_background(drawings, backgrounds(self._batch, _WHITE, generator))
        return torch.where(some(images, _OTHER_HUE, generator), turned(images, generator), images)


def difference(drawn: Tensor, images: Tensor) -> Tensor:
    """Absolute and squared differences at four sizes: the small ones keep areas from taking on a wrong colour."""
    error = drawn - images
    total = error.new_zeros(())
    for size in (1, 2, 4, 8):
        part = functional.avg_pool2d(error, size)
        total = total + part.abs().mean() + _SQUARED * part.square().mean()
    return total


@torch.no_grad()
def encoded(model: Any, images: Tensor, batch: int = 64) -> Tensor:
    """Latents [n, 12, h/8, w/8] of images [n, 3, h, w] from 0 to 1."""
    device = model.device
    parts = [model.encode(part.to(device) * 2 - 1).latent_dist.mean.cpu() for part in images.split(batch)]
    return torch.cat(parts)


@torch.no_grad()
def fidelity(model: Any, images: Tensor, batch: int = 64) -> float:
    """Mean peak signal-to-noise ratio, in dB, of `images` drawn again."""
    ratios: list[Tensor] = []
    for part in images.split(batch):
        drawn = model.decode(encoded(model, part, batch).to(model.device)).sample.cpu() / 2 + 0.5
        ratios.append(-10 * ((drawn.clamp(0, 1) - part) ** 2).mean(dim=(1, 2, 3)).log10())
    return torch.cat(ratios).mean().item()


@torch.no_grad()
def balance(model: Any, images: Tensor) -> None:
    """Fold a scale and a shift into the convolutions next to the latents, so that each channel has mean 0, spread 1.

    A Stable Diffusion pipeline has one scaling factor for all channels, and diffusion wants them alike.
    """
    latents = encoded(model, images)
    mean, spread = latents.mean(dim=(0, 2, 3)).to(model.device), latents.std(dim=(0, 2, 3)).to(model.device)
    into: nn.Conv2d = model.quant_conv  # its rows: means, then logarithms of variances
    out: nn.Conv2d = model.post_quant_conv
    assert into.bias is not None
    assert out.bias is not None
    channels = len(mean)
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= spread[:, None, None]
    into.weight[:channels] /= spread[:, None, None, None]
    into.bias[:channels] = (into.bias[:channels] - mean) / spread
    into.bias[channels:] -= 2 * spread.log()


def _latent_size(model: Any, images: Tensor) -> tuple[int, int]:
    shrink = 2 ** (len(model.config.block_out_channels) - 1)
    return images.shape[-2] // shrink, images.shape[-1] // shrink
