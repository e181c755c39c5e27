"""Test the canvases that extend a picture beyond its edges."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from inference.images.decoding import encode_png
from inference.images.outpainting import EXTENSIONS, Extension, Layout, Size, layout_of, outpainting_canvas
from inference.types.errors import InvalidRequest


def noisy(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


@pytest.mark.parametrize(
    ("extension", "size", "position"),
    [
        ("zoom15", (768, 576), (128, 96)),
        ("zoom2", (1024, 768), (256, 192)),
        ("square", (512, 512), (0, 64)),
        ("left", (768, 384), (256, 0)),
        ("right", (768, 384), (0, 0)),
        ("up", (512, 576), (0, 192)),
        ("down", (512, 576), (0, 0)),
    ],
)
def test_a_canvas_grows_around_the_whole_picture(extension: Extension, size: Size, position: Size) -> None:
    assert layout_of((512, 384), extension, 1024) == Layout(size, (512, 384), (0, 0, 512, 384), position)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("picture", [(64, 64), (72, 200), (256, 256), (512, 768), (1000, 568), (1024, 1024)])
def test_every_pixel_is_either_kept_to_the_byte_or_to_be_drawn(extension: Extension, picture: Size) -> None:
    if extension == "square" and picture[0] == picture[1]:
        return
    old = noisy(*picture)
    canvas = outpainting_canvas(encode_png(old), picture, extension, 2048, 50)
    image, mask = pixels(canvas.image), pixels(canvas.mask)
    assert image.shape[:2] == mask.shape == (canvas.height, canvas.width)
    assert np.array_equal(image[mask == 0], np.asarray(old).reshape(-1, 3))
    assert set(np.unique(mask)) == {0, 255}
    assert not canvas.note


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("most", [256, 500, 1024])
@pytest.mark.parametrize("multiple", [8, 32])
@pytest.mark.parametrize("picture", [(64, 56), (256, 208), (500, 333), (1024, 576), (2048, 2040)])
def test_a_canvas_keeps_within_its_limit_and_has_a_multiple_for_sides(
    extension: Extension, most: int, multiple: int, picture: Size
) -> None:
    layout = layout_of(picture, extension, most, multiple)
    assert max(layout.size) <= most
    assert not any(side % 8 for side in layout.size)
    left, top, right, bottom = layout.placed
    assert 0 <= left < right <= layout.size[0]
    assert 0 <= top < bottom <= layout.size[1]
    assert (right - left) * (bottom - top) < layout.size[0] * layout.size[1], "something is drawn"
    shape = layout.scaled[0] / layout.scaled[1]
    assert shape == pytest.approx(picture[0] / picture[1], rel=0.01)


def test_a_picture_is_scaled_down_where_the_canvas_would_get_too_large_and_a_note_says_so() -> None:
    assert layout_of((1024, 576), "zoom2", 1024) == Layout((1024, 576), (512, 288), (0, 0, 512, 288), (256, 144))
    canvas = outpainting_canvas(encode_png(noisy(1024, 576)), (1024, 576), "zoom2", 1024, 50)
    assert (
        canvas.note == "The picture was first scaled down to 512 × 288, since no side may have more than 1024 pixels."
    )


@pytest.mark.parametrize(
    ("extension", "kept", "position"),
    [
        ("left", (0, 0, 512, 576), (512, 0)),
        ("right", (512, 0, 1024, 576), (0, 0)),
    ],
)
def test_a_pan_at_the_largest_size_moves_the_window(
    extension: Extension, kept: tuple[int, int, int, int], position: Size
) -> None:
    assert layout_of((1024, 576), extension, 1024) == Layout((1024, 576), (1024, 576), kept, position)
    old = noisy(1024, 576)
    canvas = outpainting_canvas(encode_png(old), (1024, 576), extension, 1024, 50)
    assert np.array_equal(pixels(canvas.image)[pixels(canvas.mask) == 0], np.asarray(old.crop(kept)).reshape(-1, 3))
    assert canvas.note == "Since no side may have more than 1024 pixels, 512 pixels on the other side were left out."


def test_a_pan_that_reaches_the_largest_size_leaves_out_only_what_does_not_fit() -> None:
    assert layout_of((512, 768), "down", 1024) == Layout((512, 1024), (512, 768), (0, 128, 512, 768), (0, 0))


def test_a_picture_that_is_zoomed_out_stays_in_the_middle() -> None:
    for multiple in (8, 32):
        layout = layout_of((512, 512), "zoom15", 512, multiple)
        assert layout.placed == (80, 80, 421, 421)


def test_the_sides_of_large_pictures_suit_the_latents_at_all_depths() -> None:
    assert layout_of((576, 576), "zoom15", 1024).size == (896, 896)
    assert layout_of((240, 240), "zoom15", 1024).size == (360, 360)
    assert layout_of((240, 240), "zoom15", 1024, multiple=32).size == (384, 384)


def test_new_pixels_beside_the_picture_continue_its_edge() -> None:
    picture = Image.new("RGB", (64, 64), "red")
    picture.paste("blue", (32, 0, 64, 64))
    canvas = pixels(outpainting_canvas(encode_png(picture), (64, 64), "zoom2", 1024, 50).image)
    assert canvas[64, 31].tolist() == [255, 0, 0]
    assert canvas[64, 96].tolist() == [0, 0, 255]


def test_a_square_picture_is_not_made_square() -> None:
    with pytest.raises(InvalidRequest, match=r"^This picture is square already\."):
        layout_of((64, 64), "square", 1024)


def animation() -> bytes:
    file = BytesIO()
    noisy(64, 64).save(file, "GIF", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    return file.getvalue()


@pytest.mark.parametrize("data", [animation(), encode_png(noisy(64, 48))])
def test_a_file_that_is_not_the_drawn_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^The file in this message is not the picture that I drew"):
        outpainting_canvas(data, (64, 64), "zoom2", 1024, 50)


def test_a_smaller_copy_of_the_picture_is_extended() -> None:
    canvas = outpainting_canvas(encode_png(noisy(288, 161)), (512, 288), "zoom2", 1024, 50)
    assert (canvas.width, canvas.height) == (576, 328)


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="damaged"):
        outpainting_canvas(encode_png(noisy(64, 64))[:-300], (64, 64), "zoom2", 1024, 50)
