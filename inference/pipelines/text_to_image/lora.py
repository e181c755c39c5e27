"""LoRA files: small changes to a model's weights that are put on for some pictures, and taken off again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.hub.loras import lora_and_weight
from inference.pipelines.pipeline import wrap_library_errors
from inference.types.errors import GenerationFailed, InvalidRequest, OutOfMemory

_ADAPTER = "lora"


class LoraAdapters:
    """The LoRA files of a folder, for one pipeline: one worn at a time, none in memory while nobody draws."""

    def __init__(self, pipe: Any, folder: str) -> None:
        self._pipe = pipe
        self._folder = Path(folder)
        self._worn = ""

    def activate(self, lora: str) -> None:
        """Change into `lora`, "name" or "name:weight"; "" is none. Raises InvalidRequest for one that does not fit."""
        if lora == self._worn:
            return
        self.deactivate()
        if lora:
            self._put_on(*lora_and_weight(lora))
            self._worn = lora

    def deactivate(self) -> None:
        """Leave the model as it was, to the bit."""
        if self._worn:
            self._pipe.unload_lora_weights()
        self._worn = ""

    def _put_on(self, name: str, weight: float) -> None:
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
        self._pipe.set_adapters([_ADAPTER], [weight])  # raises where no weight of the file had a place
