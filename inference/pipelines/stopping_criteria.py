"""A turn for others between two tokens of `generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria


class YieldPointCriteria(StoppingCriteria):
    """Stops nothing by itself: `generate` asks it after each token, and `yield_point` may raise."""

    def __init__(self, yield_point: Callable[[], None]) -> None:
        self._checkpoint = yield_point

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:  # type: ignore[override]
        self._checkpoint()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
