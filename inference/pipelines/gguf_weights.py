"""Loading of a language model from a GGUF file. transformers turns its numbers into ordinary ones.

transformers leaves out in silence what it does not know in a file. Here such a file is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader, dequantize
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.integrations.gguf import GGUF_ARCHS
from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map
from transformers.utils.quantization_config import GgufConfig

from inference.hub import GGUFHeader, gguf_header, gguf_in
from inference.pipelines.devices import Placement
from inference.pipelines.weights import silence_transformers
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

log = logging.getLogger(__name__)

_ROPE_FACTORS = "rope_freqs.weight"
"""What the frequencies of the rotary positions are divided by: Llama 3.1 and later. transformers does not read it."""

_SCALES = ("attention.scale", "embedding_scale", "logit_scale", "residual_scale")
"""Metadata that changes the numbers, and that transformers does not read."""


def read_gguf_model(spec: ModelSpec, folder: Path, placement: Placement) -> PreTrainedModel:
    """Return the model in the GGUF file in `folder`, in evaluation mode, on its device and in its dtype.

    Tensors are converted one by one. Raise ModelUnavailable if transformers would leave out a part of it.
    """
    file, header = gguf_in(spec, folder), gguf_header(spec, folder)
    assert header
    _require_settings_read(spec, header)
    log.info("%s: reading %s", spec.name, file)
    with silence_transformers():
        config: Any = AutoConfig.from_pretrained(folder, gguf_file=file, local_files_only=True)
        with torch.device("meta"):
            outline: Any = AutoModelForCausalLM.from_config(config)
        if header.architecture in GGUF_ARCHS:
            source, options = folder, {"gguf_file": file, "quantization_config": GgufConfig(dequantize=True)}
        else:
            source, options = None, {"state_dict": _read_tensors(spec, folder / file, outline, placement.dtype)}
        model, report = type(outline).from_pretrained(
            source, config=config, dtype=placement.dtype, output_loading_info=True, **options
        )
    if missing := report["missing_keys"] | report["unexpected_keys"]:
        raise _not_read(spec, missing)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # the numbers are ordinary ones now
    if _ROPE_FACTORS in header.tensors:
        _scale_rotary_positions(spec, folder / file, model)
    return model.to(placement.device).eval()


def _require_settings_read(spec: ModelSpec, header: GGUFHeader) -> None:
    """Raise ModelUnavailable if the file has settings that change the numbers and that transformers does not read."""
    prefix = f"{header.architecture}."
    values = {key.removeprefix(prefix): value for key, value in header.metadata.items() if key.startswith(prefix)}
    unread = [key for key in values if key in _SCALES]
    if values.get("rope.scaling.type", "none") != "none" or values.get("rope.scaling.factor", 1) != 1:
        unread.append("rope.scaling")
    if unread:
        raise _not_read(spec, unread)


def _read_tensors(spec: ModelSpec, file: Path, outline: Any, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the tensors of the file in `dtype`, by their names in transformers: what its `load_gguf_checkpoint` does.

    `outline` is the model without numbers. Raise ModelUnavailable if the file has others.
    """
    reader = GGUFReader(file)
    architecture = reader.fields["general.architecture"].contents()
    processor = TENSOR_PROCESSORS.get(architecture, TensorProcessor)(config=outline.config.to_dict())
    mapping = get_gguf_hf_weights_map(outline, processor)
    tensors: dict[str, torch.Tensor] = {}
    for tensor in reader.tensors:
        # A processor stores some tensors itself, such as those of experts, and then returns no name.
        processed: Any = processor.process(
            weights=dequantize(tensor.data, tensor.tensor_type),
            name=tensor.name,
            tensor_key_mapping=mapping,
            parsed_parameters={"tensors": tensors},
        )
        weights, name, _ = processed
        if name in mapping:
            tensors[mapping[name]] = torch.from_numpy(weights.copy()).to(dtype)
        elif name is not None and name != _ROPE_FACTORS:
            raise _not_read(spec, [name])
    return tensors


def _not_read(spec: ModelSpec, parts: Iterable[str]) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} can't be read from its GGUF file, since transformers does not understand a part of it ({part}). "
        "The bot's operator has to pick another version of the model.",
        name=spec.name,
        part=min(parts),
    )


def _scale_rotary_positions(spec: ModelSpec, file: Path, model: PreTrainedModel) -> None:
    factors = next(tensor.data for tensor in GGUFReader(file).tensors if tensor.name == _ROPE_FACTORS)
    divisor = torch.from_numpy(factors.copy()).float()
    found: list[Any] = [
        module for module in model.modules() if isinstance(getattr(module, "inv_freq", None), torch.Tensor)
    ]
    if len(found) != 1 or found[0].inv_freq.shape != divisor.shape:
        raise _not_read(spec, [_ROPE_FACTORS])
    found[0].inv_freq.div_(divisor)
