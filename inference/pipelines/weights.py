"""Loading of a transformers model from a folder directly onto its device and in its dtype.

`from_pretrained` maps the file into memory and converts it, so a float32 file loaded as bfloat16 takes three times the
size of the weights at its peak. Here tensors are read and converted block by block, and a mapped file is released soon
after use. The peak is little more than the weights.
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
from inference.pipelines.float8 import FLOAT8_FORMATS, apply_scales, is_scale
from inference.pipelines.number_formats import format_name, quantization_of
from inference.types.errors import ModelUnavailable

M = TypeVar("M", bound=PreTrainedModel)
NamedTensors = Iterator[tuple[str, torch.Tensor]]

_BLOCK_BYTES = 2**23
"""Bytes that are read and converted at a time."""

_MAX_MAPPED_ELEMENTS = 2**25
"""Elements that are read from one mapping of a legacy file before it is mapped again."""

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


def read_model(kind: type[M] | Any, folder: Path, placement: Placement, **options: Any) -> M:
    """Return the model in `folder`, in evaluation mode, on its device and in its dtype.

    `kind` is a model class or an Auto class, and `options` are passed to its `from_pretrained`. Safetensors files are
    preferred to legacy `.bin` files; both may be sharded. Raise OSError if the folder has neither, and ModelUnavailable
    if weights are missing.
    """
    with silence_transformers():
        config: Any = getattr(kind, "config_class", AutoConfig).from_pretrained(folder, local_files_only=True)
        weights = dict(_read_weights(folder, placement.dtype))
        if (quantization := quantization_of(config.to_dict())) and format_name(quantization) in FLOAT8_FORMATS:
            weights = apply_scales(weights, quantization)
            del config.quantization_config  # the numbers are ordinary ones now
        model_class = _model_class(kind, config)
        model, report = model_class.from_pretrained(
            None,
            config=config,
            state_dict=weights,
            generation_config=_generation_config(folder) if model_class.can_generate() else None,
            dtype=placement.dtype,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below
            **options,
        )
    if report["missing_keys"]:  # transformers would initialize them randomly
        raise ModelUnavailable(
            "The weights of this model lack a part that its config.json describes: they were made for another task or "
            "another model. The bot's operator has to pick another model, or to copy its files again."
        )
    if report["mismatched_keys"]:
        raise ModelUnavailable(
            "The weights of this model do not fit its config.json. The bot's operator has to download it again, or to "
            "pick another model."
        )
    return model.to(placement.device).eval()


def weight_bytes(*modules: torch.nn.Module) -> int:
    """Return the size of all parameters and buffers of `modules` in bytes. Tied weights are counted once.

    A module may have weights outside of torch: `external_bytes`.
    """
    external = sum(getattr(part, "external_bytes", 0) for module in modules for part in module.modules())
    tensors = {t.data_ptr(): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return external + sum(t.numel() * t.element_size() for t in tensors.values())


def read_safetensors(file: Path, dtype: torch.dtype) -> NamedTensors:
    """Yield the tensors of one file in `dtype` (integers keep theirs, scales are float32); https://github.com/huggingface/safetensors."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        try:
            header: dict[str, Any] = json.loads(stream.read(length))
        except (ValueError, MemoryError, OverflowError) as error:
            raise _damaged(file) from error
        header.pop("__metadata__", None)
        # One buffer for all tensors: buffers allocated between them would leave gaps in the heap.
        buffer = torch.empty(_BLOCK_BYTES, dtype=torch.uint8)
        for name, entry in header.items():
            stream.seek(8 + length + entry["data_offsets"][0])
            stored = _DTYPES[entry["dtype"]]
            kept = torch.float32 if is_scale(name) else dtype
            target = torch.empty(entry["shape"], dtype=kept if stored.is_floating_point else stored)
            try:
                fill_tensor(stream, target.view(-1), buffer.view(stored))
            except TruncatedFile as error:
                raise _damaged(file) from error
            yield name, target


class TruncatedFile(OSError):
    """A file ends before its last tensor."""


def _damaged(file: Path) -> ModelUnavailable:
    return ModelUnavailable(
        "The file {file} of this model is damaged or not complete. The bot's operator has to download or copy it "
        "again.",
        file=file.name,
    )


def fill_tensor(stream: BufferedReader, target: torch.Tensor, buffer: torch.Tensor) -> None:
    """Fill `target` [elements] with the next bytes of `stream`, through `buffer`, which has the dtype of the file."""
    if target.dtype == buffer.dtype:
        _read_into(stream, target)
        return
    for block in target.split(len(buffer)):
        source = buffer[: len(block)]
        _read_into(stream, source)
        block.copy_(source)


def _read_into(stream: BufferedReader, tensor: torch.Tensor) -> None:
    """Fill a flat tensor with the next bytes of `stream`."""
    array: Any = tensor.view(torch.uint8).numpy()
    if stream.readinto(array) != tensor.nbytes:
        raise TruncatedFile("the file ends before its last tensor")


def read_legacy(file: Path, dtype: torch.dtype) -> NamedTensors:
    """Yield the tensors of a pickle (loaded with `weights_only`). Tensors that share memory keep sharing it."""
    tensors = _open_legacy(file)
    first: dict[Any, str] = {}
    original = {name: first.setdefault((t.data_ptr(), t.shape), name) for name, t in tensors.items()}
    converted: dict[str, torch.Tensor] = {}
    num_mapped = 0
    for name, source in original.items():
        if source == name:
            num_mapped += tensors[name].numel()
            if num_mapped > _MAX_MAPPED_ELEMENTS:
                tensors, num_mapped = _open_legacy(file), tensors[name].numel()
            converted[name] = _convert(tensors.pop(name), dtype)
        yield name, converted[source]


def _open_legacy(file: Path) -> dict[str, torch.Tensor]:
    """Open a legacy file. Files from before PyTorch 1.6 are not zip archives, and can't be mapped."""
    return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))


def _convert(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return a copy, even without conversion, so that the mapped file can be released."""
    return tensor.to(dtype if tensor.is_floating_point() else tensor.dtype, copy=True)


def _read_weights(folder: Path, dtype: torch.dtype) -> NamedTensors:
    for name, read in (("model.safetensors", read_safetensors), ("pytorch_model.bin", read_legacy)):
        if files := files_of_weights(folder / name):
            for file in files:
                yield from read(file, dtype)
            return
    raise FileNotFoundError(f"{folder} holds neither model.safetensors nor pytorch_model.bin")


def files_of_weights(file: Path) -> list[Path]:
    """Return the file itself, or the shards in its index; empty if neither exists."""
    index = file.with_name(file.name + ".index.json")
    if file.exists() or not index.exists():
        return [file] if file.exists() else []
    parts: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return [file.with_name(part) for part in sorted(set(parts.values()))]


def _model_class(kind: Any, config: PreTrainedConfig) -> Any:
    """Return the model class of an Auto class, which only loads folders: a model class also accepts weights."""
    if not hasattr(kind, "from_config"):
        return kind
    with torch.device("meta"):
        return type(kind.from_config(config))


def _generation_config(folder: Path) -> GenerationConfig:
    """Read the generation config from its own file or, for older models, from the model's config."""
    if (folder / "generation_config.json").exists():
        return GenerationConfig.from_pretrained(folder, local_files_only=True)
    return GenerationConfig.from_pretrained(
        folder, config_file_name="config.json", _from_model_config=True, local_files_only=True
    )


@contextmanager
def silence_transformers() -> Generator[None]:
    """Turn off progress bars and reports of unused weights while a model loads."""
    show_bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if show_bars:
            logging.enable_progress_bar()
