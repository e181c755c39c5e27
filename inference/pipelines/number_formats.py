"""The number formats of quantized models: which ones run here, and what each one needs.

A model in such a format names it in its config, as `quantization_config.quant_method`. What a format needs is what its
quantizer in transformers 5.23 checks (`validate_environment` in `transformers/quantizers/`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inference.hub import CONFIG, INDEX, components_of, read_settings
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberFormat:
    """What one format needs.

    `modules` are the Python modules that must be importable, and `packages` what `pip install` needs for them. If the
    numbers become ordinary ones when the model is loaded or first used, so that it grows, `unpacked_from` is their
    usual number of bits in the files; 0 if they stay as they are.
    """

    modules: tuple[str, ...] = ()
    packages: str = ""
    unpacked_from: float = 0


NUMBER_FORMATS: Mapping[str, NumberFormat] = {
    "awq": NumberFormat(modules=("gptqmodel",), packages="gptqmodel"),
    "bitsandbytes": NumberFormat(modules=("bitsandbytes",), packages="'bitsandbytes>=0.46.1'"),
    "compressed-tensors": NumberFormat(
        modules=("compressed_tensors",), packages="'compressed-tensors>=0.15'", unpacked_from=4
    ),
    "compressed-tensors (float-quantized)": NumberFormat(unpacked_from=8),
    "compressed-tensors (naive-quantized)": NumberFormat(unpacked_from=8),
    "fp8": NumberFormat(unpacked_from=8),
    "gptq": NumberFormat(modules=("optimum", "gptqmodel"), packages="optimum gptqmodel"),
    "mxfp4": NumberFormat(unpacked_from=4.25),
}
"""The formats by the name in `quant_method`. A model in any other format is refused, and so are the components of a
diffusers pipeline in any.

These run on every type of device. To add one, make sure that `weights.py` reads its numbers, and check what its
quantizer asks of the device. `float8.py` reads 8-bit floats. Nothing here reads 4-bit floats (`nvfp4`), nor the tensors
of `torchao`.
"""


def require_number_formats(spec: ModelSpec, folder: Path) -> None:
    """Raise ModelUnavailable unless the formats of the model in `folder` can be read here, and go with `quantize`."""
    for name in sorted(_quantizations(spec, folder)):
        _require(spec, name)
        if spec.quantize != "none":
            raise ModelUnavailable(
                "{name} stores its weights in the number format {format} already. "
                "The bot's operator has to remove `quantize` from it in config.yaml.",
                name=spec.name,
                format=name,
            )


def memory_growth(spec: ModelSpec, folder: Path, itemsize: int) -> float | None:
    """Return how much larger the weights are in memory than in the files; None for a model in ordinary numbers.

    `itemsize` is the size of an ordinary number in bytes.
    """
    quantizations = _quantizations(spec, folder)
    bits = [count for name, each in quantizations.items() if (count := _unpacked_from(name, each))]
    return max((itemsize * 8 / count for count in bits), default=1.0) if quantizations else None


def _quantizations(spec: ModelSpec, folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the configs of the model, or of a diffusers pipeline's components, say about quantization, by format.

    The name of a format has its variant where the variant matters.
    """
    quantization = quantization_of(read_settings(spec, folder, CONFIG))
    found = {format_name(quantization): quantization} if quantization is not None else {}
    for component in components_of(read_settings(spec, folder, INDEX)):
        quantization = quantization_of(read_settings(spec, folder, f"{component}/{CONFIG}"))
        if quantization is not None:
            found[f"{format_name(quantization)} (diffusers)"] = quantization
    return found


def quantization_of(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a config says about quantization; None if it says nothing."""
    found = config.get("quantization_config") or config.get("compression_config")
    return (found if isinstance(found, dict) else {}) if found else None


def format_name(quantization: Mapping[str, Any]) -> str:
    """Return the name of the number format, with its variant if the variant matters."""
    if quantization.get("load_in_4bit") or quantization.get("load_in_8bit"):  # older files have no name
        return "bitsandbytes"
    name = str(quantization.get("quant_method") or "?")
    if quantization.get("expert_dtype", "fp8") != "fp8":
        return f"{name} ({quantization['expert_dtype']})"
    if any(weights.get("type") == "float" for weights in _weight_groups(quantization)):
        return f"{name} ({quantization.get('format') or 'float'})"
    return name


def _unpacked_from(name: str, quantization: Mapping[str, Any]) -> float:
    """Return the number of bits in the files of numbers that become ordinary ones; 0 if they stay as they are."""
    number_format = NUMBER_FORMATS.get(name)
    if not number_format or not number_format.unpacked_from:
        return 0
    sizes = [weights["num_bits"] for weights in _weight_groups(quantization) if weights.get("num_bits")]
    return min(sizes, default=number_format.unpacked_from)


def _weight_groups(quantization: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how compressed-tensors stores the weights of each group of layers."""
    groups = quantization.get("config_groups")
    if not isinstance(groups, dict):
        return []
    found = [group.get("weights") for group in groups.values() if isinstance(group, dict)]
    return [weights for weights in found if isinstance(weights, dict)]


def _require(spec: ModelSpec, name: str) -> None:
    number_format = NUMBER_FORMATS.get(name)
    if not number_format:
        raise ModelUnavailable(
            "{name} stores its weights in the number format {format}, which is not read here. "
            "The bot's operator has to pick another version of the model.",
            name=spec.name,
            format=name,
        )
    if not all(map(_is_installed, number_format.modules)):
        raise ModelUnavailable(
            "{name} stores its weights in the number format {format}, and what reads it is not installed here. "
            "The bot's operator has to install it (`pip install {packages}`), or pick another version of the model.",
            name=spec.name,
            format=name,
            packages=number_format.packages,
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around the module
        return False
