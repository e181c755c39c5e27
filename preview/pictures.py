"""The preview's images, drawn here so that they have no licence restrictions."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_SIZE = (640, 420)
_HORIZON = 250


def lake_hut() -> bytes:
    """Return a red hut by a lake with mountains, as a PNG file."""
    picture = Image.new("RGB", _SIZE)
    draw = ImageDraw.Draw(picture)
    _sky(draw)
    draw.ellipse((470, 40, 540, 110), fill=(255, 236, 170))
    draw.polygon([(0, 250), (110, 110), (200, 200), (310, 70), (450, 250)], fill=(112, 128, 158))
    draw.polygon([(275, 114), (310, 70), (350, 120), (325, 112), (305, 128)], fill=(240, 244, 250))
    draw.polygon([(300, 250), (470, 140), (640, 230), (640, 260)], fill=(92, 112, 140))
    draw.rectangle((0, _HORIZON, 640, 420), fill=(96, 158, 190))
    for row in range(_HORIZON + 12, 420, 16):
        draw.line([(row % 70, row), (640 - row % 90, row)], fill=(122, 180, 206), width=2)
    draw.polygon([(0, 300), (190, 268), (330, 320), (260, 420), (0, 420)], fill=(104, 156, 88))
    for x, height in ((36, 110), (76, 140), (262, 96)):
        _fir(draw, x, 340, height)
    _hut(draw, 120, 250)
    return _png(picture.resize((480, 315), Image.Resampling.LANCZOS))


def red_apple() -> bytes:
    """Return a red apple as a PNG file, drawn by emoji-painter. The preview's captioner knows it."""
    return (Path(__file__).parent / "red-apple.png").read_bytes()


def portrait(letter: str, colour: str) -> bytes:
    """Return a letter on a coloured background, as a PNG file."""
    picture = Image.new("RGB", (128, 128), colour)
    font = ImageFont.load_default(72)
    ImageDraw.Draw(picture).text((64, 64), letter, "white", font, anchor="mm")
    return _png(picture)


def ink_drop() -> bytes:
    """Return the bot's avatar, a drop of ink, as a PNG file."""
    picture = Image.new("RGB", (512, 512), "#f2ede4")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((136, 200, 376, 440), "#27316b")
    draw.polygon([(256, 56), (147, 268), (365, 268)], "#27316b")
    draw.ellipse((186, 286, 238, 356), "#8f9be0")
    return _png(picture.resize((128, 128), Image.Resampling.LANCZOS))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _sky(draw: ImageDraw.ImageDraw) -> None:
    """Draw the sky: light blue at the top, warm at the horizon."""
    for y in range(_HORIZON):
        share = y / _HORIZON
        draw.line([(0, y), (640, y)], fill=(int(150 + 90 * share), int(196 + 24 * share), int(236 - 30 * share)))


def _fir(draw: ImageDraw.ImageDraw, x: int, foot: int, height: int) -> None:
    draw.rectangle((x - 4, foot - 14, x + 4, foot), fill=(92, 66, 46))
    for i in range(3):
        top, width = foot - height + i * height // 5, 18 + 9 * i
        draw.polygon([(x, top), (x - width, top + height // 2), (x + width, top + height // 2)], fill=(44, 98, 66))


def _hut(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.rectangle((x, y, x + 110, y + 74), fill=(176, 58, 48))
    draw.polygon([(x - 14, y), (x + 55, y - 52), (x + 124, y)], fill=(74, 58, 56))
    draw.rectangle((x + 42, y + 26, x + 66, y + 74), fill=(92, 50, 36))
    for left in (10, 78):
        draw.rectangle(
            (x + left, y + 20, x + left + 22, y + 42), fill=(250, 226, 150), outline=(240, 240, 236), width=3
        )
