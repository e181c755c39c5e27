"""A summary of 900 tokens in exactly 100 by bart-large-cnn, with 4 beams, beside `generate` with the same settings."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from bench.fixed_length import fixed_length
from bench.machine import Cost, Precision, precisions
from bench.models import Caller, engine_for, folder, settings
from bench.peers import Candidate, Peer, fastest
from bench.result_table import Note, Row, TableRow, at_most
from bench.timing import medians
from inference import SummarizeRequest, Summary

REPO = "facebook/bart-large-cnn"
_SENTENCE = "In the winter of {year} the keeper of the lighthouse wrote to the harbour that a ship was late. "
ARTICLE = "".join(_SENTENCE.format(year=1800 + i) for i in range(43)).strip()
"""About 900 tokens."""
SHORT = ARTICLE[:200]
TOKENS = 100
BEAMS = 4
ROUNDS = 1
_ROUNDING = 1e-3
"""The largest difference of log-likelihoods that float32 explains."""


def measure(repo: str = REPO) -> list[TableRow]:
    """Return a row for each number format of ours, and whether the text in float32 is the one of stock."""
    config = settings("summarize", repo)
    with fixed_length(folder(config, config.specs("summarize")[0]), TOKENS) as fixed_folder:
        stock = _Stock(fixed_folder)
        peer = fastest(_ctranslate2(fixed_folder))
        return [row for precision in precisions() for row in _rows(fixed_folder, stock, peer, precision)]


def _rows(model_folder: Path, stock: _Stock, peer: Peer, precision: Precision) -> list[TableRow]:
    texts: dict[str, str] = {}

    def ours() -> None:
        summary = caller.run(SummarizeRequest(text=ARTICLE))
        assert isinstance(summary, Summary)
        texts["ours"] = summary.text

    def theirs() -> None:
        texts["stock"] = stock.summarize(ARTICLE)

    with Caller(engine_for("summarize", str(model_folder), precision)) as caller:
        caller.run(SummarizeRequest(text=SHORT))
        stock.summarize(SHORT)
        seconds, stock_seconds = medians(ROUNDS, ours, theirs)
    work = f"/summarize 900 tokens in {TOKENS}, bart-large-cnn, {BEAMS} beams, {precision}"
    row = Row(
        work=f"{work}; stock: float32",
        unit="s",
        ours=seconds,
        stock=stock_seconds,
        peer=peer.seconds,
        peer_name=peer.name,
        cost=stock.cost(precision),
        aims=(at_most(0.45, "stock"),),
    )
    return [row, _equality(work, texts, stock)] if precision == "float32" else [row]


def _equality(work: str, texts: dict[str, str], stock: _Stock) -> Note:
    """Return whether both wrote the same.

    Many texts of a model with random weights are equally likely. So there it counts that stock's own layers write the
    same tokens with our shared beams, and that ours compute the same numbers.
    """
    if texts["ours"] == texts["stock"]:
        return Note("met", f"{work}: the text of stock", "equal")
    difference = stock.difference_from_ours()
    is_right = difference < _ROUNDING and stock.is_equal_with_shared_beams(ARTICLE)
    detail = (
        f"equal with stock's layers; with ours the log-likelihoods of its tokens differ by {difference:.0e} at most"
    )
    return Note("met" if is_right else "wrong", f"{work}: the text of stock", detail if is_right else "different")


class _Stock:
    """The model loaded by transformers in float32, with its settings for summaries."""

    def __init__(self, model_folder: Path) -> None:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        self._folder = model_folder
        self._written: Any = None
        model: Any = AutoModelForSeq2SeqLM.from_pretrained(model_folder, dtype=torch.float32)
        self._model = model.eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(model_folder)
        self._settings = copy.deepcopy(model.generation_config)
        self._settings.update(**(model.config.task_specific_params or {}).get("summarization", {}))
        self._settings.num_beams = BEAMS

    def summarize(self, text: str) -> str:
        inputs = self._tokenizer(text, return_tensors="pt")
        self._written = self._model.generate(**inputs, generation_config=self._settings)[0]
        return self._tokenizer.decode(self._written, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def is_equal_with_shared_beams(self, text: str) -> bool:
        """Return whether the beams that share their input write the tokens that were written last."""
        import torch

        from inference.pipelines.shared_beams import shared_input

        inputs = self._tokenizer(text, return_tensors="pt")
        shared = shared_input(self._model, BEAMS, **inputs)
        return torch.equal(self._model.generate(**inputs, **shared, generation_config=self._settings)[0], self._written)

    def difference_from_ours(self) -> float:
        """Return the largest difference of the log-likelihoods of the written tokens, by the prepacked model."""
        import torch
        from transformers import AutoModelForSeq2SeqLM

        from inference.pipelines.devices import place
        from inference.pipelines.prepacked_linear import prepack_linear_layers
        from inference.pipelines.weights import read_model

        ours: Any = read_model(AutoModelForSeq2SeqLM, self._folder, place("cpu", "float32"))
        prepack_linear_layers(ours)
        inputs = self._tokenizer(ARTICLE, return_tensors="pt") | {"decoder_input_ids": self._written[None, :-1]}
        with torch.inference_mode():
            scores = [torch.log_softmax(model(**inputs).logits[0], dim=-1) for model in (ours, self._model)]
        written = self._written[1:, None]
        return float((scores[0].gather(1, written) - scores[1].gather(1, written)).abs().max())

    def cost(self, precision: Precision) -> tuple[Cost, ...]:
        """Return the cost of reading the text, and of `TOKENS` steps with all beams."""
        from bench.costs import forward, scaled, step

        encoder, decoder = self._model.get_encoder(), self._model.get_decoder()
        inputs = self._tokenizer(ARTICLE, return_tensors="pt")
        head = Cost(
            self._model.lm_head.weight.numel() * (4 if precision == "float32" else 2),
            2 * self._model.lm_head.weight.numel() * BEAMS,
            precision,
        )
        return (
            forward(lambda: encoder(**inputs), encoder, precision),
            scaled(step(decoder, precision, BEAMS), TOKENS),
            scaled(head, TOKENS),
        )


def _ctranslate2(model_folder: Path) -> Candidate:
    arguments = {
        "folder": str(model_folder),
        "weights": "float32",
        "text": ARTICLE,
        "tokens": TOKENS,
        "beams": BEAMS,
        "rounds": ROUNDS,
    }
    return Candidate("CTranslate2 float32", "ctranslate2-summarize", arguments)
