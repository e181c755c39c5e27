"""What `quantize` and llama.cpp cost and save on the starter's text model: `python -m bench.quantization`.

It prints a Markdown table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

from inference.pipelines.causal_lm.batched_runner import BatchedRunner
from inference.pipelines.causal_lm.model_runner import ModelRunner
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.gguf_weights import read_gguf_model
from inference.pipelines.llama_cpp.library import Model, library_objection
from inference.pipelines.llama_cpp.runner import LlamaRunner
from inference.pipelines.prepacked_linear import prepack_linear_layers
from inference.pipelines.quantization import quantize_linear_layers
from inference.pipelines.weights import weight_bytes
from inference.types import ModelSpec, Quantize
from starter.smollm2 import find_gguf

_TEXT = (
    "The history of the river begins in the mountains. For many centuries the people who lived along its banks built "
    "boats, mills and bridges, and traded salt, wool and timber with the towns further down. In spring the water "
    "rises, and the fields are flooded for weeks; in summer children swim in it. A river is older than the cities on "
    "it, and it will be there when they are gone."
)
_ROWS = (1, 8, 16)
_STEPS = 24
_VARIANTS: tuple[tuple[torch.dtype, Quantize], ...] = (
    (torch.float32, "none"),
    (torch.bfloat16, "none"),
    (torch.bfloat16, "int8"),
    (torch.bfloat16, "int4"),
    (torch.float32, "int8"),
    (torch.float32, "int4"),
)


@torch.inference_mode()
def main(num_threads: int) -> None:
    torch.set_num_threads(num_threads)
    file = find_gguf()
    tokens = Tokenizer(file.parent, gguf_file=file.name).encode_prompt(_TEXT)
    reference: torch.Tensor | None = None
    print("| dtype, `quantize` | weights | error | same token | perplexity | tokens/s: 1, 8, 16 rows | 256 tokens |")
    print("|---|---|---|---|---|---|---|")
    for name, load in {**_TORCH, "llama.cpp": _load_llama_cpp}.items():
        runner, nbytes = load(file)
        cache = runner.new_cache(len(tokens))
        logits = torch.cat([runner.prefill([cache], [tokens[:1]]), runner.score(cache, tokens[1:])])
        reference = logits if reference is None else reference
        spread = (reference - reference.mean(1, keepdim=True)).norm(dim=1)
        error = float(((logits - reference).norm(dim=1) / spread).median())
        same = float((logits.argmax(1) == reference.argmax(1)).float().mean())
        perplexity = float(torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(tokens[1:])).exp())
        cache.clear()
        speeds = ", ".join(f"{_tokens_per_second(runner, tokens, rows):.0f}" for rows in _ROWS)
        prompt = _seconds(lambda runner=runner: runner.prefill([runner.new_cache(256)], [(tokens * 4)[:256]]), 3)
        print(
            f"| {name} | {nbytes / 1e6:.0f} MB | {error:.2f} | {same:.0%} | {perplexity:.1f} "
            f"| {speeds} | {prompt:.2f} s |",
            flush=True,
        )


def _load_torch(file: Path, dtype: torch.dtype, quantize: Quantize) -> tuple[ModelRunner[Any], int]:
    """Return the model as the bot runs it, and its size in bytes."""
    spec = ModelSpec(name=file.name, task="complete", repo=str(file.parent), file=file.name)
    model = read_gguf_model(spec, file.parent, Placement(torch.device("cpu"), dtype))
    quantize_linear_layers(model, quantize)
    prepack_linear_layers(model)
    return BatchedRunner(model, max(_ROWS)), weight_bytes(model)


def _load_llama_cpp(file: Path) -> tuple[ModelRunner[Any], int]:
    if objection := library_objection():
        sys.exit(f"llama.cpp can't be measured: {objection}.")
    model = Model(file)
    return LlamaRunner(model, max(_ROWS), torch.get_num_threads()), model.nbytes


_TORCH = {
    f"{str(dtype).removeprefix('torch.')}, {quantize}": partial(_load_torch, dtype=dtype, quantize=quantize)
    for dtype, quantize in _VARIANTS
}


def _tokens_per_second(runner: ModelRunner[Any], tokens: list[int], rows: int) -> float:
    caches = [runner.new_cache(32 + _STEPS) for _ in range(rows)]
    for cache in caches:
        runner.prefill([cache], [tokens[:32]])
    speed = rows / _seconds(lambda: runner.decode(caches, [tokens[32]] * rows), _STEPS)
    for cache in caches:
        cache.clear()
    return speed


def _seconds(call: Callable[[], object], count: int) -> float:
    """Return the median time of `count` calls."""
    times: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
