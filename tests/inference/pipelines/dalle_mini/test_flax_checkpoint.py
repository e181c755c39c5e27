"""Test reading Flax checkpoints, and normalizing prompts like the captions that DALL·E mini was trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference.pipelines.dalle_mini.flax_checkpoint import read_flax
from inference.pipelines.dalle_mini.prompt_tokenizer import HashtagSplitter, PromptTokenizer
from inference.text.prompt_normalization import normalize
from tests.inference.pipelines.tiny_dalle import DATA, save_tokenizer

# --- checkpoints ------------------------------------------------------------------------------


def pack_str(value: str) -> bytes:
    return bytes([0xD9, len(value)]) + value.encode()


def pack_map(entries: dict[str, bytes]) -> bytes:
    return bytes([0x80 + len(entries)]) + b"".join(pack_str(key) + value for key, value in entries.items())


def pack_array(values: torch.Tensor) -> bytes:
    """Encode an array like flax: extension type 1 with shape, dtype and bytes."""
    data = values.numpy().tobytes()
    shape = bytes([0x90 + values.ndim, *values.shape])
    inside = b"\x93" + shape + pack_str(str(values.dtype).removeprefix("torch.")) + b"\xc4" + bytes([len(data)]) + data
    return b"\xc7" + bytes([len(inside)]) + b"\x01" + inside


def pack_chunked(values: torch.Tensor, size: int) -> bytes:
    """Encode an array in chunks of `size` numbers, like flax does for arrays above one GiB."""
    shape = {str(i): bytes([length]) for i, length in enumerate(values.shape)}
    chunks = {str(i): pack_array(chunk) for i, chunk in enumerate(values.flatten().split(size))}
    return pack_map({"__msgpack_chunked_array__": b"\xc3", "shape": pack_map(shape), "chunks": pack_map(chunks)})


def read_tensors(file: Path, content: bytes, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    file.write_bytes(content)
    return dict(read_flax(file, lambda _: dtype))


def test_kernels_become_weights_and_numbers_in_names_become_modules(tmp_path: Path) -> None:
    dense, conv = torch.arange(6.0).view(2, 3), torch.arange(8.0).view(1, 2, 2, 2)
    content = pack_map(
        {"block_1": pack_map({"Dense_0": pack_map({"kernel": pack_array(dense), "bias": pack_array(dense[0])})})}
        | {"conv1": pack_map({"kernel": pack_array(conv)}), "norm": pack_map({"scale": pack_array(dense[1])})}
    )
    tensors = read_tensors(tmp_path / "tree", content)
    assert list(tensors) == ["block.1.Dense.0.weight", "block.1.Dense.0.bias", "conv1.weight", "norm.weight"]
    assert torch.equal(tensors["block.1.Dense.0.weight"], dense.T)
    assert torch.equal(tensors["conv1.weight"], conv.permute(3, 2, 0, 1))
    assert tensors["conv1.weight"].is_contiguous()


def test_a_chunked_array_is_joined(tmp_path: Path) -> None:
    values = torch.arange(30.0).view(5, 6)
    content = pack_map({"codes": pack_map({"embedding": pack_chunked(values, 8)}), "b": pack_array(values)})
    tensors = read_tensors(tmp_path / "tree", content)
    assert torch.equal(tensors["codes.weight"], values)
    assert torch.equal(tensors["b"], values)


def test_arrays_are_converted_to_the_requested_dtype_and_others_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "tree").write_bytes(pack_map({"a": pack_array(torch.ones(3)), "b": pack_array(torch.ones(4).half())}))
    tensors = dict(read_flax(tmp_path / "tree", lambda name: torch.bfloat16 if name == "b" else None))
    assert list(tensors) == ["b"]
    assert torch.equal(tensors["b"], torch.ones(4, dtype=torch.bfloat16))


@pytest.mark.parametrize("cut", [0, 1, 5, 100, 4_000_000])
def test_a_truncated_file_is_an_error(tmp_path: Path, cut: int) -> None:
    with pytest.raises(OSError, match="ends before its last"):
        read_tensors(tmp_path / "tree", (DATA / "vqgan" / "flax_model.msgpack").read_bytes()[:cut])


@pytest.mark.parametrize("content", [b"\x93\x01\x02\x03", b"version https://git-lfs.github.com/spec/v1\n", b"\xc0"])
def test_a_file_in_another_format_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(OSError, match=r"no Flax checkpoint|something else"):
        read_tensors(tmp_path / "tree", content)


# --- prompts ----------------------------------------------------------------------------------


@pytest.fixture
def splitter(tmp_path: Path) -> HashtagSplitter:
    file = tmp_path / "enwiki-words-frequency.txt"
    file.write_text("the 100\nocean 50\nwhite 40\nwhit 3\neocean 1\n")
    return HashtagSplitter(file)


@pytest.mark.parametrize(
    ("prompt", "normalized"),
    [
        ("An Armchair, in the SHAPE of an avocado!", " an armchair, in the shape of an avocado"),
        ("Café Müller – “naïve” Œuvre", ' cafe muller, " naive " oeuvre'),
        ("10,000 birds, 3.5 m up on 1/2 a.m", " 10000 birds, 3.5 m up on 1/2 a.m"),
        ("it's the cats' mid-day (see https://example.org/x)", " it's the cats \" mid day, see"),
        ("cats/dogs & 50% more", " cats, dogs & 50 % more"),
        ("so coooool, XVIII", " so col, xviii"),
        ("<b>bold</b> &amp; snake_case", " bold & snake case"),
        ("a #WhiteOcean #zzyzx", " a white ocean zzyzx"),
        ("...", " "),
    ],
)
def test_a_prompt_is_normalized_like_the_captions(splitter: HashtagSplitter, prompt: str, normalized: str) -> None:
    assert normalize(prompt, splitter.split) == normalized


def test_a_prompt_with_many_spaces_is_normalized_in_time(splitter: HashtagSplitter) -> None:
    assert normalize("a" + "\t " * 200_000 + "fox", splitter.split) == " a fox"


def test_without_a_word_list_a_hashtag_is_not_split(tmp_path: Path) -> None:
    assert normalize("#whiteocean", HashtagSplitter(tmp_path / "missing.txt").split) == " whiteocean"


def test_tokens_are_padded_and_truncated_to_the_models_length(tmp_path: Path) -> None:
    save_tokenizer(tmp_path)
    tokenizer = PromptTokenizer(tmp_path, 6)
    assert tokenizer.tokenize("").mask == (1, 1, 0, 0, 0, 0)
    whole, long = tokenizer.tokenize("Cat"), tokenizer.tokenize("cat abcdef")
    assert (len(whole.tokens), whole.mask, whole.truncated) == (6, (1, 1, 1, 0, 0, 0), "")
    assert (len(long.tokens), long.mask) == (6, (1, 1, 1, 1, 1, 1))
    assert long.truncated == "cdef"
