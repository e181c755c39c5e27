"""The formats of weights that are not read here, so that a refusal can name what a repository has instead.

To load one of them, read it in `inference/pipelines`, add its files to `repository_files.py`, and remove it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from inference.types.errors import Phrase, join_phrases

_FORMATS = (
    (Phrase("a GGUF model in several files"), r"-\d{5}-of-\d{5}\.gguf$"),
    (Phrase("Flax weights"), r"(^|/)flax_model.*\.msgpack(\.index\.json)?$"),
    (Phrase("TensorFlow weights"), r"(^|/)tf_model.*\.h5(\.index\.json)?$|saved_model\.pb$|\.ckpt\.(index|data-.*)$"),
    (Phrase("ONNX files"), r"\.onnx$"),
    (Phrase("an adapter (LoRA) for another model"), r"(^|/)(adapter_model|pytorch_lora_weights)\.(safetensors|bin)$"),
    (Phrase("a part of sharded weights"), r"-\d{5}-of-\d{5}\.(safetensors|bin)$"),
    (Phrase("a checkpoint in a single file"), r"^[^/]*\.(safetensors|ckpt|pt|pth)$|^[^/]*\.bin$"),
)
"""A description, and a pattern for the names of the files. The first pattern that a file matches counts."""

_NO_WEIGHTS = re.compile(r"(^|/)(training_args|optimizer|scheduler|rng_state.*|scaler)\.(bin|pt|pth)$")


def formats_found(names: Iterable[str]) -> Phrase | None:
    """Return a description of the formats of these files, without those that are read here; None if there are none."""
    weights = [name for name in names if not _NO_WEIGHTS.search(name)]
    found = {_description(name): None for name in weights}
    descriptions = [description for description, _ in _FORMATS if description in found]
    return join_phrases(descriptions, ", ") if descriptions else None


def _description(name: str) -> Phrase | None:
    return next((description for description, pattern in _FORMATS if re.search(pattern, name)), None)
