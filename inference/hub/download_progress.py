"""Turns the bars that huggingface_hub draws into a fraction that tells the truth."""

from __future__ import annotations

import threading
from typing import Any

from huggingface_hub.utils import tqdm

from inference.types import LoadProgress


def ignore(fraction: float | None) -> None:
    """Progress that nobody watches."""


def reporting_bar(total: int, on_progress: LoadProgress) -> type[tqdm]:
    """A bar for `snapshot_download` that draws nothing and reports the fraction of `total` bytes."""
    lock, done = threading.Lock(), 0.0

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # Of the three bars that snapshot_download makes, the one of this name counts bytes on disk.
            self._counts = kwargs.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            if not self._counts or not total:
                return
            with lock:
                done += n or 0
                on_progress(min(done / total, 1.0))

    return Bar
