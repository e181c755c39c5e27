"""LoRA files: small changes to a model's weights that are put on for some pictures, and taken off again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inference.errors import GenerationFailed, InvalidRequest, OutOfMemory
from inference.loras import lora_and_weight
from inference.pipelines.base import translated

_ADAPTER = "lora"


class Wardrobe:
    """The LoRA files of a folder, for one pipeline: one worn at a time, none in memory while nobody draws."""

    def __init__(self, pipe: Any, folder: str) -> None:
        self._pipe = pipe
        self._folder = Path(folder)
        self._worn = ""

    def wear(self, lora: str) -> None:
        """Change into `lora`, "name" or "name:weight"; "" is none. Raises InvalidRequest for one that does not fit."""
        if lora == self._worn:
            return
        self.take_off()
        if lora:
            self._put_on(*lora_and_weight(lora))
            self._worn = lora

    def take_off(self) -> None:
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
            with translated():
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
