"""Test that the side of a mask that people mean is drawn anew, however they painted it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFilter

from inference.images.mask import MaskReading, open_mask
from tests.inference.images.test_decoding import encode


def left_half(mode: str, left: object, right: object) -> Image.Image:
    picture = Image.new(mode, (64, 64), right)  # type: ignore[arg-type]
    picture.paste(left, (0, 0, 32, 64))  # type: ignore[arg-type]
    return picture


def soft_strokes(colour: tuple[int, int, int], opacity: int = 255) -> Image.Image:
    """Return strokes over the left half, with soft edges, on a transparent layer."""
    alpha = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(alpha).rectangle((0, 0, 28, 63), fill=opacity)
    layer = Image.new("RGBA", (64, 64), (*colour, 0))
    layer.putalpha(alpha.filter(ImageFilter.GaussianBlur(2)))
    return layer


def photo(erased: bool) -> Image.Image:
    """Return a colourful picture, whose left half may be erased."""
    bands = [Image.effect_noise((64, 64), spread) for spread in (70, 90, 110)]
    picture = Image.merge("RGB", bands).convert("RGBA")
    if erased:
        picture.paste((0, 0, 0, 0), (0, 0, 32, 64))
    return picture


CLEAR = (0, 0, 0, 0)


def in_two_colours() -> Image.Image:
    strokes = left_half("RGBA", (255, 0, 0, 255), CLEAR)
    strokes.paste((0, 0, 255, 255), (0, 30, 32, 64))
    return strokes


@pytest.mark.parametrize(
    ("mask", "reading"),
    [
        (left_half("RGB", "white", "black"), "brightness"),
        (left_half("L", 255, 0), "brightness"),
        (left_half("RGBA", (255, 255, 255, 255), (0, 0, 0, 255)), "brightness"),
        (left_half("RGBA", (255, 255, 255, 90), (0, 0, 0, 90)), "brightness"),  # the layer's opacity turned down
        (left_half("RGBA", (255, 255, 255, 250), (0, 0, 0, 255)), "brightness"),
        (left_half("RGBA", (255, 255, 255, 255), CLEAR), "painted"),
        (left_half("RGBA", (0, 0, 0, 255), CLEAR), "painted"),
        (left_half("RGBA", (0, 0, 0, 255), (255, 255, 255, 0)), "painted"),
        (left_half("RGBA", (255, 0, 0, 255), CLEAR), "painted"),
        (left_half("LA", (200, 255), (0, 0)), "painted"),
        (left_half("RGBA", (255, 0, 255, 70), CLEAR), "painted"),  # a marker that the picture shines through
        (soft_strokes((255, 255, 255)), "painted"),
        (soft_strokes((255, 255, 255), 100), "painted"),
        (soft_strokes((30, 200, 30)), "painted"),
        (photo(erased=True), "erased"),
        (left_half("RGB", "blue", "black"), "brightness"),
        (left_half("RGB", "red", "black"), "brightness"),
        (left_half("L", 255, 150), "brightness"),
        (in_two_colours(), "painted"),
    ],
)
def test_the_left_half_is_drawn_anew(mask: Image.Image, reading: MaskReading) -> None:
    opened, how = open_mask(encode(mask))
    assert how == reading
    assert opened.mode == "L"
    assert (opened.getpixel((10, 32)), opened.getpixel((54, 32))) == (pytest.approx(255, abs=60), 0)


def test_black_and_white_on_a_transparent_layer_are_read_by_brightness() -> None:
    mask = left_half("RGBA", (255, 255, 255, 255), (0, 0, 0, 255))
    mask.paste((255, 255, 255, 0), (0, 40, 64, 64))
    opened, how = open_mask(encode(mask))
    assert how == "brightness"
    assert [opened.getpixel(place) for place in ((10, 10), (54, 10), (10, 60), (54, 60))] == [255, 0, 0, 0]


def test_a_mask_with_a_transparent_colour_in_a_palette_is_read_by_what_is_painted() -> None:
    mask = left_half("P", 1, 0)
    mask.putpalette([0, 0, 0, 255, 255, 255])
    opened, how = open_mask(encode(mask, "GIF", transparency=0))
    assert (how, opened.getpixel((10, 32)), opened.getpixel((54, 32))) == ("painted", 255, 0)


def test_a_grey_photo_with_an_erased_part_is_no_black_and_white_mask() -> None:
    grey = Image.linear_gradient("L").resize((64, 64)).convert("RGBA")
    grey.paste(CLEAR, (0, 0, 32, 64))
    opened, how = open_mask(encode(grey))
    assert (how, opened.getpixel((10, 32)), opened.getpixel((54, 32))) == ("erased", 255, 0)


def test_a_mask_of_one_colour_with_some_noise_is_not_stretched() -> None:
    noise = Image.effect_noise((64, 64), 4).point([max(0, min(15, value - 120)) for value in range(256)])
    assert open_mask(encode(noise))[0].getextrema()[1] <= 15  # type: ignore[operator]
