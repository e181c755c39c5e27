"""An imperceptible mark in the pixels of a picture: a faint pattern over its brightness, the same for every picture.

It is spread-spectrum watermarking (Cox, Kilian, Leighton and Shamoon, "Secure spread spectrum watermarking for
multimedia", IEEE Transactions on Image Processing 6, 1997). As in the JAWS system (Kalker, Depovere, Haitsma and Maes,
"A video watermarking system for broadcast monitoring", SPIE 3657, 1999), the pattern repeats, so that it is found in
any part of a picture, and it is found by the phases of its frequencies alone.

The pattern holds no message. Each of its frequencies has a phase from a hash, which has nothing to do with any
picture. So in a picture without the mark, the phases agree no better than chance allows, whatever it shows, and the
probability of that is known. The pattern scales with the picture: a resized picture has the resized pattern.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Floats = NDArray[np.floating[Any]]
    Spectrum = NDArray[np.complexfloating[Any, Any]]

MIN_SIDE = 128
"""The side in pixels of the smallest square that can hold the mark; other shapes need as many pixels."""

_TILES = 2
"""How often the pattern repeats along the side of a square."""
_LOWEST, _HIGHEST = 4, 24
"""The frequencies of the pattern in waves a tile. Encoders keep the low ones of plain parts longest, and busy parts
have room in the high ones."""
_BANDS = (_HIGHEST, 16)
"""The highest frequencies that are looked at together: all, or those that strong compression leaves."""
_KEY = b"Inkling: mark of origin 1"

_SHIFTS = 128
"""The positions of the tile along each of its sides that are tried."""
_WINDOW = 1 / 32
"""The side of the window in which contrast is measured, as a share of the picture's."""

_SHEETS = ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (4, 3))
"""Columns and rows of sheets of pictures that are tried first, each by its first picture."""
_OTHER_SCALES = tuple(0.4 * 1.015**i for i in range(147))
"""The sizes of parts of a picture, and of pictures with something around them: 0.4 to 3.5."""
_SIDES = {1.5: 256, math.inf: 512}
"""The side in pixels of a square in which the mark is looked for, by the largest scale for which it is enough."""
_ENOUGH = -12.0
"""The logarithm of a probability that ends the search."""

_LEAST, _MOST, _OF_CONTRAST = 1.15, 4.0, 0.15
"""The strength of the mark, in grey levels of 255: a share of the contrast around a pixel, within bounds. Where a
picture is busy, more of the mark stays unseen."""
_NOISE = 2.0
"""The contrast, in grey levels, below which a part of a picture counts as plain."""


@dataclass(frozen=True, slots=True)
class Detection:
    """How surely the mark is in a picture.

    `log10_p` is the logarithm of the probability that a picture without the mark looks as much like it, with all
    positions and sizes that were tried. `scale` is the picture's size in proportion to the one that was marked.
    """

    log10_p: float
    scale: float = 1.0


def can_hold_watermark(size: tuple[int, int]) -> bool:
    """Return whether a picture of this width and height is large enough."""
    return size[0] * size[1] >= MIN_SIDE**2


def embed_watermark(image: Image.Image, drawn: Image.Image | None = None) -> Image.Image:
    """Return the RGB picture with the mark; unchanged if it is too small.

    With `drawn` (mode L), pixels stay as they are where it is black.
    """
    from PIL import Image

    if not can_hold_watermark(image.size):
        return image
    rgb = np.asarray(image.convert("RGB"))
    luma = np.asarray(image.convert("L"), np.float32)
    strength = np.clip(_OF_CONTRAST * _least_contrast_beside(luma), _LEAST, _MOST)
    change = np.rint(strength * _pattern(*image.size)).astype(np.int16)
    if drawn is not None:
        change[np.asarray(drawn.convert("L")) == 0] = 0
    return Image.fromarray(np.clip(rgb + change[..., None], 0, 255).astype(np.uint8))


def detect_watermark(image: Image.Image, *, search: bool = True) -> Detection:
    """Look for the mark in the whole picture and, with `search`, in parts of one. Takes up to a second."""
    if not can_hold_watermark(image.size):
        return Detection(0.0)
    firsts = [image.crop((0, 0, -(-image.width // columns), -(-image.height // rows))) for columns, rows in _SHEETS]
    agreements = [(_agreement(_whitened(first, _SIDES[math.inf]), 1.0), 1.0) for first in firsts]
    best = _best(agreements)
    if best.log10_p < _ENOUGH or not search:
        return best
    whitened = {limit: _whitened(image, side) for limit, side in _SIDES.items()}
    pictures = [next(each for limit, each in whitened.items() if scale <= limit) for scale in _OTHER_SCALES]
    agreements = [(_agreement(picture, scale), scale) for picture, scale in zip(pictures, _OTHER_SCALES, strict=True)]
    return min(best, _best(agreements), key=lambda each: each.log10_p)


def _best(agreements: Sequence[tuple[float, float]]) -> Detection:
    """Return what the highest of some agreements means; each has its scale. This is one of two such groups."""
    agreement, scale = max(agreements)
    tried = math.log10(2 * len(agreements) * len(_BANDS) * _SHIFTS**2)
    return Detection(min(0.0, tried + _log10_tail(agreement)), scale)


@dataclass(frozen=True, slots=True)
class _Key:
    """The pattern's frequencies: rows from -highest to highest, columns from 0."""

    phases: Spectrum
    amplitudes: Floats
    bands: Sequence[NDArray[np.bool_]]


@cache
def _key() -> _Key:
    rows, columns = _ROWS[:, None], _COLUMNS[None]
    radius = np.hypot(rows, columns)
    used = (radius >= _LOWEST) & (radius <= _HIGHEST) & ((columns > 0) | (rows > 0))
    numbers = np.frombuffer(hashlib.shake_256(_KEY).digest(4 * used.size), ">u4").reshape(used.shape)
    phases = np.exp(2j * np.pi * numbers / 2**32).astype(np.complex64)
    amplitudes = used / np.sqrt(np.maximum(radius, 1))
    amplitudes /= math.sqrt((amplitudes**2).sum() / 2)
    return _Key(phases, amplitudes.astype(np.float32), [used & (radius <= highest) for highest in _BANDS])


_ROWS, _COLUMNS = np.arange(-_HIGHEST, _HIGHEST + 1), np.arange(_HIGHEST + 1)


def _waves(pixels: int, tile: float, frequencies: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the cosine and the sine of each frequency along a side. `tile` is in pixels."""
    angles = 2 * np.pi / tile * (np.arange(pixels) + 0.5)[:, None] * frequencies
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _pattern(width: int, height: int) -> Floats:
    """Return the pattern at the size of a picture, with a standard deviation of about 1."""
    key, tile = _key(), math.sqrt(width * height) / _TILES
    rows_cos, rows_sin = _waves(height, tile, _ROWS)
    columns_cos, columns_sin = _waves(width, tile, _COLUMNS)
    real, imaginary = key.amplitudes * key.phases.real, key.amplitudes * key.phases.imag
    along_rows = rows_cos @ real - rows_sin @ imaginary, rows_cos @ imaginary + rows_sin @ real
    pattern: Floats = along_rows[0] @ columns_cos.T - along_rows[1] @ columns_sin.T
    return pattern


def _agreement(whitened: Floats, scale: float) -> float:
    """Return how well the phases agree with the pattern's at the best position, in standard deviations of chance."""
    key = _key()
    height, width = whitened.shape
    tile = math.sqrt(width * height) / _TILES / scale
    rows_cos, rows_sin = _waves(height, tile, _ROWS)
    columns_cos, columns_sin = _waves(width, tile, _COLUMNS)
    along_rows = rows_cos.T @ whitened - 1j * (rows_sin.T @ whitened)
    spectrum = along_rows @ (columns_cos - 1j * columns_sin)
    phases = spectrum * key.phases.conj() / np.maximum(np.abs(spectrum), 1e-20)
    return max(_peak(phases * band) / math.sqrt(np.count_nonzero(band) / 2) for band in key.bands)


def _peak(phases: Spectrum) -> float:
    """Return the highest sum of the frequencies at any position of the tile."""
    grid = np.zeros((_SHIFTS, _SHIFTS), np.complex64)
    grid[np.ix_(_ROWS, _COLUMNS)] = phases
    return float(np.fft.ifft2(grid, norm="forward").real.max())


def _log10_tail(z: float) -> float:
    """Return the logarithm of the probability that a normal variable is above `z`."""
    if z < 30:
        return math.log10(math.erfc(z / math.sqrt(2)) / 2)
    return -(z * z / 2 + math.log(z * math.sqrt(2 * math.pi))) / math.log(10)


def _whitened(image: Image.Image, side: int) -> Floats:
    """Return the brightness, scaled down, less its surroundings and in proportion to the contrast there."""
    scale = min(1.0, side / math.sqrt(image.width * image.height))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    luma = np.asarray(image.convert("L").resize(size), np.float32)
    return (luma - _local_mean(luma, _reach(luma))) / (_contrast(luma) + _NOISE)


def _contrast(luma: Floats) -> Floats:
    """Return the standard deviation of the brightness around each pixel."""
    mean = _local_mean(luma, _reach(luma))
    variance = _local_mean(luma * luma, _reach(luma)) - mean * mean
    return np.sqrt(np.maximum(variance, np.float32(0)))


def _least_contrast_beside(luma: Floats) -> Floats:
    """Return the least contrast of four windows around each pixel: a plain part stays plain up to its edge."""
    reach = _reach(luma)
    padded = np.pad(_contrast(luma), reach, mode="edge")
    return np.minimum.reduce(
        [
            padded[top : top + luma.shape[0], left : left + luma.shape[1]]
            for top in (0, 2 * reach)
            for left in (0, 2 * reach)
        ]
    )


def _reach(luma: Floats) -> int:
    """Return how many pixels the window has on each side of its middle."""
    return max(2, round(math.sqrt(luma.size) * _WINDOW / 2))


def _local_mean(values: Floats, reach: int) -> Floats:
    """Return the mean of the window around each pixel. Outside, the pixels of the edge go on."""
    for _ in range(2):  # along the rows, then along the columns
        padded = np.pad(values, [(reach + 1, reach), (0, 0)], mode="edge")
        sums = np.cumsum(padded, axis=0, dtype=np.float64)
        values = ((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1)).astype(np.float32).T
    return values
