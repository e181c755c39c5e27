"""Networks that are in a device's memory only while they work (`offload` in config.yaml).

On a GPU the others wait in main memory: diffusers does that. Where there is no other memory to wait in, they are read
from disk again when they work. A picture takes minutes there, and reading takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from transformers import PreTrainedModel

from inference.pipelines.devices import release_memory
from inference.pipelines.diffusion_memory import GROUP_SHARE
from inference.pipelines.weights import weight_bytes
from inference.types import Offload

_AUTOENCODERS = ("vae", "movq", "vqgan")

ReadNetwork = Callable[[], Any]
"""Reads a network from disk."""


class DiskOffload:
    """Networks of one pipeline that are read from disk when they work, and leave the memory when another one does.

    Text encoders stay together: a pipeline calls all of them for the prompt, and again for the negative prompt.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._read: dict[Any, ReadNetwork] = {}
        self._parameters: dict[Any, dict[str, torch.nn.Parameter]] = {}
        """The parameters by the names that they are read with: a LoRA changes the names of a network."""
        self._resident: set[Any] = set()
        self._sizes: dict[Any, int] = {}

    def device_bytes(self, networks: Sequence[Any]) -> int:
        """Return the most that `networks`, all of the pipeline, take of the device's memory at one time, in bytes."""
        encoders = sum(size for network, size in self._sizes.items() if _is_encoder(network))
        largest = max(encoders, *(size for network, size in self._sizes.items() if not _is_encoder(network)), 0)
        return largest + weight_bytes(*(network for network in networks if network not in self._sizes))

    def __contains__(self, network: Any) -> bool:
        """Return whether `network` leaves the memory when another one works."""
        return network in self._read

    def add(self, network: Any, read: ReadNetwork) -> None:
        """Take `network`, which was just read, out of memory until it works."""
        self._read[network] = read
        self._parameters[network] = dict(network.named_parameters())
        self._sizes[network] = weight_bytes(network)
        self._resident.add(network)
        self.release()
        _before_each_forward(network, partial(self._require, network))

    def attach(self, pipe: Any) -> None:
        """Take the networks out of memory when the autoencoder of their pipeline works, which itself stays there."""
        for name in _AUTOENCODERS:
            if isinstance(network := getattr(pipe, name, None), torch.nn.Module):
                _before_each_forward(network, self.release)

    def release(self) -> None:
        """Take all networks out of memory."""
        self._keep(set())

    def _require(self, network: Any) -> None:
        """Read `network` if it is not in memory. Others leave first, unless both are text encoders."""
        if network in self._resident:
            return
        self._keep({other for other in self._resident if _is_encoder(other)} if _is_encoder(network) else set())
        tensors = dict(self._read[network]().named_parameters())
        for name, parameter in self._parameters[network].items():
            parameter.data = tensors.pop(name).data
        self._resident.add(network)

    def _keep(self, kept: set[Any]) -> None:
        if not (leaving := self._resident - kept):
            return
        for network in leaving:
            for parameter in self._parameters[network].values():
                parameter.data = _placeholder(parameter.data)
        self._resident &= kept
        release_memory(self._device)


class MainMemoryOffload:
    """Networks of one pipeline that wait in main memory: whole ones ("model"), or the parts of each ("group").

    See https://huggingface.co/docs/diffusers/optimization/memory.
    """

    def __init__(self, device: torch.device, offload: Offload) -> None:
        self._device = device
        self._offload = offload
        self._pipe: Any = None

    def attach(self, pipe: Any) -> None:
        self._pipe = pipe
        if self._offload == "group":
            pipe.enable_group_offload(self._device, offload_type="leaf_level", use_stream=True)
        else:
            pipe.enable_model_cpu_offload(device=self._device)

    def device_bytes(self, networks: Sequence[Any]) -> int:
        """Return about the most that `networks`, all of the pipeline, take of the device's memory at one time."""
        if self._offload == "group":
            return int(GROUP_SHARE * weight_bytes(*networks))
        return max(map(weight_bytes, networks))

    def release(self) -> None:
        """Move all networks out of the device's memory. diffusers itself does so only if a call succeeds."""
        if self._pipe is not None:
            self._pipe.maybe_free_model_hooks()


NetworkOffload = DiskOffload | MainMemoryOffload


def offload_for(offload: Offload, device: torch.device) -> NetworkOffload | None:
    """Return what carries out `offload` on a device; None for "none"."""
    if offload in ("none", "auto"):
        return None
    return MainMemoryOffload(device, offload) if device.type == "cuda" else DiskOffload(device)


def _placeholder(data: torch.Tensor) -> torch.Tensor:
    """Return a tensor like `data` that takes no memory. LoRAs are compared with the shapes of the weights."""
    return data.new_empty(()).expand(data.shape)


def _is_encoder(network: Any) -> bool:
    return isinstance(network, PreTrainedModel)


def _before_each_forward(network: Any, call: Callable[[], None]) -> None:
    """Do `call` before a network or any part of it works: pipelines call some parts by themselves, as `vae.decode`."""
    for module in network.modules():
        module.register_forward_pre_hook(lambda *_: call())
