"""The peers' side: `python -m bench.peer_programs PROGRAM < arguments.json` prints the median time as JSON.

Runs in the peers' environment, and imports only what is there: torch, transformers, diffusers, gguf and the peer.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.timing import medians

NOT_INSTALLED_STATUS = 3
"""The exit status if the peer is not installed."""

_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    program, arguments = PROGRAMS[sys.argv[1]], json.load(sys.stdin)
    seconds = program(**arguments)
    print(json.dumps({"seconds": seconds}), flush=True)
    os._exit(0)  # without waiting for threads of servers


def _package(name: str) -> Any:
    """Return the peer's package. End the process with a status that says so if it is not installed."""
    if importlib.util.find_spec(name) is None:
        sys.exit(NOT_INSTALLED_STATUS)
    return importlib.import_module(name)


def llama_cpp(folder: str, weights: str, prompts: Sequence[str], tokens: int, rounds: int) -> float:
    """Write `tokens` after each prompt, all at the same time, with the model in `folder` converted to `weights`."""
    api = _package("xllamacpp")
    from bench.gguf_file import write_gguf

    with tempfile.TemporaryDirectory() as name:
        file = write_gguf(Path(folder), Path(name, "model.gguf"), weights)
        parameters = api.CommonParams()
        parameters.model.path = str(file)
        parameters.n_parallel = len(prompts)
        parameters.n_ctx = 256 * len(prompts)
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = _CORES
        parameters.verbosity = 0
        server = api.Server(parameters)

    def complete(prompt: str) -> None:
        answer = server.handle_completions(
            {
                "prompt": prompt,
                "max_tokens": tokens,
                "ignore_eos": True,
                "temperature": 0.8,
                "top_p": 0.95,
                "cache_prompt": False,
            }
        )
        assert answer["usage"]["completion_tokens"] == tokens, answer

    with ThreadPoolExecutor(len(prompts)) as threads:
        return _median(rounds, lambda: list(threads.map(complete, prompts)))


def ctranslate2_complete(folder: str, weights: str, prompts: Sequence[str], tokens: int, rounds: int) -> float:
    """Write `tokens` after each prompt in one batch, with the model in `folder` converted to `weights`."""
    api = _package("ctranslate2")
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    inputs = [tokenizer.convert_ids_to_tokens(tokenizer(prompt)["input_ids"]) for prompt in prompts]
    with tempfile.TemporaryDirectory() as name:
        generator = api.Generator(_convert(folder, weights, name), intra_threads=_CORES, compute_type=weights)
        return _median(
            rounds,
            lambda: generator.generate_batch(
                inputs,
                min_length=tokens,
                max_length=tokens,
                sampling_topk=0,
                sampling_topp=0.95,
                sampling_temperature=0.8,
                include_prompt_in_result=False,
            ),
        )


def ctranslate2_summarize(folder: str, weights: str, text: str, tokens: int, beams: int, rounds: int) -> float:
    """Summarize a text in exactly `tokens`, with a model in the form of BART."""
    api = _package("ctranslate2")
    from transformers import AutoTokenizer, BartConfig

    config: Any = BartConfig
    config.normalize_before = False  # the converter reads it, and not every config.json has it
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    inputs = [tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])]
    with tempfile.TemporaryDirectory() as name:
        translator = api.Translator(_convert(folder, weights, name), intra_threads=_CORES, compute_type=weights)
        limits = {"min_decoding_length": tokens, "max_decoding_length": tokens}
        return _median(
            rounds, lambda: translator.translate_batch(inputs, beam_size=beams, no_repeat_ngram_size=3, **limits)
        )


def openvino_reader(folder: str, auto_class: str, inputs: Sequence[Any], precision: str, rounds: int) -> float:
    """Read each of `inputs`, lists of numbers by their names, with an encoder of transformers."""
    openvino = _package("openvino")
    import torch
    import transformers

    model: Any = getattr(transformers, auto_class).from_pretrained(folder, dtype=torch.float32).eval()
    model.config.return_dict = False
    arrays = [{name: torch.tensor(values) for name, values in each.items()} for each in inputs]
    converted = openvino.convert_model(model, example_input=arrays[0])
    compiled = _compile(converted, precision)
    read = {name for port in compiled.inputs for name in port.names}
    named = [{name: tensor.numpy() for name, tensor in each.items() if name in read} for each in arrays]
    return _median(rounds, lambda: [compiled(each) for each in named])


def openvino_unet(folder: str, side: int, precision: str, rounds: int) -> float:
    """Compute one step with guidance: two rows at `side` × `side` pixels."""
    openvino = _package("openvino")
    import torch
    from diffusers import UNet2DConditionModel  # pyright: ignore[reportPrivateImportUsage]

    unet: Any = UNet2DConditionModel.from_pretrained(folder, subfolder="unet")
    example = {
        "sample": torch.zeros(2, unet.config.in_channels, side // 8, side // 8),
        "timestep": torch.tensor(500),
        "encoder_hidden_states": torch.zeros(2, 77, unet.config.cross_attention_dim),
    }
    compiled = _compile(openvino.convert_model(unet.eval(), example_input=example), precision)
    arrays = {name: tensor.numpy() for name, tensor in example.items()}
    return _median(rounds, lambda: compiled(arrays))


def _compile(model: Any, precision: str) -> Any:

    hints = {
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    return _package("openvino").Core().compile_model(model, "CPU", hints)


def _convert(folder: str, weights: str, output: str) -> str:
    converter = importlib.import_module("ctranslate2.converters").TransformersConverter(folder)
    return converter.convert(f"{output}/model", quantization=weights)


def _median(rounds: int, work: Callable[[], object]) -> float:
    """Return the median time after a first call."""
    work()
    return medians(rounds, work)[0]


PROGRAMS: dict[str, Callable[..., float]] = {
    "llama.cpp": llama_cpp,
    "ctranslate2-complete": ctranslate2_complete,
    "ctranslate2-summarize": ctranslate2_summarize,
    "openvino-reader": openvino_reader,
    "openvino-unet": openvino_unet,
}


if __name__ == "__main__":
    main()
