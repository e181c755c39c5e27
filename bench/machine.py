"""What this machine is, what it can do at most, and how long a piece of work takes on it at least."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Precision = Literal["float32", "bfloat16"]

_FEATURES = {
    "avx2": "AVX2",
    "avx512_f": "AVX512",
    "avx512_vnni": "VNNI",
    "avx512_bf16": "AVX512-BF16",
    "amx_int8": "AMX-INT8",
    "amx_bf16": "AMX-BF16",
    "bf16": "BF16",
}
"""Features of CPUs that decide which kernels run, by their names in torch."""

_LIMITERS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
"""Variables that keep libraries from using newer features: so an older CPU can be imitated."""

BUFFER = 10**9
"""Bytes that are read to measure the bandwidth: far more than any cache holds."""
SIDE = 3072
"""The side of the matrices whose product is measured."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What one unit of a work takes at least: bytes read from memory and operations, which overlap."""

    nbytes: float = 0
    flops: float = 0
    precision: Precision = "float32"


@dataclass(frozen=True, slots=True)
class Machine:
    """The CPU, and the best it has shown: bytes read a second, and operations a second in matrix products."""

    cpu: str
    cores: int
    features: tuple[str, ...]
    limited_by: tuple[str, ...]
    torch: str
    bandwidth: float
    float32: float
    bfloat16: float | None

    def seconds(self, costs: Sequence[Cost]) -> float:
        """Return the least time for works that follow each other."""
        return sum(max(cost.nbytes / self.bandwidth, cost.flops / self._speed(cost.precision)) for cost in costs)

    def _speed(self, precision: Precision) -> float:
        return self.bfloat16 or self.float32 if precision == "bfloat16" else self.float32

    def __str__(self) -> str:
        limited = f" (limited by {', '.join(self.limited_by)})" if self.limited_by else ""
        products = f"{self.float32 / 1e9:.0f} GFLOP/s in float32"
        if self.bfloat16:
            products += f" and {self.bfloat16 / 1e9:.0f} in bfloat16"
        return (
            f"{self.cpu}, {self.cores} cores, {', '.join(self.features) or 'no AVX2'}{limited}, torch {self.torch}; "
            f"reads {self.bandwidth / 1e9:.1f} GB/s, multiplies matrices at {products}"
        )


def features() -> tuple[str, ...]:
    """Return the features of the CPU that libraries may use. Imports torch."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    found = tuple(name for key, name in _FEATURES.items() if capabilities.get(key))
    only_avx2 = any("avx2" in os.environ.get(name, "").lower() for name in _LIMITERS)
    return tuple(name for name in found if name == "AVX2") if only_avx2 else found


def has_amx() -> bool:
    return "AMX-BF16" in features()


def precisions() -> tuple[Precision, ...]:
    """Return the number formats that the CPU has in hardware. The last is what `dtype: auto` takes."""
    has_bfloat16 = any("BF16" in name for name in features())
    return ("float32", "bfloat16") if has_bfloat16 else ("float32",)


def measure() -> Machine:
    """Return this machine. Takes some seconds. Imports torch."""
    import torch

    return Machine(
        cpu=_cpu_name(),
        cores=torch.get_num_threads(),
        features=features(),
        limited_by=tuple(f"{name}={os.environ[name]}" for name in _LIMITERS if name in os.environ),
        torch=torch.__version__,
        bandwidth=_bandwidth(),
        float32=_products(torch.float32),
        bfloat16=_products(torch.bfloat16) if "bfloat16" in precisions() else None,
    )


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _bandwidth() -> float:
    """Return the bytes read a second by the faster of a sum and a product of a matrix and a vector."""
    import torch

    matrix = torch.ones(BUFFER // 4 // 4096, 4096)
    vector = torch.ones(4096)
    return matrix.nbytes / min(_best(matrix.sum), _best(lambda: matrix @ vector))


def _products(dtype: Any) -> float:
    """Return the operations a second in a product of two large matrices."""
    import torch

    left, right = (torch.randn(SIDE, SIDE, dtype=dtype) for _ in range(2))
    return 2 * SIDE**3 / _best(lambda: left @ right)


def _best(work: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
