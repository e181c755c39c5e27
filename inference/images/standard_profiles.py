"""Colour profiles of the standards that files name without bringing a profile: Display P3 and Adobe RGB."""

from __future__ import annotations

import struct

Primaries = tuple[tuple[float, float, float], ...]
"""Red, green and blue in XYZ, adapted to the white of D50, which profiles have."""

_D50 = (0.9642, 1.0, 0.8249)
_DISPLAY_P3: Primaries = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
_ADOBE_RGB: Primaries = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
_SRGB_CURVE = struct.pack(">4s4xHH5i", b"para", 3, 0, 157286, 62119, 3417, 5072, 2652)
"""The curve of sRGB, which Display P3 has too: gamma, a, b, c and d in 65536ths."""
_ADOBE_CURVE = struct.pack(">4s4xIHxx", b"curv", 1, 0x0233)
"""A gamma of 2 51/256."""


def display_p3() -> bytes:
    return _matrix_profile(_DISPLAY_P3, _SRGB_CURVE)


def adobe_rgb() -> bytes:
    return _matrix_profile(_ADOBE_RGB, _ADOBE_CURVE)


def _matrix_profile(primaries: Primaries, curve: bytes) -> bytes:
    """Return a profile for a screen (ICC.1:2010)."""
    tags = {name: _xyz(colour) for name, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve) | {b"wtpt": _xyz(_D50)}
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    size = start + len(body)
    header = struct.pack(">I4xI4s4s4s12x4s", size, 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    white = struct.pack(">3i", *(round(65536 * value) for value in _D50))
    return header.ljust(68, b"\0") + white.ljust(60, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(colour: tuple[float, float, float]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * value) for value in colour))
