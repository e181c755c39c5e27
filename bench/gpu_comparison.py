"""What the comparisons on a GPU share: a line of their table, how much is measured, and the peak of memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table. `None` where a side was not measured. `less` says whether less is better."""

    work: str
    unit: str
    ours: float | None
    stock: float | None = None
    peer: float | None = None
    less: bool = True

    @property
    def ratio(self) -> float | None:
        """How many times better ours is than stock."""
        if not self.ours or not self.stock:
            return None
        return self.stock / self.ours if self.less else self.ours / self.stock


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    tiny: bool
    new_tokens: int
    steps: int
    side: int


class Peak:
    """The most memory that tensors took on a GPU meanwhile; None on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self.gigabytes: float | None = None

    def __enter__(self) -> Peak:
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *_: object) -> None:
        if self._cuda:
            self.gigabytes = torch.cuda.max_memory_allocated() / 1e9
