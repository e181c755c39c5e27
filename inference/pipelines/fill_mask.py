"""Filling blanks with a masked language model (BERT, RoBERTa and their kin)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM

from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import read_tokenizer, window
from inference.pipelines.fill_mask_result import fill_mask_result
from inference.pipelines.joint_filling import fill_together, likeliest
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import read_model, weight_bytes
from inference.tasks import FillMaskResult, FillRequest, Request
from inference.text.mask_tokens import split_at_blanks
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable

_TOGETHER = 1024
"""Tokens in one forward pass: the output holds the whole vocabulary for each of them."""

_SPARE = 8
"""Tokens that may turn out to be no words, or the same."""


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
            raise ModelUnavailable("{name} can't fill blanks: its tokenizer has no mask token.", name=spec.name)
        return cls(read_model(AutoModelForMaskedLM, folder, placement), tokenizer)

    def run(self, batch: Batch) -> None:
        # One after another: texts of different lengths can't share a forward pass without changing each other's bits.
        run_jobs(batch, lambda job: self._fill(job.request, lambda: yield_to_others(batch, job)))

    def _fill(self, request: Request, yield_point: Callable[[], None]) -> FillMaskResult:
        assert isinstance(request, FillRequest)
        mask = self._tokenizer.mask_token
        pieces = split_at_blanks(request.text.replace(mask, "[MASK]"))  # the tokenizer takes its own for a blank anyway
        tokens = self._tokens(mask.join(pieces))  # [tokens]
        blanks = (tokens == self._tokenizer.mask_token_id).nonzero()[:, 0]  # [blanks]
        alone = self._probabilities(tokens[None], blanks)[0]  # [blanks, vocabulary]
        candidates = 2 * request.top_k + _SPARE
        together = fill_together(tokens, blanks, alone, candidates, self._probabilities, yield_point)
        return fill_mask_result(
            pieces,
            [[(self._word(token), score) for token, score in likeliest(row, candidates)] for row in alone],
            [([self._word(token) for token in words], score) for words, score in together],
            request.top_k,
        )

    def _tokens(self, text: str) -> Tensor:
        tokens = self._tokenizer(text, return_tensors="pt", verbose=False)["input_ids"][0]
        if len(tokens) > self._window:
            raise InvalidRequest(
                "The text is too long to fill: it has {count:,} tokens, and this model reads {most:,}. Shorten it.",
                count=len(tokens),
                most=self._window,
            )
        return tokens

    def _probabilities(self, texts: Tensor, blanks: Tensor) -> Tensor:
        """Of each token in the `blanks` of texts of one length: [texts, tokens] to [texts, blanks, vocabulary]."""
        return torch.cat([self._read(some, blanks) for some in texts.split(max(1, _TOGETHER // texts.shape[1]))])

    @torch.inference_mode()
    def _read(self, texts: Tensor, blanks: Tensor) -> Tensor:
        texts = texts.to(self._model.device)
        logits = self._model(input_ids=texts, attention_mask=torch.ones_like(texts)).logits
        return logits[:, blanks].float().softmax(dim=-1).cpu()

    def _word(self, token: int) -> str:
        """Without the marks by which tokenizers tell a word's start (a space) or its inside (`##`).

        Empty for a piece of a character: some tokens are single bytes.
        """
        word = self._tokenizer.decode([token]).strip().removeprefix("##")
        return "" if "\ufffd" in word else word
