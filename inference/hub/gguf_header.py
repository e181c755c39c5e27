"""The header of a GGUF file: its metadata, and the names and sizes of its tensors.

GGUF is llama.cpp's format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The package `gguf` reads it too,
but takes seconds for the tokens of a large vocabulary, which are skipped here.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from inference.types import GGUFSummary

_VERSIONS = (2, 3)
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
"""The formats of numbers, by the code of their type in the file."""
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GGUFHeader:
    """`metadata` has numbers and strings, and no arrays. `tensors` are the numbers of elements by name."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, int]

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    @property
    def summary(self) -> GGUFSummary:
        return GGUFSummary(self.architecture, sum(self.tensors.values()))


def read_gguf_header(file: Path) -> GGUFHeader:
    """Return the header of `file`. Raise ValueError if it is no complete GGUF file."""
    state = file.stat()
    return _read_cached(file, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _read_cached(file: Path, size: int, mtime_ns: int) -> GGUFHeader:
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF" or _number(stream, "<I") not in _VERSIONS:
            raise ValueError(f"{file} is no GGUF file")
        num_tensors, num_entries = _number(stream, "<Q"), _number(stream, "<Q")
        metadata: dict[str, Any] = {}
        for _ in range(num_entries):
            key, value = _string(stream), _value(stream, _number(stream, "<I"))
            if value is not None:
                metadata[key] = value
        tensors = dict(_tensor(stream) for _ in range(num_tensors))
        return GGUFHeader(metadata, tensors)


def _tensor(stream: BufferedReader) -> tuple[str, int]:
    """Return a tensor's name and its number of elements."""
    name = _string(stream)
    shape = [_number(stream, "<Q") for _ in range(_number(stream, "<I"))]
    stream.seek(12, 1)  # the type, and the position of the data
    return name, math.prod(shape)


def _value(stream: BufferedReader, kind: int) -> Any:
    """Return a number or a string; None for an array, which is skipped."""
    if kind in _NUMBERS:
        return _number(stream, _NUMBERS[kind])
    if kind == _STRING:
        return _string(stream)
    if kind != _ARRAY:
        raise ValueError(f"{stream.name} has a value of an unknown type")
    element, count = _number(stream, "<I"), _number(stream, "<Q")
    if element in _NUMBERS:
        stream.seek(count * struct.calcsize(_NUMBERS[element]), 1)
        return None
    for _ in range(count):
        if element == _STRING:
            stream.seek(_number(stream, "<Q"), 1)
        else:
            _value(stream, element)
    return None


def _number(stream: BufferedReader, layout: str) -> Any:
    data = stream.read(struct.calcsize(layout))
    if len(data) < struct.calcsize(layout):
        raise ValueError(f"{stream.name} ends in its header")
    return struct.unpack(layout, data)[0]


def _string(stream: BufferedReader) -> str:
    return stream.read(_number(stream, "<Q")).decode("utf-8", errors="replace")
