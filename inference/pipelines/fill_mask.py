"""Filling blanks with a masked language model (BERT, RoBERTa and similar)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM

from inference.pipelines.devices import Placement
from inference.pipelines.encoder_models import read_encoder, read_tokenizer, window
from inference.pipelines.fill_mask_result import fill_mask_result
from inference.pipelines.joint_filling import fill_jointly, top_tokens
from inference.pipelines.pipeline import Batch, Pipeline, run_jobs, yield_to_others
from inference.pipelines.weights import weight_bytes
from inference.tasks import FillMaskResult, FillRequest, Request
from inference.tasks.fill import split_at_blanks
from inference.types import ModelSpec
from inference.types.errors import InvalidRequest, ModelUnavailable

_MAX_BATCH_TOKENS = 1024
"""Tokens in one forward pass: the output has the size of the vocabulary for each of them."""

_EXTRA_CANDIDATES = 8
"""Additional candidates, since some tokens are no words, or the same word."""


class FillMask(Pipeline):
    """A masked language model and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.nbytes = weight_bytes(model)
        self._model = model
        self._tokenizer = tokenizer
        self._window = window(model, tokenizer)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        """Raise ModelUnavailable for a model without a mask token."""
        tokenizer = read_tokenizer(folder)
        if tokenizer.mask_token is None:
            raise ModelUnavailable("{name} can't fill blanks: its tokenizer has no mask token.", name=spec.name)
        return cls(read_encoder(AutoModelForMaskedLM, spec, folder, placement, tokenizer), tokenizer)

    def run(self, batch: Batch) -> None:
        # One after another: texts of different lengths can't share a forward pass without affecting each other's bits.
        run_jobs(batch, lambda job: self._fill(job.request, lambda: yield_to_others(batch, job)))

    def _fill(self, request: Request, yield_point: Callable[[], None]) -> FillMaskResult:
        assert isinstance(request, FillRequest)
        mask = self._tokenizer.mask_token
        pieces = split_at_blanks(request.text.replace(mask, "[MASK]"))  # the model's own mask is a blank too
        tokens = self._tokens(mask.join(pieces))  # [tokens]
        blanks = (tokens == self._tokenizer.mask_token_id).nonzero()[:, 0]  # [blanks]
        probabilities = self._probabilities(tokens[None], blanks)[0]  # [blanks, vocabulary]
        num_candidates = 2 * request.top_k + _EXTRA_CANDIDATES
        joint = fill_jointly(tokens, blanks, probabilities, num_candidates, self._probabilities, yield_point)
        return fill_mask_result(
            pieces,
            [[(self._word(token), p) for token, p in top_tokens(row, num_candidates)] for row in probabilities],
            [([self._word(token) for token in words], score) for words, score in joint],
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
        """Return probabilities in the `blanks`: texts of one length [texts, tokens] → [texts, blanks, vocabulary]."""
        batch_size = max(1, _MAX_BATCH_TOKENS // texts.shape[1])
        return torch.cat([self._forward(chunk, blanks) for chunk in texts.split(batch_size)])

    @torch.inference_mode()
    def _forward(self, texts: Tensor, blanks: Tensor) -> Tensor:
        texts = texts.to(self._model.device)
        logits = self._model(input_ids=texts, attention_mask=torch.ones_like(texts)).logits
        return logits[:, blanks].float().softmax(dim=-1).cpu()

    def _word(self, token: int) -> str:
        """Return the token's text without marks of a word's start (a space) or inside (`##`).

        Return an empty text for tokens that are parts of a character.
        """
        word = self._tokenizer.decode([token]).strip().removeprefix("##")
        return "" if "\ufffd" in word else word
