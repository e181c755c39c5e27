"""Filling blanks with a masked language model (BERT, RoBERTa and their kin)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM

from inference.blanks import filling, split_at_blanks
from inference.devices import Placement
from inference.errors import InvalidRequest, ModelUnavailable
from inference.pipelines.base import Batch, Pipeline, run_each
from inference.pipelines.encoder import read_tokenizer, window
from inference.pipelines.weights import read_model, weight_bytes
from inference.types import Filling, FillRequest, ModelSpec, Request


class FillMask(Pipeline):
    """A masked language model and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raises ModelUnavailable for a model that knows no blanks."""
        tokenizer = read_tokenizer(folder)
        if tokenizer.mask_token is None:
            raise ModelUnavailable(f"{spec.name} can't fill blanks: its tokenizer has no mask token.")
        return cls(read_model(AutoModelForMaskedLM, folder, placement), tokenizer)

    def run(self, batch: Batch) -> None:
        # One after another: texts of different lengths can't share a forward pass without changing each other's bits.
        run_each(batch, self._fill)

    def _fill(self, request: Request) -> Filling:
        assert isinstance(request, FillRequest)
        mask = self._tokenizer.mask_token
        pieces = split_at_blanks(request.text.replace(mask, "[MASK]"))  # the tokenizer takes its own for a blank anyway
        probabilities = self._probabilities(mask.join(pieces))  # [blanks, vocabulary]
        scores, tokens = probabilities.topk(min(request.top_k, probabilities.shape[1]))
        words = [[self._word(token) for token in row] for row in tokens.tolist()]
        return filling(pieces, [list(zip(*row, strict=True)) for row in zip(words, scores.tolist(), strict=True)])

    @torch.inference_mode()
    def _probabilities(self, text: str) -> Tensor:
        """Of each token in each blank, [blanks, vocabulary]; they are read at once, so none sees another's word."""
        inputs = self._tokenizer(text, return_tensors="pt", verbose=False).to(self._model.device)
        length = inputs["input_ids"].shape[1]
        if length > self._window:
            raise InvalidRequest(
                f"The text is too long to fill: it has {length:,} tokens, and this model reads {self._window:,}. "
                "Shorten it."
            )
        blanks = inputs["input_ids"][0] == self._tokenizer.mask_token_id  # [tokens]
        return self._model(**inputs).logits[0, blanks].float().softmax(dim=-1).cpu()

    def _word(self, token: int) -> str:
        """Without the marks by which tokenizers tell a word's start (a space) or its inside (`##`)."""
        return self._tokenizer.decode([token]).strip().removeprefix("##")
