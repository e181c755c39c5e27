"""The mark of origin: in the pixels and in the file, through sheets and WebP, and not where nothing was drawn."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from inference import crop_from_grid, encode_webp, image_grid
from inference.images.decoding import encode_png, side_data
from inference.images.origin import encode_drawn
from inference.images.watermark import detect_watermark
from inference.images.xmp import SourceType, source_type_in
from tests.inference.images.test_watermark import texture

FOX = "a fox\nSteps: 3, Seed: 5, Version: Inkling"


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def source_type(data: bytes) -> str:
    return source_type_in(side_data(data).xmp)


def test_a_drawn_picture_tells_that_a_model_drew_it_beside_its_parameters() -> None:
    file = encode_drawn(texture(256, 256), FOX, mark=True)
    assert source_type(file) == "trainedAlgorithmicMedia"
    assert side_data(file).texts["parameters"] == FOX
    assert detect_watermark(opened(file)).log10_p < -6
    assert encode_drawn(texture(256, 256), FOX, mark=True) == file


def test_without_the_mark_a_picture_is_the_same_as_ever() -> None:
    assert encode_drawn(texture(256, 256), FOX, mark=False) == encode_png(texture(256, 256), FOX)


def test_a_picture_drawn_into_another_says_so_and_keeps_its_other_pixels() -> None:
    picture, drawn = texture(256, 256), Image.new("L", (256, 256), 0)
    drawn.paste(255, (0, 0, 128, 256))
    file = encode_drawn(picture, FOX, mark=True, drawn=drawn)
    assert source_type(file) == "compositeWithTrainedAlgorithmicMedia"
    kept = (128, 0, 256, 256)
    assert opened(file).crop(kept).tobytes() == picture.crop(kept).tobytes()
    assert opened(file).tobytes() != picture.tobytes()


@pytest.mark.parametrize("stated", ["algorithmicallyEnhanced", "trainedAlgorithmicMedia"])
def test_the_source_type_can_be_given(stated: SourceType) -> None:
    assert source_type(encode_drawn(texture(128, 128), FOX, mark=True, source_type=stated)) == stated


def test_a_picture_cut_from_a_sheet_equals_the_picture_alone() -> None:
    pictures = [encode_drawn(texture(160, 128, seed), FOX, mark=True) for seed in range(4)]
    sheet = image_grid(pictures, FOX)
    assert source_type(sheet) == "trainedAlgorithmicMedia"
    assert [crop_from_grid(sheet, index, 4, FOX) for index in range(4)] == pictures


def test_the_file_still_tells_it_as_webp() -> None:
    file = encode_webp(encode_drawn(texture(256, 256), FOX, mark=True), 60_000)
    assert file
    assert source_type(file) == "trainedAlgorithmicMedia"
    assert detect_watermark(opened(file)).log10_p < -6


def test_a_picture_without_xmp_states_no_source() -> None:
    assert source_type(encode_png(texture(8, 8), FOX)) == ""
