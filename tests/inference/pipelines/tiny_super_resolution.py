"""Random Swin2SR models, as small as they can be, with the settings files of the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution, Swin2SRImageProcessorPil


def save_swin2sr(folder: Path, upsampler: str = "pixelshuffledirect", factor: int = 2, **changes: Any) -> Path:
    """Save a random model to `folder`, and return the folder. Its weights are as large as those of trained models."""
    torch.manual_seed(5)
    settings: Any = {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 2], "window_size": 8} | changes
    model = Swin2SRForImageSuperResolution(
        Swin2SRConfig(upscale=factor, upsampler=upsampler, image_size=64, **settings)
    )
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:  # not biases, not factors
                weight.normal_(std=weight[0].numel() ** -0.5)
    model.save_pretrained(folder)
    Swin2SRImageProcessorPil().save_pretrained(folder)
    return folder
