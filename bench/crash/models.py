"""The bot's settings for this check, with small models that are real: texts at random, pictures from the starter."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

_STARTER = Path(__file__).parents[2] / "starter" / "models"
_TEXT_TASKS = ("complete", "ask", "summarize", "mood")

_SETTINGS = """\
models:
{text_models}
  fill:
    - repo: {words}
      name: words
  caption:
    - {starter}/emoji-captioner
  imagine:
    - repo: {starter}/emoji-painter
      guidance_scale: 3
      dtype: float32
safety:
  unchecked: everywhere
download: false
device: {device}
ray: "{ray}"
dtype: float32
data: ./data
loras: ./loras
"""

_TEXT_MODEL = """\
  {task}:
    - repo: {folder}
      name: letters{temperature}"""


_WORDS = ("the", "of", "a", "is", "and", "she", "he", "put", "on", "left", "capital", "city", "lamp", "table", "house")


def write_settings(folder: Path, ray: str = "") -> None:
    """Write `config.yaml` and the language model. With an address of a Ray cluster, its devices run all models.

    Texts without a temperature are greedy, so that they can be compared.
    """
    letters, words = folder / "letters", folder / "words"
    _write_language_model(letters)
    _write_masked_model(words)
    text_models = (
        _TEXT_MODEL.format(
            task=task, folder=letters, temperature="\n      temperature: 0" if task == "complete" else ""
        )
        for task in _TEXT_TASKS
    )
    where = {"ray": ray, "device": "cluster" if ray else "cpu"}
    settings = _SETTINGS.format(text_models="\n".join(text_models), words=words, starter=_STARTER, **where)
    (folder / "config.yaml").write_text(settings, encoding="utf-8")


def drawing(colour: str, size: int = 128) -> bytes:
    """Return a PNG file with a disc of this colour."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (size, size), "white")
    ImageDraw.Draw(picture).ellipse((size // 8, size // 8, size * 7 // 8, size * 7 // 8), fill=colour)
    file = io.BytesIO()
    picture.save(file, "png")
    return file.getvalue()


def _write_language_model(folder: Path) -> None:
    """Write a model with a token for each letter, which seldom ends a text by itself."""
    import torch

    from bench.tiny_models import save_tokenizer, tiny_model

    model = tiny_model("llama", num_hidden_layers=8, max_position_embeddings=4096)
    with torch.no_grad():
        head: Any = model.get_output_embeddings()
        head.weight *= 3  # decided about the next letter
        head.weight[:3] = 0  # less about the end
    model.save_pretrained(folder)
    save_tokenizer(folder)


def _write_masked_model(folder: Path) -> None:
    """Write a model with a token for each of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast

    from bench.tiny_models import VOCABULARY, tiny_model

    tiny_model("bert", AutoModelForMaskedLM, is_decoder=False).save_pretrained(folder)
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    words = [*special.values(), *_WORDS, *(f"word{number}" for number in range(VOCABULARY))][:VOCABULARY]
    model = models.WordLevel({word: token for token, word in enumerate(words)}, unk_token="[UNK]")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
