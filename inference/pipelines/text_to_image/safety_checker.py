"""The model's own safety checker, for finished images and previews."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image


class SafetyChecker:
    """The safety checker of a pipeline, which would blacken flagged images itself. `present` is False without one."""

    def __init__(self, pipe: Any) -> None:
        self._checker = getattr(pipe, "safety_checker", None)
        self._extractor = getattr(pipe, "feature_extractor", None)
        self.present = self._checker is not None
        if self.present:
            pipe.safety_checker = None

    @torch.inference_mode()
    def is_flagged(self, image: Image.Image) -> bool:
        """Return whether the safety checker flags the image."""
        if self._checker is None or self._extractor is None:
            return False
        pixels = self._extractor([image], return_tensors="pt").pixel_values  # [1, 3, height, width]
        canvas = np.zeros((1, 1, 1, 3), dtype=np.float32)  # a dummy: the checker blackens its input if flagged
        _, flags, *_ = self._checker(clip_input=pixels.to(self._checker.device, self._checker.dtype), images=canvas)
        return bool(flags[0])
