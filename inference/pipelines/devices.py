"""Which device and number format a model gets, and how much memory there is. Imports torch."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import psutil
import torch

from inference.types import DType
from inference.types.errors import ModelUnavailable

_SHARE = 0.7
"""`memory: auto` leaves the rest to activations, the system and other programs."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the weights of one model go."""

    device: torch.device
    dtype: torch.dtype

    @property
    def channels_last(self) -> bool:
        """Convolutions in half precision run faster in this layout, on CPUs and GPUs alike."""
        return self.device.type in ("cpu", "cuda")


def place(device: str, dtype: DType) -> Placement:
    """Resolve `auto`; raises ModelUnavailable for a device that this machine lacks."""
    found = find_device(device)
    return Placement(found, _best_dtype(found) if dtype == "auto" else getattr(torch, dtype))


def find_device(name: str) -> torch.device:
    """`auto` is the first of cuda, mps and cpu that is there; `cuda` is the first of its kind."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    missing = (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise ModelUnavailable("The device {name!r} of the bot's settings is not on this machine.", name=name)
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


@functools.cache
def _best_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    """AMX, AVX512-BF16 or Arm's BF16 extension: elsewhere bfloat16 is emulated and slower than float32."""
    return any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def memory_budget(device: torch.device) -> int:
    """Bytes that loaded models may take on `device` when the operator leaves it to us."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * _SHARE)
    return int(psutil.virtual_memory().total * _SHARE)


def release_memory(device: torch.device) -> None:
    """Give memory that no tensor uses back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
