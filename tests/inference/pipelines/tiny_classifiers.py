"""Tiny classifiers with the files of real repositories, whose verdict a test can choose.

Their features are random. The last layer is computed so that two examples get opposite labels, with certainty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    EfficientNetConfig,
    EfficientNetForImageClassification,
    EfficientNetImageProcessorPil,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
)

from inference.types import ModelSpec

_SIDE = {"height": 32, "width": 32}
_WORDS = ["a", "bad", "day", "fine", "fox", "it", "is", "red", "the", "was", "."]
_CERTAIN = 12.0
"""The difference of the logits of the two examples."""

WHITE = Image.new("RGB", (40, 30), "white")
BLACK = Image.new("RGB", (40, 30), "black")


def spec_of(task: str, folder: Path, *labels: str) -> ModelSpec:
    return ModelSpec(name="tiny", task=task, repo=str(folder), labels=labels, dtype="float32")


def image_classifier(folder: Path, kind: str = "vit", labels: tuple[str, ...] = ("normal", "nsfw")) -> Path:
    """Save an image classifier that takes white pictures for the last label, and black ones for the first."""
    torch.manual_seed(0)
    names = dict(enumerate(labels))
    processor: Any = ViTImageProcessorPil(size=_SIDE)
    match kind:
        case "vit":
            model: Any = ViTForImageClassification(ViTConfig(id2label=names, image_size=32, patch_size=8, **_SMALL))
        case "swin":
            options: dict[str, Any] = {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1]}
            model = SwinForImageClassification(SwinConfig(id2label=names, num_heads=[1, 2], window_size=4, **options))
        case _:
            options = {"image_size": 32, "hidden_dim": 128, "width_coefficient": 0.1, "depth_coefficient": 0.1}
            model = EfficientNetForImageClassification(EfficientNetConfig(id2label=names, **options))
            processor = EfficientNetImageProcessorPil(size=_SIDE)
            _enlarge(model)
    model.eval()
    inputs = [processor(images=picture, return_tensors="pt") for picture in (BLACK, WHITE)]
    _separate(model, inputs)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def text_classifier(folder: Path, labels: tuple[str, ...] = ("neutral", "toxic"), **options: Any) -> Path:
    """Save a BERT of 64 tokens that takes texts with the word "bad" for the last label, and others for the first."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    settings = {"do_lower_case": True, "model_max_length": 64, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary), id2label=dict(enumerate(labels)), max_position_embeddings=64, **_SMALL, **options
    )
    model = BertForSequenceClassification(config).eval()
    _listen_for_one_word(model, vocabulary.index("bad"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    _separate(model, [tokenizer("the day was fine " * 15 + text, return_tensors="pt") for text in ("", "bad")])
    model.save_pretrained(folder)
    return folder


_SMALL: dict[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip


@torch.no_grad()
def _enlarge(model: Any) -> None:
    """Give all layers weights that keep the size of their input, or nothing would be left of it at the end."""
    for name, weight in model.named_parameters():
        if weight.ndim == 4:
            torch.nn.init.kaiming_normal_(weight)
        elif name.endswith(".weight") and weight.ndim == 1:
            torch.nn.init.ones_(weight)


@torch.no_grad()
def _listen_for_one_word(model: BertForSequenceClassification, word: int) -> None:
    """Give all words and places one embedding, except this word, and let the attention look at all of them alike."""
    embeddings: Any = model.bert.embeddings
    embeddings.word_embeddings.weight[:] = embeddings.word_embeddings.weight[0].clone().normal_()
    embeddings.word_embeddings.weight[word].normal_()
    embeddings.position_embeddings.weight.zero_()
    layer: Any = model.bert.encoder.layer[0]
    attention = layer.attention.self
    attention.query.weight.zero_()
    attention.query.bias.zero_()


@torch.no_grad()
def _separate(model: Any, inputs: list[Any]) -> None:
    """Set the last layer so that the first input gets the first label, and the second one the last label."""
    layer = model.classifier
    features: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, args: features.append(args[0][0].clone()))
    for each in inputs:
        model(**each)
    hook.remove()
    first, last = features
    direction = (last - first) / (last - first).square().sum() * _CERTAIN
    layer.weight.zero_()
    layer.bias.fill_(-_CERTAIN)
    layer.weight[-1], layer.weight[0] = direction, -direction
    middle = direction @ (first + last) / 2
    layer.bias[-1], layer.bias[0] = -middle, middle
