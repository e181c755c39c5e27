"""The autoencoder of the image model: images of 64×64 pixels to latents of 8×8, and back."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL
from torch import Tensor, nn

from starter.train.augment import backgrounds, on_background, random_mask, rotate_hue, transform

LATENT_CHANNELS = 12
_KL_WEIGHT = 1e-6
_SQUARED_WEIGHT = 4.0
_BATCH_SIZE = 8
_TRANSFORMED_SHARE = 0.5
_RECOLOURED_SHARE = 0.5
_WHITE_SHARE = 0.7


def new_autoencoder(widths: tuple[int, ...] = (24, 32, 96, 128)) -> AutoencoderKL:
    """Return an untrained autoencoder. It halves the image's sides between two of `widths`."""
    settings: Any = {
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        "block_out_channels": widths,
    }
    return AutoencoderKL(
        **settings,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=1,  # smaller groups lose the colour of large areas; red and green were learned last
        sample_size=64,
        scaling_factor=1.0,  # `balance` normalizes every channel
        mid_block_add_attention=False,  # its backward pass is slow on CPUs
    )


class Reconstruction:
    """Training task: reconstruct drawings. `drawings` is RGBA bytes [n, 4, 64, 64]."""

    def __init__(
        self, drawings: Tensor, device: torch.device, batch_size: int = _BATCH_SIZE, network: Any = None
    ) -> None:
        network = network or new_autoencoder()
        self.networks: Any = network.to(device)
        self._drawings = drawings
        self._device = device
        self._batch_size = batch_size

    def loss(self, generator: torch.Generator) -> Tensor:
        images = self._images(generator).to(self._device)
        noise = torch.randn(len(images), LATENT_CHANNELS, *_latent_size(self.networks, images), generator=generator)
        with torch.autocast(self._device.type, torch.bfloat16):
            moments = self.networks._encode(images * 2 - 1)
            mean, log_variance = moments.float().chunk(2, dim=1)
            log_variance = log_variance.clamp(-30, 20)
            latents = mean + noise.to(self._device) * (log_variance / 2).exp()
            reconstructed = self.networks.decode(latents).sample.float() / 2 + 0.5
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=(1, 2, 3)).mean()
        return reconstruction_loss(reconstructed, images) + _KL_WEIGHT * divergence

    def _images(self, generator: torch.Generator) -> Tensor:
        """Return a batch [n, 3, 64, 64] from 0 to 1: half are transformed, and half have other hues."""
        rows = torch.randint(len(self._drawings), (self._batch_size,), generator=generator)
        drawings = self._drawings[rows].float()
        transformed = transform(drawings, scale=0.3, shift=0.15, generator=generator)
        drawings = torch.where(random_mask(drawings, _TRANSFORMED_SHARE, generator), transformed, drawings)
        images = on_background(drawings, backgrounds(self._batch_size, _WHITE_SHARE, generator))
        return torch.where(random_mask(images, _RECOLOURED_SHARE, generator), rotate_hue(images, generator), images)


def reconstruction_loss(reconstructed: Tensor, images: Tensor) -> Tensor:
    """Return absolute and squared differences at four scales: coarse scales prevent wrong colours of areas."""
    error = reconstructed - images
    total = error.new_zeros(())
    for size in (1, 2, 4, 8):
        part = functional.avg_pool2d(error, size)
        total = total + part.abs().mean() + _SQUARED_WEIGHT * part.square().mean()
    return total


@torch.no_grad()
def encode(model: Any, images: Tensor, batch_size: int = 64) -> Tensor:
    """Return latents [n, 12, h/8, w/8] of images [n, 3, h, w] from 0 to 1."""
    device = model.device
    parts = [model.encode(batch.to(device) * 2 - 1).latent_dist.mean.cpu() for batch in images.split(batch_size)]
    return torch.cat(parts)


@torch.no_grad()
def fidelity(model: Any, images: Tensor, batch_size: int = 64) -> float:
    """Return the mean peak signal-to-noise ratio of reconstructed `images`, in dB."""
    ratios: list[Tensor] = []
    for batch in images.split(batch_size):
        reconstructed = model.decode(encode(model, batch, batch_size).to(model.device)).sample.cpu() / 2 + 0.5
        ratios.append(-10 * ((reconstructed.clamp(0, 1) - batch) ** 2).mean(dim=(1, 2, 3)).log10())
    return torch.cat(ratios).mean().item()


@torch.no_grad()
def balance(model: Any, images: Tensor) -> None:
    """Fold a scale and a shift into the convolutions next to the latents: each channel gets mean 0 and deviation 1.

    Stable Diffusion has one scaling factor for all channels, and diffusion needs similar channels.
    """
    latents = encode(model, images)
    mean, std = latents.mean(dim=(0, 2, 3)).to(model.device), latents.std(dim=(0, 2, 3)).to(model.device)
    quant_conv: nn.Conv2d = model.quant_conv  # output channels: means, then logarithms of variances
    post_quant_conv: nn.Conv2d = model.post_quant_conv
    assert quant_conv.bias is not None
    assert post_quant_conv.bias is not None
    channels = len(mean)
    post_quant_conv.bias += post_quant_conv.weight[:, :, 0, 0] @ mean
    post_quant_conv.weight *= std[:, None, None]
    quant_conv.weight[:channels] /= std[:, None, None, None]
    quant_conv.bias[:channels] = (quant_conv.bias[:channels] - mean) / std
    quant_conv.bias[channels:] -= 2 * std.log()


def _latent_size(model: Any, images: Tensor) -> tuple[int, int]:
    downscale = 2 ** (len(model.config.block_out_channels) - 1)
    return images.shape[-2] // downscale, images.shape[-1] // downscale
