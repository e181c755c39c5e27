"""The mark in the pixels: it is found after what Discord does to pictures, and in no picture without it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inference.images.watermark import can_hold_watermark, detect_watermark, embed_watermark

SURE, NOTHING = -6.0, -3.0


def drawing(side: int) -> Image.Image:
    """Return a flat drawing on white, like an emoji."""
    image = Image.new("RGB", (4 * side, 4 * side), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((side // 2, side // 2, 7 * side // 2, 7 * side // 2), fill=(255, 204, 77))
    draw.ellipse((side, side, 3 * side // 2, 2 * side), fill=(102, 69, 0))
    return image.resize((side, side), Image.Resampling.LANCZOS)


def texture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return noise with the spectrum of photos: the lower a frequency, the stronger."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
    frequencies[0, 0] = 1
    pixels = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) / frequencies[..., None], axes=(0, 1)).real
    return Image.fromarray(np.clip(pixels / pixels.std() * 50 + 128, 0, 255).astype(np.uint8))


def compressed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return Image.open(file).convert("RGB")


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def sheet(image: Image.Image) -> Image.Image:
    result = Image.new("RGB", (2 * image.width, 2 * image.height))
    for left, top in ((0, 0), (1, 0), (0, 1), (1, 1)):
        result.paste(image, (left * image.width, top * image.height))
    return result


PICTURES = {"drawing": drawing(512), "texture": texture(512, 512), "wide texture": texture(768, 512, 1)}
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "nothing": lambda image: image,
    "JPEG": lambda image: compressed(image, "JPEG", 75),
    "a WebP preview": lambda image: compressed(scaled(image, 0.7), "WEBP", 80),
    "a halving": lambda image: scaled(image, 0.5),
    "a crop": lambda image: image.crop((40, 20, image.width - 30, image.height - 50)),
    "a sheet's preview": lambda image: compressed(scaled(sheet(image), 0.6), "WEBP", 80),
}


def log10_p(image: Image.Image) -> float:
    return detect_watermark(image).log10_p


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_mark_survives(picture: str, change: str) -> None:
    assert log10_p(CHANGES[change](embed_watermark(PICTURES[picture]))) < SURE


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_without_the_mark_have_none(picture: str) -> None:
    assert log10_p(PICTURES[picture]) > NOTHING


@pytest.mark.parametrize("size", [(128, 128), (256, 64), (200, 333), (512, 300)])
def test_every_shape_that_is_large_enough_holds_the_mark(size: tuple[int, int]) -> None:
    marked = embed_watermark(texture(*size))
    assert marked.size == size
    assert log10_p(marked) < SURE


def test_a_picture_of_one_colour_holds_the_mark() -> None:
    assert log10_p(embed_watermark(Image.new("RGB", (256, 256), "white"))) < SURE
    assert log10_p(Image.new("RGB", (256, 256), "white")) == 0


@pytest.mark.parametrize("picture", PICTURES)
def test_the_mark_can_not_be_seen(picture: str) -> None:
    before, after = (np.asarray(image, float) for image in (PICTURES[picture], embed_watermark(PICTURES[picture])))
    assert np.abs(before - after).max() <= 16
    assert 10 * math.log10(255**2 / ((before - after) ** 2).mean()) > 36


def test_the_same_picture_gets_the_same_mark() -> None:
    assert embed_watermark(drawing(256)) == embed_watermark(drawing(256))


def test_pixels_where_nothing_was_drawn_stay_as_they_are() -> None:
    picture, drawn = drawing(256), Image.new("L", (256, 256), 0)
    drawn.paste(255, (0, 0, 128, 256))
    marked = embed_watermark(picture, drawn)
    right = (128, 0, 256, 256)
    assert marked.crop(right) == picture.crop(right)
    assert log10_p(marked) < SURE
    assert log10_p(marked.crop(right)) > NOTHING


def test_a_picture_that_is_too_small_stays_as_it_is() -> None:
    small = texture(64, 64)
    assert not can_hold_watermark(small.size)
    assert embed_watermark(small) == small
    assert detect_watermark(small).log10_p == 0
