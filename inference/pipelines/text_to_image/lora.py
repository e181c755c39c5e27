"""LoRA adapters: small changes to a model's weights, loaded for some images and unloaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.hub.loras import lora_and_weight
from inference.pipelines.pipeline import wrap_library_errors
from inference.types.errors import GenerationFailed, InvalidRequest, OutOfMemory

_ADAPTER = "lora"


class LoraAdapters:
    """The LoRA files of a folder, for one pipeline. At most one is active, and none stays loaded between batches."""

    def __init__(self, pipe: Any, folder: str) -> None:
        self._pipe = pipe
        self._folder = Path(folder)
        self._active = ""

    def activate(self, lora: str) -> None:
        """Activate `lora`, "name" or "name:weight"; "" for none. Raise InvalidRequest if it does not fit the model."""
        if lora == self._active:
            return
        self.deactivate()
        if lora:
            self._activate(*lora_and_weight(lora))
            self._active = lora

    def deactivate(self) -> None:
        """Unload the active LoRA. The model is exactly as before."""
        if self._active:
            self._pipe.unload_lora_weights()
        self._active = ""

    def _activate(self, name: str, weight: float) -> None:
        if not hasattr(self._pipe, "load_lora_weights"):
            raise InvalidRequest("This model takes no LoRA. Leave it out, or choose another model.")
        if not (self._folder / f"{name}.safetensors").is_file():
            raise InvalidRequest(
                "The LoRA {name!r} is not there any more. Choose another one, or none.", name=name[:80]
            )
        try:
            with wrap_library_errors():
                self._load(name, weight)
        except GenerationFailed as error:
            self._pipe.unload_lora_weights()
            if isinstance(error, OutOfMemory):
                raise
            raise InvalidRequest(
                "The LoRA {name!r} does not fit this model. Choose the model it was made for, or another LoRA.",
                name=name[:80],
            ) from error

    def _load(self, name: str, weight: float) -> None:
        self._pipe.load_lora_weights(
            self._folder, weight_name=f"{name}.safetensors", adapter_name=_ADAPTER, local_files_only=True
        )
        self._pipe.set_adapters([_ADAPTER], [weight])  # raises if no weight of the file was used
