"""Reading a transformers model from a folder straight into its device and number format.

`from_pretrained` maps the file into memory and converts from there, so a float32 file read as bfloat16
holds three times the weights at its peak. Here tensors are read and converted block by block, and the
pages of a mapped file are let go soon after use: the peak is the weights and a little more.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, GenerationConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from inference.pipelines.devices import Placement
from inference.types.errors import ModelUnavailable

M = TypeVar("M", bound=PreTrainedModel)
NamedTensors = Iterator[tuple[str, torch.Tensor]]

_BLOCK = 2**23
"""Bytes read and converted at once."""

_MAPPED = 2**25
"""Elements read from one mapping of a legacy file before it is mapped anew."""

_FORMATS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def read_model(kind: type[M] | Any, folder: Path, placement: Placement, **options: Any) -> M:
    """The model in `folder`, in evaluation mode, on its device and in its number format.

    `kind` is a model class or an Auto class, `options` go to its `from_pretrained`. Safetensors are read
    before a legacy `.bin`, sharded or not. Raises OSError when the folder holds neither, ModelUnavailable
    when the weights are not all there.
    """
    with _quiet():
        config = getattr(kind, "config_class", AutoConfig).from_pretrained(folder, local_files_only=True)
        concrete = _model_class(kind, config)
        model, report = concrete.from_pretrained(
            None,
            config=config,
            state_dict=dict(_read_weights(folder, placement.dtype)),
            generation_config=_generation_config(folder) if concrete.can_generate() else None,
            dtype=placement.dtype,
            output_loading_info=True,
            **options,
        )
    if report["missing_keys"]:  # transformers would fill them with random numbers
        raise ModelUnavailable("This model was made for another task: its files lack the part that does this one.")
    return model.to(placement.device).eval()


def weight_bytes(*modules: torch.nn.Module) -> int:
    """Memory that the parameters and buffers of `modules` take, tied ones counted once."""
    tensors = {t.data_ptr(): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())


def read_safetensors(file: Path, dtype: torch.dtype) -> NamedTensors:
    """The tensors of one file, in `dtype` (whole numbers keep theirs); https://github.com/huggingface/safetensors."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        # One for all tensors: buffers allocated between them would leave holes that nothing fits in.
        buffer = torch.empty(_BLOCK, dtype=torch.uint8)
        for name, entry in header.items():
            stream.seek(8 + length + entry["data_offsets"][0])
            stored = _FORMATS[entry["dtype"]]
            target = torch.empty(entry["shape"], dtype=dtype if stored.is_floating_point else stored)
            fill_tensor(stream, target.view(-1), buffer.view(stored))
            yield name, target


def fill_tensor(stream: BufferedReader, target: torch.Tensor, buffer: torch.Tensor) -> None:
    """Fill `target` [elements] with what follows in `stream`, through `buffer`, which has the format of the file."""
    if target.dtype == buffer.dtype:
        _read_into(stream, target)
        return
    for block in target.split(len(buffer)):
        source = buffer[: len(block)]
        _read_into(stream, source)
        block.copy_(source)


def _read_into(stream: BufferedReader, tensor: torch.Tensor) -> None:
    """Fill a flat tensor with the bytes that follow."""
    array: Any = tensor.view(torch.uint8).numpy()
    if stream.readinto(array) != tensor.nbytes:
        raise OSError("the file ends before its last tensor")


def read_legacy(file: Path, dtype: torch.dtype) -> NamedTensors:
    """The tensors of a pickle (it may hold nothing else: `weights_only`); some share their memory, and keep on."""
    tensors = _open_legacy(file)
    first: dict[Any, str] = {}
    original = {name: first.setdefault((t.data_ptr(), t.shape), name) for name, t in tensors.items()}
    done: dict[str, torch.Tensor] = {}
    mapped = 0
    for name, source in original.items():
        if source == name:
            mapped += tensors[name].numel()
            if mapped > _MAPPED:
                tensors, mapped = _open_legacy(file), tensors[name].numel()
            done[name] = _converted(tensors.pop(name), dtype)
        yield name, done[source]


def _open_legacy(file: Path) -> dict[str, torch.Tensor]:
    """Files from before PyTorch 1.6 are no zip archives, and can only be read whole."""
    return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))


def _converted(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A copy, also where nothing is to be converted: the mapped file is let go."""
    return tensor.to(dtype if tensor.is_floating_point() else tensor.dtype, copy=True)


def _read_weights(folder: Path, dtype: torch.dtype) -> NamedTensors:
    for name, read in (("model.safetensors", read_safetensors), ("pytorch_model.bin", read_legacy)):
        if files := _shards(folder / name):
            for file in files:
                yield from read(file, dtype)
            return
    raise FileNotFoundError(f"{folder} holds neither model.safetensors nor pytorch_model.bin")


def _shards(file: Path) -> list[Path]:
    """The file itself, or the parts that its index names; empty if there is neither."""
    index = file.with_name(file.name + ".index.json")
    if file.exists() or not index.exists():
        return [file] if file.exists() else []
    parts: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return [file.with_name(part) for part in sorted(set(parts.values()))]


def _model_class(kind: Any, config: PreTrainedConfig) -> Any:
    """What an Auto class stands for: it reads folders only, while a model class also takes weights."""
    if not hasattr(kind, "from_config"):
        return kind
    with torch.device("meta"):
        return type(kind.from_config(config))


def _generation_config(folder: Path) -> GenerationConfig:
    """From its own file or, for models from before that file existed, from the model's config."""
    if (folder / "generation_config.json").exists():
        return GenerationConfig.from_pretrained(folder, local_files_only=True)
    return GenerationConfig.from_pretrained(
        folder, config_file_name="config.json", _from_model_config=True, local_files_only=True
    )


@contextmanager
def _quiet() -> Generator[None]:
    """No progress bar and no report of unused weights on the operator's console while a model loads."""
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
