"""transformers' own `generate`, as the stock for completions. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria

from bench.machine import Precision
from bench.speed import Speed
from inference import CompleteRequest


class _Clock(StoppingCriteria):
    """Records the time of the first token: `generate` calls it after each token. Never stops."""

    def __init__(self) -> None:
        self.first = 0.0

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        self.first = self.first or time.perf_counter()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class Reference:
    """A model loaded by transformers."""

    def __init__(self, folder: Path, precision: Precision) -> None:
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision)).eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self._tokenizer.pad_token = self._tokenizer.eos_token

    def in_one_batch(self, requests: Sequence[CompleteRequest]) -> Speed:
        """Generate the maximum length for all requests together."""
        clock = _Clock()
        start = time.perf_counter()
        prompts = [request.prompt for request in requests]
        inputs = self._tokenizer(prompts, return_tensors="pt", padding=len(prompts) > 1)
        self.model.generate(
            **inputs,
            min_new_tokens=requests[0].max_new_tokens,
            max_new_tokens=requests[0].max_new_tokens,
            do_sample=True,
            temperature=requests[0].temperature,
            top_p=requests[0].top_p,
            top_k=0,
            pad_token_id=self._tokenizer.pad_token_id,
            stopping_criteria=[clock],
        )
        end = time.perf_counter()
        return Speed(clock.first - start, end - start, len(requests) * requests[0].max_new_tokens)
