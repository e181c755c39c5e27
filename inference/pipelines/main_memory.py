"""How much of the machine's main memory models may take. Imports no torch."""

from __future__ import annotations

import psutil

MEMORY_SHARE = 0.7
"""The share of memory for weights with `memory: auto`. The rest is for activations, the system and other programs."""


def main_memory_budget() -> int:
    """Return the default memory budget for models on the CPU, in bytes."""
    return int(psutil.virtual_memory().total * MEMORY_SHARE)
