"""Measure how the mark of origin survives, how often it is seen where it is not, and how much it changes.

    python -m bench.watermark [FOLDER]

draws the starter's emoji, and makes textures with the spectrum of photos; pictures in FOLDER, such as photos, are
measured beside them. Each is marked and then changed as Discord and people change pictures.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from inference import ImageResult, ImagineRequest, create_engine, load_config
from inference.images.watermark import detect_watermark, embed_watermark

_ROOT = Path(__file__).parents[1]
_SURE = -6.0
_SIDES = (256, 512)
_EMOJI = (
    *("red apple", "dog", "house", "car", "fish", "tree", "star", "red heart", "guitar", "pizza", "robot", "umbrella"),
)
_TEXTURES = 12
_UNMARKED_SEARCHED, _UNMARKED_WHOLE = 400, 4000

Change = Callable[[Image.Image], Image.Image]


def _compressed(image: Image.Image, kind: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return Image.open(file).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def _cropped(image: Image.Image, share: float) -> Image.Image:
    left, top = round(image.width * share * 0.6), round(image.height * share * 0.3)
    return image.crop((left, top, left + round(image.width * (1 - share)), top + round(image.height * (1 - share))))


def _sheet(image: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (2 * image.width, 2 * image.height))
    for left, top in ((0, 0), (1, 0), (0, 1), (1, 1)):
        sheet.paste(image, (left * image.width, top * image.height))
    return sheet


_CHANGES: dict[str, Change] = {
    "PNG": lambda image: image,
    "JPEG 75": lambda image: _compressed(image, "JPEG", 75),
    "WebP 80": lambda image: _compressed(image, "WEBP", 80),
    "70 %, WebP 80": lambda image: _compressed(_scaled(image, 0.7), "WEBP", 80),
    "half": lambda image: _scaled(image, 0.5),
    "half, WebP 80": lambda image: _compressed(_scaled(image, 0.5), "WEBP", 80),
    "crop 10 %": lambda image: _cropped(image, 0.1),
    "crop 25 %, WebP 80": lambda image: _compressed(_cropped(image, 0.25), "WEBP", 80),
    "sheet of 4, 40 %, WebP 80": lambda image: _compressed(_scaled(_sheet(image), 0.4), "WEBP", 80),
}


def _texture(side: int, seed: int, slope: float) -> Image.Image:
    """Return noise whose frequencies fall by `slope`: 1 as in photos, 0.5 as in grass or gravel."""
    noise = np.random.default_rng(seed).normal(size=(side, side, 3))
    noise = 0.8 * noise.mean(axis=2, keepdims=True) * math.sqrt(3) + 0.2 * noise  # colours go together
    frequencies = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    frequencies[0, 0] = 1
    pixels = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) / frequencies[..., None] ** slope, axes=(0, 1)).real
    return Image.fromarray(np.clip(pixels / pixels.std() * 50 + 128, 0, 255).astype(np.uint8))


async def _emoji() -> list[Image.Image]:
    """Draw with the starter's painter."""
    config = load_config(_ROOT / "starter/config.yaml")
    only_painter = {task: entries if task == "imagine" else () for task, entries in config.models.items()}
    origin = config.origin.model_copy(update={"mark": False})
    engine = create_engine(config.model_copy(update={"models": only_painter, "origin": origin}))
    try:
        drawn: list[Image.Image] = []
        for prompt in _EMOJI:
            result = await engine.run(engine.check(ImagineRequest(prompt=prompt, seed=1)))
            assert isinstance(result, ImageResult)
            drawn.append(Image.open(io.BytesIO(result.pictures[0].png)).convert("RGB"))
        return drawn
    finally:
        await engine.close()


def _photos(folder: Path, side: int) -> Iterator[Image.Image]:
    """Yield the pictures of a folder that are large enough, at this size."""
    for path in sorted(folder.iterdir()):
        try:
            image = Image.open(path).convert("RGB")
        except OSError:
            continue
        if (shorter := min(image.size)) >= side:
            scaled = _scaled(image, side / shorter)
            yield scaled.crop((0, 0, side, side))


def _psnr(before: Image.Image, after: Image.Image) -> float:
    error = (np.asarray(before, float) - np.asarray(after, float)) ** 2
    return 10 * math.log10(255**2 / error.mean())


def _ssim(before: Image.Image, after: Image.Image) -> float:
    """Return the structural similarity of the brightness (Wang et al. 2004), over squares of 8 pixels."""

    def blocks(image: Image.Image) -> np.ndarray:
        pixels = np.asarray(image.convert("L"), float)
        height, width = (side // 8 * 8 for side in pixels.shape)
        return pixels[:height, :width].reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2).reshape(-1, 64)

    x, y = blocks(before), blocks(after)
    mean_x, mean_y, c1, c2 = x.mean(1), y.mean(1), 2.55**2, 7.65**2
    covariance = ((x - mean_x[:, None]) * (y - mean_y[:, None])).mean(1)
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((similarity / ((mean_x**2 + mean_y**2 + c1) * (x.var(1) + y.var(1) + c2))).mean())


def _measure(name: str, pictures: list[Image.Image]) -> str:
    """Return a row of the table: for each change, in how many of the pictures the mark is found."""
    marked = [embed_watermark(picture) for picture in pictures]
    pairs = list(zip(pictures, marked, strict=True))
    psnr = np.median([_psnr(*pair) for pair in pairs])
    ssim = np.median([_ssim(*pair) for pair in pairs])
    found = [sum(detect_watermark(change(image)).log10_p < _SURE for image in marked) for change in _CHANGES.values()]
    cells = [name, str(len(pictures)), f"{psnr:.1f}", f"{ssim:.3f}", *(f"{100 * n / len(pictures):.0f}" for n in found)]
    return f"| {' | '.join(cells)} |"


def _unmarked(count: int, side: int, *, whole: bool) -> str:
    """Return how often pictures without the mark look as if they had it, with or without the search for parts."""
    p = [
        detect_watermark(_texture(side, 1000 + i, (0.0, 0.5, 1.0, 1.5)[i % 4]), search=not whole).log10_p
        for i in range(count)
    ]
    below = ", ".join(f"{sum(each < limit for each in p)} below 1e{limit}" for limit in (-1, -2, -3, -6))
    kind = "whole" if whole else "searched"
    return f"{count} unmarked textures of {side} pixels ({kind}): {below}; least 1e{min(p):.1f}"


def _speed(side: int) -> str:
    picture = _texture(side, 0, 1.0)
    marking = min(_seconds(lambda: embed_watermark(picture)) for _ in range(10))
    looking = min(_seconds(lambda: detect_watermark(picture)) for _ in range(3))
    return f"{side} pixels: marking {1000 * marking:.0f} ms, looking for the mark {1000 * looking:.0f} ms"


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.watermark", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of pictures")
    folder: Path | None = parser.parse_args().folder
    for side in _SIDES:
        print(_speed(side), flush=True)
    heads = ("pictures", "number", "PSNR", "SSIM", *_CHANGES)
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    print(_measure("emoji, 256", asyncio.run(_emoji())), flush=True)
    for side in _SIDES:
        for name, slope in (("like photos", 1.0), ("like grass", 0.5)):
            print(_measure(f"{name}, {side}", [_texture(side, i, slope) for i in range(_TEXTURES)]), flush=True)
        if folder:
            print(_measure(f"photos, {side}", list(_photos(folder, side))), flush=True)
    print(_unmarked(_UNMARKED_WHOLE, 256, whole=True), flush=True)
    print(_unmarked(_UNMARKED_SEARCHED, 256, whole=False), flush=True)


if __name__ == "__main__":
    main()
