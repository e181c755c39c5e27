"""Names of LoRA files. The files are not opened here."""

from __future__ import annotations

from pathlib import Path


def lora_names(folder: Path) -> tuple[str, ...]:
    """Return the names of a folder's LoRA files without suffix; empty if there is no such folder."""
    return tuple(sorted(file.stem for file in folder.glob("*.safetensors")))


def has_loras(folder: str) -> bool:
    """Return whether there are LoRA files in `folder`; "" is none."""
    return bool(folder and lora_names(Path(folder)))


def loras_and_weights(loras: str) -> list[tuple[str, float]]:
    """Split "name, other:0.8" into names and weights."""
    return [_name_and_weight(lora.strip()) for lora in loras.split(",") if lora.strip()]


def _name_and_weight(lora: str) -> tuple[str, float]:
    name, _, weight = lora.rpartition(":")
    try:
        return (name, float(weight)) if name else (lora, 1.0)
    except ValueError:
        return lora, 1.0
