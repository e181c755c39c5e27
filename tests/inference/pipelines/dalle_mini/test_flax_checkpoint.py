"""What DALL·E mini reads: Flax checkpoints, and prompts in the form of the captions that it learned from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inference.pipelines.dalle_mini.flax_checkpoint import read_flax
from inference.pipelines.dalle_mini.prompt_tokenizer import HashtagSplitter, PromptTokenizer
from inference.text.prompt_normalization import normalize
from tests.inference.pipelines.tiny_dalle import DATA, save_tokenizer

# --- checkpoints ------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return bytes([0xD9, len(value)]) + value.encode()


def mapping(entries: dict[str, bytes]) -> bytes:
    return bytes([0x80 + len(entries)]) + b"".join(text(key) + value for key, value in entries.items())


def array(values: torch.Tensor) -> bytes:
    """As flax writes one: extension 1 around shape, number format, bytes."""
    data = values.numpy().tobytes()
    shape = bytes([0x90 + values.ndim, *values.shape])
    inside = b"\x93" + shape + text(str(values.dtype).removeprefix("torch.")) + b"\xc4" + bytes([len(data)]) + data
    return b"\xc7" + bytes([len(inside)]) + b"\x01" + inside


def chunked(values: torch.Tensor, size: int) -> bytes:
    """As flax writes one that is larger than a gibibyte, but in pieces of `size` numbers."""
    shape = {str(i): bytes([length]) for i, length in enumerate(values.shape)}
    chunks = {str(i): array(chunk) for i, chunk in enumerate(values.flatten().split(size))}
    return mapping({"__msgpack_chunked_array__": b"\xc3", "shape": mapping(shape), "chunks": mapping(chunks)})


def tensors(file: Path, content: bytes, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    file.write_bytes(content)
    return dict(read_flax(file, lambda _: dtype))


def test_kernels_become_weights_and_numbers_in_names_folders(tmp_path: Path) -> None:
    dense, conv = torch.arange(6.0).view(2, 3), torch.arange(8.0).view(1, 2, 2, 2)
    content = mapping(
        {"block_1": mapping({"Dense_0": mapping({"kernel": array(dense), "bias": array(dense[0])})})}
        | {"conv1": mapping({"kernel": array(conv)}), "norm": mapping({"scale": array(dense[1])})}
    )
    found = tensors(tmp_path / "tree", content)
    assert list(found) == ["block.1.Dense.0.weight", "block.1.Dense.0.bias", "conv1.weight", "norm.weight"]
    assert torch.equal(found["block.1.Dense.0.weight"], dense.T)
    assert torch.equal(found["conv1.weight"], conv.permute(3, 2, 0, 1))
    assert found["conv1.weight"].is_contiguous()


def test_an_array_in_chunks_is_put_together(tmp_path: Path) -> None:
    values = torch.arange(30.0).view(5, 6)
    found = tensors(
        tmp_path / "tree", mapping({"codes": mapping({"embedding": chunked(values, 8)}), "b": array(values)})
    )
    assert torch.equal(found["codes.weight"], values)
    assert torch.equal(found["b"], values)


def test_numbers_arrive_in_the_format_that_is_wanted_and_what_is_not_wanted_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "tree").write_bytes(mapping({"a": array(torch.ones(3)), "b": array(torch.ones(4).half())}))
    found = dict(read_flax(tmp_path / "tree", lambda name: torch.bfloat16 if name == "b" else None))
    assert list(found) == ["b"]
    assert torch.equal(found["b"], torch.ones(4, dtype=torch.bfloat16))


@pytest.mark.parametrize("cut", [0, 1, 5, 100, 4_000_000])
def test_a_file_that_is_cut_off_is_an_error(tmp_path: Path, cut: int) -> None:
    with pytest.raises(OSError, match="ends before its last"):
        tensors(tmp_path / "tree", (DATA / "vqgan" / "flax_model.msgpack").read_bytes()[:cut])


@pytest.mark.parametrize("content", [b"\x93\x01\x02\x03", b"version https://git-lfs.github.com/spec/v1\n", b"\xc0"])
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(OSError, match=r"no Flax checkpoint|something else"):
        tensors(tmp_path / "tree", content)


# --- words ------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path) -> HashtagSplitter:
    file = tmp_path / "enwiki-words-frequency.txt"
    file.write_text("the 100\nocean 50\nwhite 40\nwhit 3\neocean 1\n")
    return HashtagSplitter(file)


@pytest.mark.parametrize(
    ("prompt", "plain"),
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
def test_a_prompt_is_put_into_the_form_of_the_captions(words: HashtagSplitter, prompt: str, plain: str) -> None:
    assert normalize(prompt, words.split) == plain


def test_a_prompt_full_of_gaps_is_read_without_delay(words: HashtagSplitter) -> None:
    assert normalize("a" + "\t " * 200_000 + "fox", words.split) == " a fox"


def test_without_a_list_of_words_a_hashtag_is_one_word(tmp_path: Path) -> None:
    assert normalize("#whiteocean", HashtagSplitter(tmp_path / "missing.txt").split) == " whiteocean"


def test_tokens_are_filled_up_and_cut_off_to_the_models_length(tmp_path: Path) -> None:
    save_tokenizer(tmp_path)
    tokenizer = PromptTokenizer(tmp_path, 6)
    assert tokenizer.tokenize("").mask == (1, 1, 0, 0, 0, 0)
    whole, long = tokenizer.tokenize("Cat"), tokenizer.tokenize("cat abcdef")
    assert (len(whole.tokens), whole.mask, whole.truncated) == (6, (1, 1, 1, 0, 0, 0), "")
    assert (len(long.tokens), long.mask) == (6, (1, 1, 1, 1, 1, 1))
    assert long.truncated == "cdef"
