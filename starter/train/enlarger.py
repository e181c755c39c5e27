"""Training of the enlarger: a small Swin2SR that draws images four times as wide and high, with sharp edges."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from diffusers import AutoencoderKL
from torch import Tensor
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution, Swin2SRImageProcessorPil

from starter.drawings.collection import collect_large
from starter.drawings.packages import LARGE_PACKAGES, UNSEEN_ARTIST
from starter.drawings.vocabulary import HELD_OUT
from starter.train.augment import backgrounds, on_background, random_mask, rotate_hue, transform
from starter.train.examples import to_tensor
from starter.train.loop import Schedule, Training

ENLARGER = Schedule(steps=4_000, rate=1e-3)
FACTOR = 4
LARGE_SIDE = 384
"""Width and height of the drawings that the training images are sampled from, in pixels."""

_SIDE = 64
_BATCH_SIZE = 4
_WHITE_SHARE = 0.7
_RECOLOURED_SHARE = 0.3
_PAINTED_SHARE = 0.5
LATENT_NOISE = 0.1
"""The standard deviation of noise in the latents, about as far as the painter's are from those of drawings."""
_MAX_BLUR = 0.5
_EDGE_WEIGHT = 1.0
_INITIAL_SHARE = 0.1


class Enlarging:
    """Training task: draw images at 256×256 pixels from images at 64×64. `drawings` is RGBA bytes [n, 4, side, side].

    Part of the small images went through the painter's autoencoder, so that they look as if it had drawn them. The
    others are as sharp as an image of that size can be, or a little blurred.
    """

    def __init__(
        self,
        drawings: Tensor,
        autoencoder: Any,
        device: torch.device,
        network: Any = None,
        batch_size: int = _BATCH_SIZE,
    ) -> None:
        network = network or new_enlarger()
        self.networks: Any = network.to(device)
        self._drawings = drawings
        self._autoencoder = autoencoder.to(device).eval()
        self._device = device
        self._batch_size = batch_size

    def loss(self, generator: torch.Generator) -> Tensor:
        large = self._images(generator).to(self._device)
        small = functional.avg_pool2d(large, FACTOR)
        small = torch.where(
            random_mask(small, _PAINTED_SHARE, generator).to(self._device),
            repaint(self._autoencoder, small, LATENT_NOISE, generator),
            _blur(small, generator),
        )
        return enlarging_loss(self.networks(small).reconstruction, large)

    def _images(self, generator: torch.Generator) -> Tensor:
        """Return a batch [n, 3, 256, 256] from 0 to 1, of any scale and position; some have other hues."""
        rows = torch.randint(len(self._drawings), (self._batch_size,), generator=generator)
        drawings = transform(self._drawings[rows], scale=0.5, shift=0.2, generator=generator)
        drawings = functional.interpolate(drawings, size=_SIDE * FACTOR, mode="bilinear", antialias=True)
        images = on_background(drawings, backgrounds(self._batch_size, _WHITE_SHARE, generator))
        return torch.where(random_mask(images, _RECOLOURED_SHARE, generator), rotate_hue(images, generator), images)


def train_enlarger(data: Path, painter: Path, device: torch.device, schedule: Schedule = ENLARGER) -> Path:
    """Train in `data`/enlarger for the painter in the folder `painter`, or resume the last run.

    Return the folder of the finished model. Raise RuntimeError if the drawings can't be downloaded.
    """
    folder = data / "enlarger"
    folder.mkdir(parents=True, exist_ok=True)
    drawings = collect_large(data, LARGE_SIDE, LARGE_PACKAGES.keys() - {UNSEEN_ARTIST})
    drawings = to_tensor(drawings.of(LARGE_PACKAGES, without=HELD_OUT).pixels)
    autoencoder = AutoencoderKL.from_pretrained(painter / "vae", torch_dtype=torch.float32)
    torch.manual_seed(schedule.seed)  # for the initial weights
    training = Training(Enlarging(drawings, autoencoder, device), schedule, folder / "enlarger.pt")
    training.run()
    save_enlarger(training.averaged.eval(), folder / "model")
    return folder / "model"


def new_enlarger(width: int = 32, heads: int = 2, depths: tuple[int, ...] = (2, 2)) -> Swin2SRForImageSuperResolution:
    """Return an untrained Swin2SR (Conde et al., 2022) of the lightweight kind, as small as two cores can train it.

    It begins as bicubic interpolation, so that training has to find only what is better. `width` must be 27 or more.
    """
    settings: Any = {"embed_dim": width, "depths": list(depths), "num_heads": [heads] * len(depths)}
    model = Swin2SRForImageSuperResolution(
        Swin2SRConfig(**settings, image_size=_SIDE, upscale=FACTOR, upsampler="pixelshuffledirect", drop_path_rate=0.0)
    )
    _start_as_bicubic(model)
    return model


@torch.no_grad()
def _start_as_bicubic(model: Any) -> None:
    """Make the linear path of the model, its first and its last convolution, interpolate.

    The first one copies each pixel's 3×3 neighbourhood into channels. The last one then sees 5×5 pixels, enough for the
    kernel's 4×4. The layers between add little at first.
    """
    first, after_body, last = model.swin2sr.first_convolution, model.swin2sr.conv_after_body, model.upsample.conv
    for convolution in (first, after_body, last):
        convolution.weight *= _INITIAL_SHARE
        convolution.bias.zero_()
    last.weight.zero_()
    for colour, y, x in product(range(3), range(3), range(3)):
        first.weight[colour + 3 * (3 * y + x)] = 0
        first.weight[colour + 3 * (3 * y + x), colour, y, x] = 1
    for phase_y, phase_x, y, x in product(range(FACTOR), range(FACTOR), range(-2, 3), range(-2, 3)):
        weight = _bicubic(y - _offset(phase_y)) * _bicubic(x - _offset(phase_x))
        near_y, near_x = max(-1, min(1, y)), max(-1, min(1, x))  # the rest of the way is in the channels
        channel = 3 * (3 * (y - near_y + 1) + x - near_x + 1)
        for colour in range(3):
            last.weight[colour * FACTOR**2 + phase_y * FACTOR + phase_x, channel + colour, near_y + 1, near_x + 1] = (
                weight
            )


def _offset(phase: int) -> float:
    """Return where the large pixel of this phase is, in small pixels from the middle of its small pixel."""
    return (phase + 0.5) / FACTOR - 0.5


def _bicubic(distance: float) -> float:
    """Return the weight of a pixel at that distance (Keys, 1981)."""
    distance = abs(distance)
    if distance < 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2 if distance < 2 else 0.0


@torch.no_grad()
def repaint(autoencoder: Any, images: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Return images [n, 3, h, w] from 0 to 1 as the painter draws them: decoded from latents with a little noise."""
    latents = autoencoder.encode(images * 2 - 1).latent_dist.mean
    latents = latents + noise * torch.randn(latents.shape, generator=generator).to(latents)
    return (autoencoder.decode(latents).sample / 2 + 0.5).clamp(0, 1)


def enlarging_loss(enlarged: Tensor, images: Tensor) -> Tensor:
    """Return the absolute difference of the images, and that of their edges: it keeps edges from being smoothed."""
    total = (enlarged - images).abs().mean()
    for side in (-2, -1):
        total = total + _EDGE_WEIGHT * (enlarged.diff(dim=side) - images.diff(dim=side)).abs().mean()
    return total


def save_enlarger(model: Any, folder: Path) -> None:
    """Save the model to `folder` in half precision, as `inference` reads it."""
    Swin2SRImageProcessorPil(size_divisor=model.config.window_size).save_pretrained(folder)
    model.half().save_pretrained(folder)


def _blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur the images [n, 3, h, w] by one random amount, often very little."""
    sigma = _MAX_BLUR * torch.rand(1, generator=generator).item() + 1e-3
    taps = torch.arange(-2.0, 3.0, device=images.device)
    kernel = torch.softmax(-(taps**2) / (2 * sigma**2), dim=0)
    weight = (kernel[:, None] * kernel).expand(3, 1, 5, 5)
    return functional.conv2d(functional.pad(images, (2, 2, 2, 2), "replicate"), weight, groups=3)
