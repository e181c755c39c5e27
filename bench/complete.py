"""Completions by language models, alone and sixteen at the same time, beside transformers' `generate`.

All requests of a round start at the same time. `generate` runs those of a batch padded to one length.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.machine import Cost, Precision, precisions
from bench.models import folder, settings
from bench.peers import Candidate, fastest
from bench.result_table import Row, Skipped, at_least, at_most
from bench.speed import Speed, median_speed
from inference import CompleteRequest, Engine, PartialText, RequestEnded, create_engine
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from bench.reference import Reference

SMOLLM2 = "SmolLM2-135M-Instruct"
"""Stands for the starter's model, which is in a package."""

TOKENS = 32
ROUNDS = 3
PEER_ROUNDS = 7
"""Peers are fast, so that a short disturbance would spoil fewer rounds."""
STREAMS = 16
SENTENCE = "On the first day of the journey the old captain told us that the sea would not let us go back"
REQUESTS = [
    CompleteRequest(
        prompt=" ".join(SENTENCE.split()[: 5 + i]), max_new_tokens=TOKENS, temperature=0.8, top_p=0.95, seed=i
    )
    for i in range(STREAMS)
]

_LLAMA_CPP: dict[Precision, str] = {"float32": "F32", "bfloat16": "BF16"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run a model with smaller weights: options of its entry in config.yaml, and llama.cpp's name for it."""

    name: str
    options: dict[str, Any]
    gguf: str
    bytes_per_weight: float
    from_gguf: bool = False
    """Whether the entry names a GGUF file with these weights, and not the model's own files."""


VARIANTS = (
    Variant("quantize: int8", {"quantize": "int8"}, "Q8_0", 34 / 32),
    Variant("quantize: int4", {"quantize": "int4"}, "Q4_0", 18 / 32),
    Variant("runtime: llama.cpp, Q8_0", {"runtime": "llama.cpp"}, "Q8_0", 34 / 32, from_gguf=True),
    Variant("runtime: llama.cpp, Q4_0", {"runtime": "llama.cpp"}, "Q4_0", 18 / 32, from_gguf=True),
)


def one_stream(repo: str) -> list[Row]:
    """Measure a lone text, exact, in each number format that the CPU has."""
    return [_one_stream(_Model.find(repo), precision) for precision in precisions()]


def many_streams(repo: str) -> list[Row]:
    """Measure sixteen texts at once, exact, beside one padded batch."""
    return [row for precision in precisions() for row in _many_streams(_Model.find(repo), precision)]


def quantized(repo: str) -> list[Row]:
    """Measure a lone text with each of `VARIANTS`, as far as llama.cpp is installed."""
    model = _Model.find(repo)
    reference = model.reference(precisions()[-1])
    variants = [variant for variant in VARIANTS if not variant.from_gguf or find_spec("xllamacpp")]
    return [_quantized(model, variant, reference) for variant in variants]


@dataclass(frozen=True, slots=True)
class _Model:
    """A model on this machine: what config.yaml calls it, and the folder of its files."""

    name: str
    repo: str
    folder: Path

    @classmethod
    def find(cls, repo: str) -> _Model:
        """Return the model. Raise Skipped if it is not on this machine."""
        path = _starter_model() if repo == SMOLLM2 else repo
        config = settings("complete", path)
        return cls(repo.rsplit("/", 1)[-1], path, folder(config, config.specs("complete")[0]))

    def engine(self, precision: Precision, **options: Any) -> Engine:
        return create_engine(settings("complete", self.repo, precision, **options))

    def reference(self, precision: Precision) -> Reference:
        from bench.reference import Reference

        return Reference(self.folder, precision)

    def peer_arguments(self, weights: str, streams: int) -> dict[str, Any]:
        prompts = [request.prompt for request in REQUESTS[:streams]]
        path = str(self.folder)
        return {"folder": path, "weights": weights, "prompts": prompts, "tokens": TOKENS, "rounds": PEER_ROUNDS}

    def exact_peers(self, precision: Precision, streams: int) -> tuple[Candidate, ...]:
        """Return the peers that compute in the same number format. CTranslate2 has no bfloat16 on CPUs."""
        gguf = _LLAMA_CPP[precision]
        llama_cpp = Candidate(f"llama.cpp {gguf}", "llama.cpp", self.peer_arguments(gguf, streams))
        if precision == "bfloat16":
            return (llama_cpp,)
        arguments = self.peer_arguments(precision, streams)
        return (llama_cpp, Candidate(f"CTranslate2 {precision}", "ctranslate2-complete", arguments))


def _one_stream(model: _Model, precision: Precision) -> Row:
    from bench.costs import step

    reference = model.reference(precision)
    ours, stock = asyncio.run(_compare(model.engine(precision), 1, reference.in_one_batch))
    peer = fastest(*model.exact_peers(precision, 1))
    return Row(
        work=f"{model.name}, 1 stream, {precision}",
        unit="tokens/s",
        ours=ours.tokens_per_second,
        stock=stock.tokens_per_second,
        peer=peer.per_second(TOKENS),
        peer_name=peer.name,
        cost=(step(reference.model, precision),),
        aims=(at_least(1.2, "stock"), at_least(0.5, "limit")),
    )


def _many_streams(model: _Model, precision: Precision) -> list[Row]:
    from bench.costs import scaled, step

    reference = model.reference(precision)
    ours, stock = asyncio.run(_compare(model.engine(precision), STREAMS, reference.in_one_batch))
    peer = fastest(*model.exact_peers(precision, STREAMS))
    work = f"{model.name}, {STREAMS} streams, {precision}"
    return [
        Row(
            work=f"{work}; stock: one padded batch",
            unit="tokens/s",
            ours=ours.tokens_per_second,
            stock=stock.tokens_per_second,
            peer=peer.per_second(STREAMS * TOKENS),
            peer_name=peer.name,
            cost=(scaled(step(reference.model, precision, STREAMS), 1 / STREAMS),),
            aims=(at_least(1.5, "stock"),),
        ),
        Row(
            work=f"{work}; the last first token",
            unit="s",
            ours=ours.first,
            stock=stock.first,
            aims=(at_most(1, "stock"),),
        ),
    ]


def _quantized(model: _Model, variant: Variant, reference: Reference) -> Row:
    from bench.costs import num_weights

    precision = precisions()[-1]
    with TemporaryDirectory() as name:
        engine = _engine_from_gguf(model, variant, Path(name)) if variant.from_gguf else None
        engine = engine or model.engine(precision, **variant.options)
        ours, stock = asyncio.run(_compare(engine, 1, reference.in_one_batch))
    peer = fastest(
        Candidate(f"llama.cpp {variant.gguf}", "llama.cpp", model.peer_arguments(variant.gguf, streams=1)),
    )
    return Row(
        work=f"{model.name}, 1 stream, {variant.name}; stock: {precision}",
        unit="tokens/s",
        ours=ours.tokens_per_second,
        stock=stock.tokens_per_second,
        peer=peer.per_second(TOKENS),
        peer_name=peer.name,
        cost=(Cost(nbytes=num_weights(reference.model) * variant.bytes_per_weight),),
        aims=(at_least(0.7, "peer"),),
    )


def _engine_from_gguf(model: _Model, variant: Variant, folder: Path) -> Engine:
    from bench.gguf_file import write_gguf

    file = write_gguf(model.folder, folder / f"{model.name}-{variant.gguf}.gguf", variant.gguf)
    return create_engine(settings("complete", str(file), **variant.options))


async def _compare(
    engine: Engine, streams: int, generate: Callable[[Sequence[CompleteRequest]], Speed]
) -> tuple[Speed, Speed]:
    """Run ours and stock in turn, after a first run of each, and return the medians of both."""
    requests = REQUESTS[:streams]
    ended: list[RequestEnded] = []
    engine.observe(lambda observation: ended.append(observation) if isinstance(observation, RequestEnded) else None)
    ours: list[Speed] = []
    stock: list[Speed] = []
    for _ in range(ROUNDS + 1):
        first, all_ = await _streamed(engine, requests)
        ours.append(Speed(first, all_, sum(request.units for request in ended[-streams:])))
        stock.append(generate(requests))
    await engine.close()
    return median_speed(ours[1:]), median_speed(stock[1:])


async def _streamed(engine: Engine, requests: Sequence[CompleteRequest]) -> tuple[float, float]:
    """Return the seconds until every text has begun, and until all are complete."""
    start = time.perf_counter()
    first_tokens = await asyncio.gather(*(_first_token(engine, request) for request in requests))
    return max(first_tokens) - start, time.perf_counter() - start


async def _first_token(engine: Engine, request: CompleteRequest) -> float:
    """Return the time of the first text. Wait until the text is complete."""
    moments = [
        time.perf_counter() async for event in engine.stream(engine.check(request)) if isinstance(event, PartialText)
    ]
    return moments[0]


def _starter_model() -> str:
    from starter.smollm2 import prepare

    try:
        return str(prepare(Path(__file__).parents[1] / "data"))
    except ModelUnavailable as error:
        raise Skipped(str(error)) from error
