"""Loading of Flax checkpoints (`flax_model.msgpack`) directly in PyTorch's layout and dtype, without Flax.

The file is one tree of maps in MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md). An array is an
extension of type 1 with its shape, dtype and bytes. An array of more than one gibibyte is a map of chunks
(https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html). Numbers are read through one small
buffer into their tensor, so the peak is little more than the weights. The msgpack library would need memory for each
array twice in addition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Literal

import torch

from inference.pipelines.weights import NamedTensors, fill_tensor

FILE = "flax_model.msgpack"

DtypeOf = Callable[[str], torch.dtype | None]
"""Returns the dtype for a tensor's name, or None to skip the tensor."""

_TypeCode = Literal["number", "bytes", "array", "text", "map", "extension"]

_TYPE_CODES: dict[int, tuple[_TypeCode, int]] = {
    0xC2: ("number", 0), 0xC3: ("number", 0),
    0xC4: ("bytes", 1), 0xC5: ("bytes", 2), 0xC6: ("bytes", 4),
    0xC7: ("extension", 1), 0xC8: ("extension", 2), 0xC9: ("extension", 4),
    0xCC: ("number", 1), 0xCD: ("number", 2), 0xCE: ("number", 4), 0xCF: ("number", 8),
    0xD9: ("text", 1), 0xDA: ("text", 2), 0xDB: ("text", 4),
    0xDC: ("array", 2), 0xDD: ("array", 4), 0xDE: ("map", 2), 0xDF: ("map", 4),
}  # fmt: skip
"""Type and number of bytes of the length (or value), by the first byte."""

_NDARRAY = 1
_CHUNKED = "__msgpack_chunked_array__"
_BLOCK_BYTES = 2**23
_LEAVES = {"kernel": "weight", "scale": "weight", "embedding": "weight"}


def read_flax(file: Path, dtype_of: DtypeOf) -> NamedTensors:
    """Yield the tensors of the file in its order, with names like `decoder.up.0.block.1.conv1.weight`.

    Flax numbers its modules `block_1`. Kernels […, in, out] and [height, width, in, out] become weights […, out, in]
    and [out, in, height, width]. Raise OSError for a file that is cut off or has other content.
    """
    with file.open("rb") as stream:
        for path, tensor in _MessagePackReader(stream, dtype_of).leaves(()):
            if tensor is not None:
                yield _name(path), tensor


class _MessagePackReader:
    """Reads the tree from a stream."""

    def __init__(self, stream: BufferedReader, dtype_of: DtypeOf) -> None:
        self._stream = stream
        self._dtype_of = dtype_of
        self._buffer = torch.empty(_BLOCK_BYTES, dtype=torch.uint8)

    def leaves(self, path: tuple[str, ...]) -> Generator[tuple[tuple[str, ...], torch.Tensor | None]]:
        """Yield all arrays below `path`; None for skipped ones."""
        kind, size = self._header()
        if kind == "extension":
            yield path, self._ndarray(size, self._dtype_of(_name(path)), path[-1])
            return
        _expect(kind, "map")
        for i in range(size):
            key = self._text()
            if key == _CHUNKED:
                yield path, self._chunked(size - i, self._dtype_of(_name(path)), path[-1])
                return
            yield from self.leaves((*path, key))

    def _chunked(self, entries: int, dtype: torch.dtype | None, leaf: str) -> torch.Tensor | None:
        """Read an array in chunks, from a map whose first key was just read."""
        self._header()  # true
        shape: list[int] = []
        chunks: list[torch.Tensor | None] = []
        for _ in range(entries - 1):
            is_shape = self._text() == "shape"
            for _ in range(self._expect_header("map")):
                self._text()  # "0", "1", …
                if is_shape:
                    shape.append(self._expect_header("number"))
                else:
                    chunks.append(self._ndarray(self._expect_header("extension"), dtype))
        if dtype is None:
            return None
        array = torch.cat([chunk for chunk in chunks if chunk is not None]).view(shape)
        return array.permute(_axes(leaf, array.ndim)).contiguous()

    def _ndarray(self, size: int, dtype: torch.dtype | None, leaf: str = "") -> torch.Tensor | None:
        """Read an array from the extension whose header was just read, `size` bytes long."""
        end = self._stream.tell() + 1 + size
        if self._read_bytes(1)[0] != _NDARRAY:
            raise OSError("the file holds something else than arrays")
        if dtype is None:
            self._stream.seek(end)
            return None
        self._expect_header("array")
        shape = [self._expect_header("number") for _ in range(self._expect_header("array"))]
        stored: torch.dtype = getattr(torch, self._text())
        if self._expect_header("bytes") != prod(shape) * stored.itemsize:
            raise OSError("an array's length does not fit its shape")
        axes = _axes(leaf, len(shape))
        tensor = torch.empty([shape[axis] for axis in axes], dtype=dtype)
        self._fill(tensor.permute([axes.index(axis) for axis in range(len(shape))]), self._buffer.view(stored))
        return tensor

    def _fill(self, target: torch.Tensor, buffer: torch.Tensor) -> None:
        """Fill `target`, with any memory layout, with the next numbers in the order of its axes.

        No second copy of the tensor is made, since copies would leave gaps in the heap.
        """
        if target.is_contiguous():
            fill_tensor(self._stream, target.view(-1), buffer)
        elif target.ndim > 2:
            for part in target:
                self._fill(part, buffer)
        else:
            for rows in target.split(max(1, len(buffer) // target.shape[1])):
                source = buffer[: rows.numel()]
                fill_tensor(self._stream, source, source)
                rows.copy_(source.view(rows.shape))

    def _text(self) -> str:
        return self._read_bytes(self._expect_header("text")).decode()

    def _expect_header(self, kind: _TypeCode) -> int:
        """Return the length, or value, of the next item, which must be of this kind."""
        found, size = self._header()
        _expect(found, kind)
        return size

    def _header(self) -> tuple[_TypeCode, int]:
        """Return the kind of the next item, and its length or value."""
        first = self._read_bytes(1)[0]
        if first < 0x80:
            return "number", first
        if first < 0xC0:
            kind: _TypeCode = "map" if first < 0x90 else "array" if first < 0xA0 else "text"
            return kind, first & (0x1F if kind == "text" else 0x0F)
        if 0xD4 <= first <= 0xD8:
            return "extension", 1 << (first - 0xD4)
        if first not in _TYPE_CODES:
            raise OSError(f"the file holds something else than arrays ({first:#x})")
        kind, width = _TYPE_CODES[first]
        return kind, int.from_bytes(self._read_bytes(width), "big")

    def _read_bytes(self, count: int) -> bytes:
        data = self._stream.read(count)
        if len(data) != count:
            raise OSError("the file ends before its last array")
        return data


def _expect(found: _TypeCode, kind: _TypeCode) -> None:
    if found != kind:
        raise OSError(f"the file is no Flax checkpoint: {found} in place of {kind}")


def _name(path: tuple[str, ...]) -> str:
    *modules, leaf = path
    return ".".join([*(re.sub(r"_(\d+)$", r".\1", module) for module in modules), _LEAVES.get(leaf, leaf)])


def _axes(leaf: str, ndim: int) -> tuple[int, ...]:
    """Return PyTorch's order of an array's axes."""
    if leaf != "kernel" or ndim < 2:
        return tuple(range(ndim))
    return (3, 2, 0, 1) if ndim == 4 else (*range(ndim - 2), ndim - 1, ndim - 2)
