"""Test the classifiers of texts and pictures. Their scores equal those of transformers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import pipeline as stock_pipeline

from inference.images.decoding import encode_png
from inference.pipelines import Pipeline, load
from inference.tasks import (
    PICTURE_CLASSIFIER,
    TEXT_CLASSIFIER,
    Classification,
    ClassifyPicturesRequest,
    ClassifyTextsRequest,
)
from inference.types.errors import InvalidRequest, ModelUnavailable
from tests.inference.pipelines.harness import MemoryBatch, run
from tests.inference.pipelines.tiny_classifiers import BLACK, WHITE, image_classifier, spec_of, text_classifier
from tests.inference.pipelines.tiny_text import FLOAT32

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8))
TEXTS = ["the day was fine .", "it is bad", "a red fox", "bad bad"]


def loaded(task: str, folder: Path, *labels: str) -> Pipeline:
    return load(spec_of(task, folder, *labels), folder, FLOAT32)


def classified(model: Pipeline, request: ClassifyPicturesRequest | ClassifyTextsRequest) -> Classification:
    (result,) = run(model, request)
    assert isinstance(result, Classification)
    return result


def by_label(result: Classification) -> list[dict[str, float]]:
    return [dict(zip(result.labels, row, strict=True)) for row in result.scores]


def stock_scores(found: list[dict[str, Any]]) -> Any:
    return pytest.approx({each["label"]: each["score"] for each in found}, abs=1e-3)


@pytest.mark.parametrize("kind", ["vit", "swin", "efficientnet"])
def test_the_scores_of_pictures_equal_those_of_transformers(tmp_path: Path, kind: str) -> None:
    folder = image_classifier(tmp_path, kind, ("drawing", "neutral", "porn"))
    stock: Any = stock_pipeline("image-classification", model=str(folder), device="cpu")
    pictures = [WHITE, BLACK, NOISE]
    request = ClassifyPicturesRequest(pictures=tuple(map(encode_png, pictures)))
    scores = by_label(classified(loaded(PICTURE_CLASSIFIER, folder), request))
    assert scores == [stock_scores(stock(picture)) for picture in pictures]
    assert scores[0]["porn"] > 0.9 > 0.1 > scores[1]["porn"]


@pytest.mark.parametrize("options", [{}, {"problem_type": "multi_label_classification"}])
def test_the_scores_of_texts_equal_those_of_transformers(tmp_path: Path, options: dict[str, Any]) -> None:
    folder = text_classifier(tmp_path, ("toxic", "obscene", "insult"), **options)
    stock: Any = stock_pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
    result = classified(loaded(TEXT_CLASSIFIER, folder), ClassifyTextsRequest(texts=tuple(TEXTS)))
    assert by_label(result) == [stock_scores(found) for found in stock(TEXTS)]
    assert result.exclusive == (not options)


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return loaded(TEXT_CLASSIFIER, text_classifier(tmp_path_factory.mktemp("ears")))


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return loaded(PICTURE_CLASSIFIER, image_classifier(tmp_path_factory.mktemp("eyes")))


def test_one_bad_part_of_a_long_text_is_enough(ears: Pipeline) -> None:
    fine = "the day was fine . " * 100
    request = ClassifyTextsRequest(texts=(fine, fine + "it is bad . " + fine, fine + "bad"))
    toxic = [row["toxic"] for row in by_label(classified(ears, request))]
    assert toxic[0] < 0.5 < min(toxic[1:])


def test_results_are_the_same_alone_and_in_a_batch(ears: Pipeline, eyes: Pipeline) -> None:
    texts = [ClassifyTextsRequest(texts=(text,)) for text in [*TEXTS, "a fox . " * 90]]
    assert run(ears, *texts) == [run(ears, each)[0] for each in texts]
    pictures = [ClassifyPicturesRequest(pictures=(encode_png(each),)) for each in (WHITE, BLACK, NOISE)]
    assert run(eyes, *pictures) == [run(eyes, each)[0] for each in pictures]


def test_a_damaged_picture_fails_alone(eyes: Pipeline) -> None:
    bad, good = (ClassifyPicturesRequest(pictures=(data,)) for data in (b"no picture", encode_png(WHITE)))
    failure, result = run(eyes, bad, good)
    assert isinstance(failure, InvalidRequest)
    assert isinstance(result, Classification)


def test_a_cancelled_check_stops_between_two_pictures(eyes: Pipeline) -> None:
    batch = MemoryBatch.of(ClassifyPicturesRequest(pictures=(encode_png(WHITE),) * 5))
    batch.on_yield = lambda: batch.jobs[0].cancel() if batch.yield_points == 3 else None
    batch.run(eyes)
    assert batch.yield_points == 3


def test_numbers_that_overflowed_are_no_verdict(tmp_path: Path) -> None:
    model: Any = loaded(TEXT_CLASSIFIER, text_classifier(tmp_path))
    model._model.classifier.bias.data.fill_(float("nan"))
    (failure,) = run(model, ClassifyTextsRequest(texts=("fine",)))
    assert "overflowed" in str(failure)


@pytest.mark.parametrize(
    ("labels", "wanted", "sentence"),
    [
        (
            ("LABEL_0", "LABEL_1"),
            (),
            "It is not known to which labels of tiny the bot has to object. They are: LABEL_0, LABEL_1. The bot's "
            "operator has to list those under `labels` of safety.texts in config.yaml.",
        ),
        (
            ("non-toxic", "not_hate"),
            (),
            "It is not known to which labels of tiny the bot has to object. They are: non-toxic, not_hate. The bot's "
            "operator has to list those under `labels` of safety.texts in config.yaml.",
        ),
        (
            ("neutral", "toxic"),
            ("toxic", "rude"),
            "tiny has no label 'rude'. Its labels are: neutral, toxic. The bot's operator has to correct `labels` of "
            "safety.texts in config.yaml.",
        ),
    ],
)
def test_a_model_without_labels_to_object_to_is_refused(
    tmp_path: Path, labels: tuple[str, ...], wanted: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ModelUnavailable) as refusal:
        loaded(TEXT_CLASSIFIER, text_classifier(tmp_path, labels), *wanted)
    assert str(refusal.value) == sentence


def test_labels_that_the_operator_names_need_not_be_known(tmp_path: Path) -> None:
    loaded(TEXT_CLASSIFIER, text_classifier(tmp_path, ("LABEL_0", "LABEL_1")), "label 1")


def test_a_model_of_another_kind_is_refused_with_the_key_that_lists_it(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"tiny can't serve safety\.pictures: it is of another kind"):
        loaded(PICTURE_CLASSIFIER, text_classifier(tmp_path))
