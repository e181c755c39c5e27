"""A tiny DALL·E mini repository: the reference checkpoint in `data/dalle_mini`, and a tokenizer of single letters.

The reference is a tiny model with random weights. The original JAX code saved it in the published format, and
computed the values in `expected.npz` with it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from string import ascii_lowercase, digits

import numpy as np
import torch

DATA = Path(__file__).parent / "data" / "dalle_mini"

_SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}


def expected() -> dict[str, torch.Tensor]:
    """Return the values that the original code computes, by their names in `expected.npz`."""
    with np.load(DATA / "expected.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


def save_dalle_mini(folder: Path, *, stacked: bool = False) -> Path:
    """Save a complete repository in `folder`, with the image decoder in its subfolder `vqgan`."""
    shutil.copytree(DATA / ("bart_stacked" if stacked else "bart"), folder, dirs_exist_ok=True)
    shutil.copytree(DATA / "vqgan", folder / "vqgan", dirs_exist_ok=True)
    save_tokenizer(folder)
    return folder


def save_tokenizer(folder: Path) -> None:
    """Save a tokenizer with one token per letter and a token for `cat`, in the format of the published files."""
    tokens = [*_SPECIAL.values(), *ascii_lowercase, *digits, ",", '"', "'", ".", "/", "%", "Ġ", "Ġc", "at", "Ġcat"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nĠ c\na t\nĠc at\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BartTokenizer", **_SPECIAL}))
