"""Test the evaluation of the starter models: rankings, captions, shapes and colours."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import VisionEncoderDecoderModel

from inference.pipelines.captioning import Captioning
from inference.pipelines.devices import Placement
from inference.tasks import Caption, CaptionRequest
from inference.types import ModelSpec
from starter.drawings.collection import Collection
from starter.drawings.packages import UNSEEN_ARTIST
from starter.drawings.vocabulary import HELD_OUT
from starter.evaluate.captions import accuracies
from starter.evaluate.judge import Judge, by_category
from starter.evaluate.shapes import all_shapes, evaluate_shapes, nearest_colour, nearest_shape
from starter.evaluate.sheet import contact_sheet, prompts
from starter.train.captioner import labels_of, new_captioner, new_tokenizer, save_captioner
from tests.inference.pipelines.harness import run

NAMES = ("cat", "red apple", "star", "polar bear")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("captioner")
    tokenizer = new_tokenizer()
    save_captioner(new_captioner(tokenizer, width=16, heads=2), tokenizer, folder)
    return folder


def test_the_judge_ranks_names_by_the_loss_of_the_captioner(folder: Path) -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    model: Any = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32).eval()
    losses: dict[str, float] = {}
    for name in NAMES:
        labels = labels_of(new_tokenizer(), (name,))
        with torch.inference_mode():
            losses[name] = float(model(image[None] * 2 - 1, labels=labels).loss) * labels.shape[1]
    assert Judge(folder, NAMES).ranking(image) == sorted(NAMES, key=lambda name: losses[name])


def test_a_picture_counts_in_its_category_and_in_the_total() -> None:
    rankings = [["star", "cat"], ["star", "cat"], ["dog", "fox", *NAMES, "cow"]]
    shapes, animals, everything = by_category(["cat", "star", "cow"], [False, True, False], rankings)
    assert (animals.category, animals.count, animals.first, animals.top_five) == ("animals", 2, 0, 0.5)
    assert (shapes.category, shapes.first, shapes.top_five) == ("shapes", 1, 1)
    assert (everything.count, everything.first) == (3, 1 / 3)
    assert math.isclose(everything.top_five, 2 / 3)


def test_the_judge_gives_the_same_caption_as_the_bot(folder: Path) -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    png = io.BytesIO()
    to_pil_image = (image.permute(1, 2, 0) * 255).round().byte()
    Image.fromarray(to_pil_image.numpy()).save(png, "PNG")
    spec = ModelSpec(name="starter", task="caption", repo="starter")
    captioner = Captioning.load(spec, folder, Placement(torch.device("cpu"), torch.float32))
    (result,) = run(captioner, CaptionRequest(image=png.getvalue()))
    assert result == Caption(Judge(folder, NAMES).caption(to_pil_image.permute(2, 0, 1) / 255))


def test_only_drawings_of_the_unseen_artist_are_evaluated(folder: Path) -> None:
    names = ("cat", "star", "cat")
    collection = Collection(np.zeros((3, 64, 64, 4), np.uint8), names, (UNSEEN_ARTIST, UNSEEN_ARTIST, "google"))
    found = {part.category: part.count for part in accuracies(collection, Judge(folder, NAMES))}
    assert found == {"shapes": 1, "animals": 1, "all": 2}


def test_unseen_shapes_are_those_held_out_and_those_without_an_emoji() -> None:
    seen, unseen = all_shapes()
    assert set(unseen) == HELD_OUT | {"pink circle", "pink square"}
    assert len(seen) + len(unseen) == 24


def test_a_contact_sheet_has_every_prompt_once_and_held_out_prompts_first() -> None:
    wanted = prompts(64)
    assert len(set(wanted)) == 64
    assert set(wanted[:3]) == HELD_OUT
    sheet = np.asarray(contact_sheet(torch.zeros(3, 3, 64, 64), ["cat", "star", "red heart"], columns=2))
    assert sheet.shape == (2 * 118 + 6, 2 * 102 + 6, 3)
    assert (sheet[6:102, 6:102] == 0).all()
    assert (sheet[124:220, 120:] == 255).all()


@pytest.mark.parametrize(
    ("colour", "word"),
    [((0.9, 0.1, 0.1), "red"), ((0.2, 0.45, 0.9), "blue"), ((0.25, 0.7, 0.3), "green"), ((1, 0.8, 0.2), "yellow")],
)
def test_the_nearest_colour_is_that_of_the_middle_of_a_picture(colour: tuple[float, float, float], word: str) -> None:
    image = torch.zeros(3, 64, 64)
    image[:, 20:44, 20:44] = torch.tensor(colour)[:, None, None]
    assert nearest_colour(image) == word


def draw_shape(shape: str, colour: tuple[float, float, float]) -> torch.Tensor:
    """Return an emoji-like picture [3, 64, 64]: a shape on white, neither centred nor square."""
    size = (4 * 64, 4 * 64)
    picture, ink = Image.new("RGB", size, "white"), tuple(round(part * 255) for part in colour)
    pen = ImageDraw.Draw(picture)
    if shape == "heart":
        pen.polygon([(20, 90), (120, 90), (220, 90), (120, 230)], ink)
        pen.pieslice((20, 30, 122, 150), 180, 360, ink)
        pen.pieslice((118, 30, 220, 150), 180, 360, ink)
    elif shape == "circle":
        pen.ellipse((30, 40, 220, 240), ink)
    else:
        pen.rounded_rectangle((20, 30, 230, 220), 30, ink)
    return torch.from_numpy(np.array(picture.resize((64, 64)))).permute(2, 0, 1) / 255


@pytest.mark.parametrize("shape", ["heart", "circle", "square"])
def test_the_nearest_shape_is_found_by_its_outline(shape: str) -> None:
    drawing = draw_shape(shape, (0.2, 0.45, 0.9))
    drawing[:, 0, 60:] = 0.8  # a smudge in a corner
    assert nearest_shape(drawing) == shape


def test_an_empty_picture_has_no_shape() -> None:
    assert nearest_shape(torch.ones(3, 64, 64)) == ""


def test_shape_and_colour_are_counted_separately() -> None:
    images = torch.stack([draw_shape("circle", (0.2, 0.45, 0.9)), draw_shape("heart", (0.2, 0.45, 0.9))])
    found = evaluate_shapes(images, ["blue circle", "blue circle"])
    assert (found.count, found.shape, found.colour) == (2, 0.5, 1)
