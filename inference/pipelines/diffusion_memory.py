"""How much memory a diffusers repository takes, from its settings files and the headers of its weights, without torch.

The sizes of the networks are counted. What drawing takes besides them is estimated: see `diffusion_activations.py`.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inference.hub import (
    CONFIG,
    INDEX,
    FolderLayout,
    checkpoint_file,
    components_of,
    file_names,
    loaded_size,
    read_settings,
)
from inference.pipelines.diffusion_activations import Activations
from inference.types import ModelSpec, Quantize

DENOISERS = ("transformer", "transformer_2", "unet")
"""The components that draw."""

GROUP_SHARE = 0.05
"""With `offload: group`, the share of the weights in a GPU's memory at one time: layers at work and the next."""

_UNDIVIDED = frozenset({"ConsistencyDecoderVAE", "DiTTransformer2DModel", "HunyuanDiT2DModel", "VQModel"})
"""Networks whose layers diffusers does not move one after another: `_supports_group_offloading` is False there."""

_LARGE = 5 * 10**8
"""The number of parameters from which a text encoder is quantized. A small one would save little and lose much."""

QUANTIZED_BYTES: Mapping[Quantize, float] = {"int8": 1, "fp8": 1, "int4": 0.57}
"""The size of a weight with `quantize`, with its share of the scales."""

_SHARE_IN_BLOCKS = {"unet": 0.6}
"""The share of the parameters that `quantize` makes small, by component, where no header tells: 0.31 in the UNet of
Stable Diffusion 1, 0.87 in that of XL."""
_USUAL_SHARE = 0.95

_IN_CHECKPOINT = (
    (("first_stage_model.", "vae."), "vae"),
    (("cond_stage_model.", "conditioner.", "text_encoders."), "text_encoder"),
    (("model_ema.",), ""),
)
"""Starts of the names of tensors in a file with a whole model, and the component; empty for what is not read."""


@dataclass(frozen=True, slots=True)
class Network:
    """The size of a component: its parameters, and those of them that `quantize` makes small.

    `stored_bytes` are those of weights that stay as they are in the file. With `offload`, one that `is_offloaded` is
    read from disk each time it works. On a GPU, others leave its memory too: see `can_be_offloaded`.
    """

    name: str
    num_parameters: int
    num_in_blocks: int = 0
    stored_bytes: int = 0
    is_offloaded: bool = False

    def nbytes(self, itemsize: int, quantize: Quantize) -> int:
        """Return the size in memory in bytes. `itemsize` is that of a number which is not quantized."""
        small = 0 if quantize == "none" or not is_quantizable(self.name, self.num_parameters) else self.num_in_blocks
        ordinary = (self.num_parameters - small) * itemsize
        return self.stored_bytes + ordinary + int(small * QUANTIZED_BYTES.get(quantize, 0))


def is_quantizable(component: str, num_parameters: int) -> bool:
    """Return whether `quantize` makes the linear layers of a component small."""
    return component in DENOISERS or (component.startswith("text_encoder") and num_parameters >= _LARGE)


def can_be_offloaded(component: str) -> bool:
    """Return whether `offload` keeps a component out of memory while it does not work.

    Autoencoders are small, and safety checkers also check the previews, in the middle of the work of another network.
    """
    return component in DENOISERS or component.startswith(("text_encoder", "image_encoder"))


def undivided_network(spec: ModelSpec, folder: Path) -> str:
    """Return the class of a network in the repository with which `offload: group` is not possible; "" if all can do it.

    Raise ModelUnavailable if a settings file is damaged.
    """
    index = read_settings(spec, folder, INDEX)
    return next((index[name][-1] for name in components_of(index) if index[name][-1] in _UNDIVIDED), "")


def is_in_block(layer: str) -> bool:
    """Return whether a layer is in one of a network's many blocks, by its name, such as "blocks.0.attn.to_q".

    Only these are quantized. The others, at the beginning and the end, are few, and need more digits.
    """
    return any(part.isdigit() for part in layer.split("."))


def diffusion_bytes(spec: ModelSpec, folder: Path, nbytes: int, itemsize: int, device: str = "") -> int:
    """Return how much memory loading and drawing with the repository in `folder` takes at most, in bytes.

    `nbytes` is the size of all files, with those of companions. `itemsize` is the size of a number in bytes.
    Raise ModelUnavailable if a settings file is damaged.
    """
    networks = networks_in(spec, folder)
    own = sum(size for _, size in spec.weight_files) or loaded_size(folder, spec.file)
    companions = max(nbytes - own, 0) // 4 * itemsize
    activations = Activations.of(spec, folder, itemsize, device)
    sizes = [(network, network.nbytes(itemsize, spec.quantize)) for network in networks]
    if spec.offload == "group":
        return companions + activations.nbytes + int(GROUP_SHARE * sum(size for _, size in sizes))
    if spec.offload == "model":
        if device == "cuda":  # there diffusers moves networks, however they were read
            sizes = [(replace(network, is_offloaded=can_be_offloaded(network.name)), size) for network, size in sizes]
        return companions + _offloaded_bytes(sizes, activations)
    working = sum(size for _, size in sizes) + activations.nbytes
    return companions + max(working, _loading_bytes(networks, itemsize, spec.quantize) + activations.libraries)


def network_bytes(spec: ModelSpec, folder: Path, itemsize: int) -> int:
    """Return how much memory the weights of all networks take, in bytes. `itemsize` is the size of a number."""
    return sum(network.nbytes(itemsize, spec.quantize) for network in networks_in(spec, folder))


def _offloaded_bytes(sizes: Iterable[tuple[Network, int]], activations: Activations) -> int:
    """Return the peak if only networks that work together are in memory: encoders, each one that draws, and none."""
    always = encoders = drawing = 0
    for network, size in sizes:
        if not network.is_offloaded:
            always += size
        elif network.name in DENOISERS:
            drawing = max(drawing, size)
        else:
            encoders += size
    return always + max(encoders, drawing + activations.step, activations.decoding) + activations.libraries


def _loading_bytes(networks: Iterable[Network], itemsize: int, quantize: Quantize) -> int:
    """Return the peak while the networks are read: most are quantized after they were read in ordinary numbers.

    Those that draw are quantized layer by layer, if they are read from their own folder.
    """
    loaded = peak = 0
    for network in sorted(networks, key=lambda network: (network.name in DENOISERS, network.name)):
        small = network.nbytes(itemsize, quantize)
        by_layer = network.name in DENOISERS and network.is_offloaded
        peak = max(peak, loaded + (small if by_layer else network.nbytes(itemsize, "none")))
        loaded += small
    return peak


def networks_in(spec: ModelSpec, folder: Path) -> list[Network]:
    """Return the networks that loading reads. Their files may be missing, if the spec has their sizes."""
    names, layout = file_names(folder), FolderLayout.of(folder, spec.file)
    sizes = dict(spec.weight_files) or {name: (folder / name).stat().st_size for name in layout.weights(names)}
    networks = _networks_in_file(spec, folder, sizes) if spec.file else []
    replaced = {network.name for network in networks}
    if "vae" in replaced:
        replaced |= {name for name in layout.components if name.startswith("text_encoder")}
    usual = _stored_itemsize(spec, folder, layout.components, sizes)
    for component in layout.components:
        files = [name for name in sizes if name.startswith(f"{component}/") and not name.endswith(".json")]
        if files and component not in replaced:
            networks.append(_network(component, folder, {name: sizes[name] for name in files}, usual))
    return networks


def _network(component: str, folder: Path, sizes: Mapping[str, int], itemsize: int) -> Network:
    """Return the size of one component from its headers, or else from the sizes of its files."""
    headers = [_header(folder / name) for name in sizes]
    if all(headers):
        counted = _counted(component, {name: shape for header in headers for name, shape in header.items()})
        return replace(counted, is_offloaded=can_be_offloaded(component))
    num_parameters = sum(sizes.values()) // itemsize
    in_blocks = int(num_parameters * _SHARE_IN_BLOCKS.get(component, _USUAL_SHARE))
    offloaded = can_be_offloaded(component) and all(name.endswith(".safetensors") for name in sizes)
    return Network(component, num_parameters, in_blocks, is_offloaded=offloaded)


def _counted(component: str, shapes: Mapping[str, list[int]]) -> Network:
    in_blocks = (
        math.prod(shape)
        for name, shape in shapes.items()
        if len(shape) == 2 and name.endswith(".weight") and is_in_block(name)
    )
    return Network(component, sum(map(math.prod, shapes.values())), sum(in_blocks))


def _networks_in_file(spec: ModelSpec, folder: Path, sizes: Mapping[str, int]) -> list[Network]:
    """Return the networks in the file that the spec names: a whole model, or the network that draws."""
    name = spec.file if spec.file.startswith("/") else checkpoint_file(sizes, spec.file)
    components = components_of(read_settings(spec, folder, INDEX))
    denoiser = next((each for each in DENOISERS if each in components), DENOISERS[0])
    file = folder / name  # which is the file itself if its path is absolute
    nbytes = sizes.get(name) or (file.stat().st_size if file.is_file() else 0)
    if name.endswith(".gguf"):
        return [Network(denoiser, 0, stored_bytes=nbytes)]
    if not (shapes := _header(file)):
        return [Network(denoiser, nbytes // 2, int(nbytes // 2 * _USUAL_SHARE))]
    grouped: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
    for tensor, shape in shapes.items():
        component = next((each for starts, each in _IN_CHECKPOINT if tensor.startswith(starts)), denoiser)
        grouped[component][tensor] = shape
    return [_counted(component, each) for component, each in grouped.items() if component]


def _header(file: Path) -> dict[str, list[int]]:
    """Return the shapes of the tensors of a safetensors file by name; empty if it is missing, damaged or another."""
    if file.suffix != ".safetensors" or not file.is_file():
        return {}
    try:
        with file.open("rb") as stream:
            header: dict[str, Any] = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, OverflowError, MemoryError):
        return {}  # loading says so


def _stored_itemsize(spec: ModelSpec, folder: Path, components: Iterable[str], sizes: Mapping[str, int]) -> int:
    """Return the bytes of a number in files without a header, from the largest text encoder; 4 if nothing tells.

    Only the config of an encoder says how many parameters it has. `dtype` in it is that of another variant in some
    repositories, such as SDXL's.
    """
    best, itemsize = 0, 4
    for component in components:
        stored = sum(
            size for name, size in sizes.items() if name.startswith(f"{component}/") and not name.endswith(".json")
        )
        expected = _encoder_parameters(read_settings(spec, folder, f"{component}/{CONFIG}"))
        if expected > best and stored:
            best, itemsize = expected, min((4, 2, 1), key=lambda each: abs(math.log(stored / (expected * each))))
    return itemsize


def _encoder_parameters(config: Mapping[str, Any]) -> int:
    """Return about how many parameters a text encoder of transformers has, by its config; 0 if that does not tell."""
    config = {**config, **(config.get("text_config") or {})}

    def number(*names: str) -> int:
        return next((config[name] for name in names if isinstance(config.get(name), int)), 0)

    width, inner = number("hidden_size", "d_model"), number("intermediate_size", "d_ff")
    layers, words = number("num_hidden_layers", "num_layers"), number("vocab_size")
    gated = "gated" in str(config.get("feed_forward_proj")) or config.get("hidden_act") == "silu"
    if not all((width, inner, layers, words)):
        return 0
    attention = 4 * width * (number("num_heads") * number("d_kv") or width)
    return words * width + layers * (attention + (3 if gated else 2) * width * inner)
