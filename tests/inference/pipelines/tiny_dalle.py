"""A repository of DALL·E mini's kind, from the reference checkpoint in `data/dalle_mini` and a tokenizer of letters.

The reference is a tiny model with random weights, saved by the original's JAX code in the published format;
`expected.npz` holds what that code computes from it.
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
    """What the original computes, by the names of `expected.npz`."""
    with np.load(DATA / "expected.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


def save_dalle_mini(folder: Path, *, stacked: bool = False) -> Path:
    """A whole repository in `folder`, its image decoder in the folder `vqgan` below."""
    shutil.copytree(DATA / ("bart_stacked" if stacked else "bart"), folder, dirs_exist_ok=True)
    shutil.copytree(DATA / "vqgan", folder / "vqgan", dirs_exist_ok=True)
    save_tokenizer(folder)
    return folder


def save_tokenizer(folder: Path) -> None:
    """One token a letter, and `cat`; written as the published files are."""
    tokens = [*_SPECIAL.values(), *ascii_lowercase, *digits, ",", '"', "'", ".", "/", "%", "Ġ", "Ġc", "at", "Ġcat"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nĠ c\na t\nĠc at\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BartTokenizer", **_SPECIAL}))
