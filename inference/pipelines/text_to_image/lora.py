"""LoRA adapters: small changes to a model's weights, loaded for some images and unloaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.hub.loras import loras_and_weights
from inference.pipelines.openvino_network import OpenVinoNetwork
from inference.pipelines.pipeline import wrap_library_errors
from inference.pipelines.quantization import is_quantized
from inference.types.errors import GenerationFailed, InvalidRequest, OutOfMemory


class LoraAdapters:
    """The LoRA files of a folder, for one pipeline. None stays loaded between batches."""

    def __init__(self, pipe: Any, folder: str) -> None:
        self._pipe = pipe
        self._folder = Path(folder)
        self._active = ""

    def activate(self, loras: str) -> None:
        """Activate `loras`, "name" or "name, other:0.8"; "" for none.

        Raise InvalidRequest if one does not fit the model.
        """
        if loras == self._active:
            return
        self.deactivate()
        if loras:
            self._activate(dict(loras_and_weights(loras)))
            self._active = loras

    def deactivate(self) -> None:
        """Unload the active LoRAs. The model is exactly as before."""
        if self._active:
            self._pipe.unload_lora_weights()
        self._active = ""

    def _activate(self, weights: dict[str, float]) -> None:
        if not hasattr(self._pipe, "load_lora_weights"):
            raise InvalidRequest("This model takes no LoRA. Leave it out, or choose another model.")
        if isinstance(getattr(getattr(self._pipe, "unet", None), "network", None), OpenVinoNetwork):
            raise InvalidRequest(
                "This model takes no LoRA, since OpenVINO runs it. Leave it out, or choose another model. The bot's "
                "operator can set `runtime: torch` for this one."
            )
        if is_quantized(getattr(self._pipe, "unet", None) or getattr(self._pipe, "transformer", None)):
            raise InvalidRequest(
                "This model takes no LoRA, since its weights are quantized. Leave it out, or choose another model. The "
                "bot's operator can give this one more memory, and remove `quantize`."
            )
        adapters = [f"lora{index}" for index in range(len(weights))]
        for adapter, name in zip(adapters, weights, strict=True):
            self._load(adapter, name)
        self._pipe.set_adapters(adapters, [*weights.values()])

    def _load(self, adapter: str, name: str) -> None:
        """Load one file. If it can't be used, unload all."""
        if not (self._folder / f"{name}.safetensors").is_file():
            self._pipe.unload_lora_weights()
            raise InvalidRequest(
                "The LoRA {name!r} is not there any more. Choose another one, or none.", name=name[:80]
            )
        try:
            with wrap_library_errors():
                self._pipe.load_lora_weights(
                    self._folder, weight_name=f"{name}.safetensors", adapter_name=adapter, local_files_only=True
                )
                self._pipe.set_adapters([adapter])  # raises if no weight of the file was used
        except GenerationFailed as error:
            self._pipe.unload_lora_weights()
            if isinstance(error, OutOfMemory):
                raise
            raise InvalidRequest(
                "The LoRA {name!r} does not fit this model. Choose the model it was made for, or another LoRA.",
                name=name[:80],
            ) from error
