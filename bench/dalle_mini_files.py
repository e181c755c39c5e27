"""Write DALL·E mini at full size with random weights, in the published format, for machines without a download:

    python -m bench.dalle_mini_files FOLDER    # 2 GB; then HF_HOME=FOLDER python -m bench dalle-mini

Speed and memory do not depend on the weights' values, only the images do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from hashlib import sha1
from io import BufferedWriter
from math import prod
from pathlib import Path
from string import ascii_letters, digits, punctuation
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Tree = Mapping[str, "Tree | Shape"]

WIDTH, HIDDEN, LAYERS, TEXT, IMAGE = 1024, 2730, 12, 64, 256
TEXT_VOCABULARY, CODES = 50264, 16384
CHANNELS, LATENT = (128, 128, 256, 256, 512), 256

BART = {
    "model_type": "dallebart", "d_model": WIDTH, "encoder_vocab_size": TEXT_VOCABULARY, "image_vocab_size": CODES,
    "max_text_length": TEXT, "image_length": IMAGE, "ln_positions": "normformer", "use_glu": True, "use_bias": False,
    **{f"{half}_{name}": value for half in ("encoder", "decoder")
       for name, value in (("layers", LAYERS), ("attention_heads", 16), ("ffn_dim", HIDDEN))},
}  # fmt: skip
VQGAN = {
    "ch": 128, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2, "attn_resolutions": [16], "resolution": 256,
    "z_channels": LATENT, "embed_dim": LATENT, "n_embed": CODES, "out_ch": 3,
}  # fmt: skip


def write(home: Path) -> None:
    """Write both repositories to the hub cache below `home`."""
    bart = _snapshot(home, "dalle-mini/dalle-mini", BART, _bart())
    _write_tokenizer(bart)
    _snapshot(home, "dalle-mini/vqgan_imagenet_f16_16384", VQGAN, _vqgan())


def _snapshot(home: Path, repo: str, config: dict[str, Any], tree: Tree) -> Path:
    commit = sha1(repo.encode()).hexdigest()
    root = home / "hub" / f"models--{repo.replace('/', '--')}"
    folder = root / "snapshots" / commit
    folder.mkdir(parents=True, exist_ok=True)
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "flax_model.msgpack").open("wb") as file:
        _write_tree(file, tree, np.random.default_rng(0))
    return folder


def _write_tokenizer(folder: Path) -> None:
    """Write a tokenizer with one token per character."""
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokens = [*special.values(), "<mask>", "Ġ", *ascii_letters, *digits, *punctuation]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BartTokenizer", **special}))


# --- the trees --------------------------------------------------------------------------------


def _bart() -> Tree:
    norm: Tree = {"bias": (WIDTH,)}
    scaled: Tree = {"scale": (WIDTH,), "bias": (WIDTH,)}
    attention: Tree = {f"{name}_proj": {"kernel": (WIDTH, WIDTH)} for name in ("k", "out", "q", "v")}
    glu: Tree = {
        "Dense_0": {"kernel": (WIDTH, HIDDEN)},
        "Dense_1": {"kernel": (WIDTH, HIDDEN)},
        "Dense_2": {"kernel": (HIDDEN, WIDTH)},
        "LayerNorm_0": norm,
        "LayerNorm_1": {"bias": (HIDDEN,)},
    }
    encoder: Tree = {"FlaxBartAttention_0": attention, "GLU_0": glu, "LayerNorm_0": norm, "LayerNorm_1": scaled}
    decoder: Tree = {**encoder, "FlaxBartAttention_1": attention, "LayerNorm_2": norm, "LayerNorm_3": scaled}

    def stack(layer: Tree, kind: str, vocabulary: int, length: int) -> Tree:
        return {
            "embed_tokens": {"embedding": (vocabulary, WIDTH)},
            "embed_positions": {"embedding": (length, WIDTH)},
            "layernorm_embedding": scaled,
            "layers": {f"FlaxBart{kind}Layer_{i}": layer for i in range(LAYERS)},
            "final_ln": norm,
        }

    stacks = {
        "encoder": stack(encoder, "Encoder", TEXT_VOCABULARY, TEXT),
        "decoder": stack(decoder, "Decoder", CODES + 1, IMAGE),
    }
    return {"model": stacks, "lm_head": {"kernel": (WIDTH, CODES + 1)}}


def _vqgan() -> Tree:
    """Return the decoder. The published file also contains the encoder, which is never read."""
    top = CHANNELS[-1]
    levels: dict[str, Tree] = {}
    for i, (out, in_channels) in enumerate(zip(CHANNELS, (*CHANNELS[1:], top), strict=True)):
        level: dict[str, Tree] = {f"block_{j}": _block(in_channels if j == 0 else out, out) for j in range(3)}
        if i == len(CHANNELS) - 1:
            level |= {f"attn_{j}": _attention(out) for j in range(3)}
        levels[f"up_{i}"] = {**level, **({"upsample": {"conv": _conv(out, out)}} if i else {})}
    mid: Tree = {"block_1": _block(top, top), "attn_1": _attention(top), "block_2": _block(top, top)}
    ends: Tree = {"norm_out": _norm(CHANNELS[0]), "conv_out": _conv(CHANNELS[0], 3)}
    return {
        "quantize": {"embedding": {"embedding": (CODES, LATENT)}},
        "post_quant_conv": _conv(LATENT, LATENT, 1),
        "decoder": {"conv_in": _conv(LATENT, top), "mid": mid, **levels, **ends},
    }


def _conv(channels: int, out: int, size: int = 3) -> Tree:
    return {"kernel": (size, size, channels, out), "bias": (out,)}


def _norm(channels: int) -> Tree:
    return {"scale": (channels,), "bias": (channels,)}


def _block(channels: int, out: int) -> Tree:
    convs: Tree = {"norm1": _norm(channels), "conv1": _conv(channels, out)}
    shortcut: Tree = {"nin_shortcut": _conv(channels, out, 1)} if channels != out else {}
    return {**convs, "norm2": _norm(out), "conv2": _conv(out, out), **shortcut}


def _attention(channels: int) -> Tree:
    return {"norm": _norm(channels), **{name: _conv(channels, channels, 1) for name in ("q", "k", "v", "proj_out")}}


# --- MessagePack ------------------------------------------------------------------------------


def _write_tree(file: BufferedWriter, tree: Tree | Shape, random: np.random.Generator, name: str = "") -> None:
    if isinstance(tree, tuple):
        _write_array(file, tree, random, name)
        return
    file.write(b"\xdf" + len(tree).to_bytes(4, "big"))
    for key, subtree in tree.items():
        file.write(_text(key))
        _write_tree(file, subtree, random, key)


def _write_array(file: BufferedWriter, shape: Shape, random: np.random.Generator, name: str) -> None:
    """Write ones for scales, else small normal numbers, as flax does: extension 1 with shape, dtype and bytes."""
    values = random.standard_normal(shape, dtype=np.float32)
    values = (
        np.ones_like(values) if name == "scale" else values * (0.02 if len(shape) == 2 else prod(shape[:-1]) ** -0.5)
    )
    numbers = b"".join(b"\xce" + length.to_bytes(4, "big") for length in shape)
    size = b"\xc6" + values.nbytes.to_bytes(4, "big")
    header = b"\x93" + bytes([0x90 + len(shape)]) + numbers + _text("float32") + size
    file.write(b"\xc9" + (len(header) + values.nbytes).to_bytes(4, "big") + b"\x01" + header)
    file.write(values.data)


def _text(text: str) -> bytes:
    return b"\xd9" + bytes([len(text)]) + text.encode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("folder", type=Path, help="becomes HF_HOME")
    write(parser.parse_args().folder)
