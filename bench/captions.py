"""A caption by vit-gpt2, beside `generate` with the same settings in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.machine import Cost, Precision, precisions
from bench.models import Caller, engine_for, folder, settings
from bench.result_table import Row, at_most
from bench.timing import medians
from inference import CaptionRequest

REPO = "nlpconnect/vit-gpt2-image-captioning"
SIDE = 512
BEAMS, TOKENS = 4, 16
"""What the bot's captions take."""
ROUNDS = 5


def measure(repo: str = REPO) -> list[Row]:
    """Return a row for each number format of ours."""
    config = settings("caption", repo)
    stock = _Stock(folder(config, config.specs("caption")[0]))
    return [_row(repo, stock, precision) for precision in precisions()]


def _row(repo: str, stock: _Stock, precision: Precision) -> Row:
    from inference.images.decoding import encode_png

    picture = _picture()
    request = CaptionRequest(image=encode_png(picture))
    with Caller(engine_for("caption", repo, precision)) as caller:
        caller.run(request)
        stock.describe(picture)
        ours, theirs = medians(ROUNDS, lambda: caller.run(request), lambda: stock.describe(picture))
    return Row(
        work=f"/caption, vit-gpt2, {BEAMS} beams, {precision}; stock: float32",
        unit="s",
        ours=ours,
        stock=theirs,
        cost=stock.cost(picture, precision),
        aims=(at_most(0.85, "stock"),),
    )


def _picture() -> Any:
    from PIL import Image

    return Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")


class _Stock:
    """The model loaded by transformers in float32."""

    def __init__(self, model_folder: Path) -> None:
        import torch
        from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

        model: Any = AutoModelForImageTextToText.from_pretrained(model_folder, dtype=torch.float32)
        self._model = model.eval()
        self._processor: Any = AutoImageProcessor.from_pretrained(model_folder)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(model_folder)

    def describe(self, picture: Any) -> str:
        pixels = self._processor(images=picture, return_tensors="pt").pixel_values
        tokens = self._model.generate(pixel_values=pixels, num_beams=BEAMS, max_new_tokens=TOKENS)
        return self._tokenizer.decode(tokens[0], skip_special_tokens=True)

    def cost(self, picture: Any, precision: Precision) -> tuple[Cost, ...]:
        """Return the cost of seeing the picture, and of the steps with all beams."""
        from bench.costs import forward, scaled, step

        pixels = self._processor(images=picture, return_tensors="pt").pixel_values
        encoder, decoder = self._model.encoder, self._model.decoder
        seeing = forward(lambda: encoder(pixels), encoder, precision)
        return seeing, scaled(step(decoder, precision, BEAMS), TOKENS)
