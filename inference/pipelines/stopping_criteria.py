"""A yield point after each token of `generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria


class YieldPointCriteria(StoppingCriteria):
    """Calls `yield_point` after each token. It never stops the generation itself, but `yield_point` may raise."""

    def __init__(self, yield_point: Callable[[], None]) -> None:
        self._yield_point = yield_point

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:  # type: ignore[override]
        self._yield_point()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
