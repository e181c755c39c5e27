"""A GPU compared with stock transformers, stock diffusers, and vLLM if it is installed: `python -m bench.gpu`.

It begins no part after 7 minutes; a part itself, vLLM's included, has no limit. It needs no network and no files:
apart from SmolLM2, which comes with the starter, all models are built here, at full size and with random weights.
Without CUDA, or with `--tiny`, tiny models run on the CPU, which
shows only that everything works. Prints a Markdown table, and all figures as one line of JSON.

Texts are measured at the runner, without sampling, and greedily, so that tokens can be compared with those of
`generate`. In half precision other kernels round otherwise, so some of them may differ; a text alone and in company
must be the same.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    StoppingCriteria,
)

from bench.gpu_comparison import Comparison, Peak, Sizes
from bench.gpu_pictures import compare_pictures
from inference import ModelSpec
from inference.pipelines.causal_lm.batched_attention import PooledRunner
from inference.pipelines.causal_lm.batched_runner import BatchedRunner
from inference.pipelines.causal_lm.probe import choose_runner
from inference.pipelines.devices import Placement, place
from inference.pipelines.gguf_weights import read_gguf_model
from starter.smollm2 import find_gguf, is_installed

_LIMIT = 7 * 60
"""Seconds after which no other part begins."""

_STREAMS = 16


@dataclass(frozen=True, slots=True)
class Texts:
    """Seconds until every text has its first token (`first`), and until all are complete; and the new tokens."""

    first: float
    all: float
    tokens: list[list[int]]

    @property
    def speed(self) -> float:
        """New tokens per second."""
        return sum(map(len, self.tokens)) / self.all


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__, allow_abbrev=False)
    parser.add_argument("--tiny", action="store_true", help="tiny models on the CPU")
    tiny = parser.parse_args(arguments).tiny or not torch.cuda.is_available()
    placement = Placement(torch.device("cpu"), torch.float32) if tiny else place("cuda", "auto")
    sizes = Sizes(tiny, 12, 3, 16) if tiny else Sizes(tiny, 128, 25, 512)
    started = time.perf_counter()
    rows: list[Comparison] = []
    for part in (_texts_of_smollm2, _texts_of_gpt2, compare_pictures):
        if time.perf_counter() - started > _LIMIT:
            print(f"{part.__name__} is left out: the time is over", file=sys.stderr)
            continue
        for row in part(placement, sizes):
            print(f"{time.perf_counter() - started:4.0f} s: {_line(row)}", file=sys.stderr, flush=True)
            rows.append(row)
        gc.collect()
        if not tiny:
            torch.cuda.empty_cache()
    name = "CPU, tiny models" if tiny else torch.cuda.get_device_name()
    print(f"\n{name}, {str(placement.dtype).removeprefix('torch.')}, torch {torch.__version__}\n")
    print("| work | ours | stock | vLLM | ours is better by |\n|---|---|---|---|---|")
    print("\n".join(map(_line, rows)))
    print("\n" + json.dumps({"device": name, "tiny": tiny, "rows": [asdict(row) for row in rows]}))


def _line(row: Comparison) -> str:
    cells = [
        f"{value:.3g} {row.unit}".strip() if value is not None else "" for value in (row.ours, row.stock, row.peer)
    ]
    return "| " + " | ".join([row.work, *cells, f"{row.ratio:.2f}" if row.ratio else ""]) + " |"


def _texts_of_smollm2(placement: Placement, sizes: Sizes) -> Iterator[Comparison]:
    if sizes.tiny or not is_installed():
        name, model = "SmolLM2-135M with random weights", _llama(sizes).to(placement.device, placement.dtype)
    else:
        file = find_gguf()
        spec = ModelSpec(name=file.name, task="complete", repo=str(file.parent), file=file.name)
        name, model = "SmolLM2-135M", read_gguf_model(spec, file.parent, placement)
    yield from _compare_texts(name, model, sizes)


def _texts_of_gpt2(placement: Placement, sizes: Sizes) -> Iterator[Comparison]:
    layers, width, heads = (3, 32, 4) if sizes.tiny else (36, 1280, 20)
    torch.manual_seed(0)
    with placement.device:
        model: Any = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads))
    yield from _compare_texts("gpt2-large with random weights", model.to(placement.dtype), sizes)


def _llama(sizes: Sizes) -> Any:
    """Return a random model with the sizes of SmolLM2-135M."""
    hidden, layers = (36, 3) if sizes.tiny else (576, 30)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=hidden,
        intermediate_size=hidden * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


@torch.inference_mode()
def _compare_texts(name: str, model: PreTrainedModel, sizes: Sizes) -> Iterator[Comparison]:
    model.eval()
    prompts = [[(31 * i + 7 * j) % 40000 + 100 for j in range(16 + 5 * i)] for i in range(_STREAMS)]
    runner, verdict = choose_runner(model, prompts[-1], _STREAMS, "")
    if sizes.tiny:
        runner = PooledRunner(model, _STREAMS)  # as on a GPU
    loop = BatchedRunner(model, _STREAMS)
    name = f"{name} ({verdict.split(':')[0]})"
    peers = _vllm(model, prompts, sizes)
    ours = Texts(0, 1, [])
    for streams in (1, _STREAMS):
        what, some = f"{name}, {streams} stream{'s' * (streams > 1)}", prompts[:streams]
        _decode(runner, some, sizes.new_tokens)  # the first calls warm up
        _generate(model, some, sizes.new_tokens)
        with Peak(model.device) as memory:
            ours = _decode(runner, some, sizes.new_tokens)
        with Peak(model.device) as memory_of_stock:
            stock = _generate(model, some, sizes.new_tokens)
        peer = peers.get(streams)
        yield Comparison(f"{what}: speed", "tokens/s", ours.speed, stock.speed, peer, less=False)
        yield Comparison(f"{what}: last first token", "s", ours.first, stock.first)
        yield Comparison(f"{what}: peak memory", "GB", memory.gigabytes, memory_of_stock.gigabytes)
        in_a_loop = _decode(loop, some, sizes.new_tokens)
        yield Comparison(
            f"{what}: speed over the loop over sequences", "tokens/s", ours.speed, in_a_loop.speed, less=False
        )
        yield Comparison(f"{what}: tokens equal to those of generate", "%", _share(ours.tokens, stock.tokens))
        yield Comparison(f"{what}: tokens equal to those of the loop", "%", _share(ours.tokens, in_a_loop.tokens))
    alone = [_decode(runner, [prompt], sizes.new_tokens).tokens[0] for prompt in prompts[:: _STREAMS // 4]]
    yield Comparison(f"{name}: tokens equal alone and in company", "%", _share(ours.tokens[:: _STREAMS // 4], alone))


def _decode(runner: Any, prompts: Sequence[Sequence[int]], new_tokens: int) -> Texts:
    start = time.perf_counter()
    caches = [runner.new_cache(len(prompt) + new_tokens) for prompt in prompts]
    tokens = [
        [int(runner.prefill([cache], [prompt])[0].argmax())] for cache, prompt in zip(caches, prompts, strict=True)
    ]
    first = time.perf_counter() - start
    for _ in range(new_tokens - 1):
        for text, token in zip(tokens, _step(runner, caches, [text[-1] for text in tokens]), strict=True):
            text.append(token)
    seconds = time.perf_counter() - start
    for cache in caches:
        cache.clear()
    return Texts(first, seconds, tokens)


def _step(runner: Any, caches: Sequence[Any], tokens: Sequence[int]) -> list[int]:
    """Return the next tokens: of all texts in one call, if the runner does that."""
    size = runner.max_decode_seqs
    groups = [slice(i, i + size) for i in range(0, len(caches), size)]
    return [int(row.argmax()) for group in groups for row in runner.decode(caches[group], tokens[group])]


class _FirstToken(StoppingCriteria):
    """Records when `generate` has its first tokens. Never stops."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        if not self.time:
            input_ids[0, -1].item()  # wait for the device
            self.time = time.perf_counter()
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def _generate(model: Any, prompts: Sequence[Sequence[int]], new_tokens: int) -> Texts:
    """Run transformers' `generate` on one batch, padded on the left."""
    longest = max(map(len, prompts))
    rows = [[0] * (longest - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    clock, start = _FirstToken(), time.perf_counter()
    output = model.generate(
        torch.tensor(rows, device=model.device),
        attention_mask=torch.tensor(mask, device=model.device),
        min_new_tokens=new_tokens,
        max_new_tokens=new_tokens,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
        stopping_criteria=[clock],
    )
    tokens = output[:, longest:].tolist()
    return Texts(clock.time - start, time.perf_counter() - start, tokens)


def _vllm(model: PreTrainedModel, prompts: Sequence[Sequence[int]], sizes: Sizes) -> dict[int, float]:
    """Return vLLM's tokens per second by the number of streams; nothing if it is not installed or fails."""
    if sizes.tiny or not importlib.util.find_spec("vllm"):
        return {}
    try:
        vllm: Any = importlib.import_module("vllm")
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            engine = vllm.LLM(folder, skip_tokenizer_init=True, max_model_len=1024, gpu_memory_utilization=0.4)
        options = vllm.SamplingParams(temperature=0, max_tokens=sizes.new_tokens, ignore_eos=True, detokenize=False)
        speeds: dict[int, float] = {}
        for streams in (1, 1, _STREAMS):  # the first warms up
            start = time.perf_counter()
            engine.generate(
                [{"prompt_token_ids": list(prompt)} for prompt in prompts[:streams]], options, use_tqdm=False
            )
            speeds[streams] = streams * sizes.new_tokens / (time.perf_counter() - start)
        return speeds
    except Exception as error:
        print(f"vLLM failed: {type(error).__name__}: {error}", file=sys.stderr)
        return {}


def _share(ours: Sequence[Sequence[int]], theirs: Sequence[Sequence[int]]) -> float:
    """Return how many tokens are equal, in percent."""
    equal = [a == b for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True)]
    return 100 * sum(equal) / len(equal)


if __name__ == "__main__":
    main()
