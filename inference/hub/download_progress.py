"""Download progress as a fraction, from huggingface_hub's progress bars."""

from __future__ import annotations

import threading
from typing import Any

from huggingface_hub.utils import tqdm

from inference.types import LoadProgress


def ignore_progress(fraction: float | None) -> None:
    """Ignore the progress."""


def progress_bar_class(total: int, on_progress: LoadProgress) -> type[tqdm]:
    """Return a bar class for `snapshot_download` that draws nothing and reports the fraction of `total` bytes."""
    lock, done = threading.Lock(), 0.0

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # snapshot_download creates three bars. The one with this name counts bytes on disk.
            self._counts_bytes = kwargs.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            if not self._counts_bytes or not total:
                return
            with lock:
                done += n or 0
                on_progress(min(done / total, 1.0))

    return Bar
