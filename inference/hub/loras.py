"""LoRA files as people name them. Nothing here opens one."""

from __future__ import annotations

from pathlib import Path


def lora_names(folder: Path) -> tuple[str, ...]:
    """The LoRA files of a folder by name, without their suffix; none if there is no such folder."""
    return tuple(sorted(file.stem for file in folder.glob("*.safetensors")))


def lora_and_weight(lora: str) -> tuple[str, float]:
    """What a request calls a LoRA: "name", or "name:0.8" for 0.8 of its effect."""
    name, _, weight = lora.rpartition(":")
    try:
        return (name, float(weight)) if name else (lora, 1.0)
    except ValueError:
        return lora, 1.0
