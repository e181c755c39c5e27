"""Work of encoders: a question about 1,000 words, a blank, and moods, beside the model called by transformers itself.

The stock side tokenizes and runs the model in float32 over the same inputs one after another, as the pipelines of
transformers do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.machine import Precision, precisions
from bench.models import Caller, engine_for, folder, settings
from bench.peers import Candidate, fastest
from bench.result_table import Row, at_most
from bench.timing import medians
from inference import AskRequest, FillRequest, Request, SentimentRequest

_SENTENCE = "In the winter of {year} the keeper of the lighthouse wrote to the harbour that a ship was late. "
QUESTION = "Who kept the lighthouse on the island?"
CONTEXT = "".join(_SENTENCE.format(year=1800 + i) for i in range(53)).strip()
"""1,007 words."""
BLANK = "The keeper of the lighthouse wrote to the [MASK] that a ship was late, and that the storm had not passed yet."
MESSAGES = tuple(_SENTENCE.format(year=1800 + i).strip() for i in range(20))
ROUNDS = 5

Inputs = dict[str, Any]
"""Tensors [rows, tokens] by the names of the model's arguments."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A work of one encoder. `encode` returns the inputs of each call of the model, from its tokenizer."""

    work: str
    repo: str
    request: Request
    auto_class: str
    encode: Callable[[Any], list[Inputs]]


def _windows(tokenizer: Any) -> list[Inputs]:
    """Return windows of 384 tokens that overlap by 128, as question answering does."""
    limits: dict[str, Any] = {"truncation": "only_second", "max_length": 384, "stride": 128, "padding": "max_length"}
    encoded = tokenizer(QUESTION, CONTEXT, return_overflowing_tokens=True, return_tensors="pt", **limits)
    names = ("input_ids", "attention_mask")
    return [{name: encoded[name][i : i + 1] for name in names} for i in range(len(encoded["input_ids"]))]


def _texts(*texts: str) -> Callable[[Any], list[Inputs]]:
    return lambda tokenizer: [dict(tokenizer(text, return_tensors="pt")) for text in texts]


def ask(repo: str) -> list[Row]:
    request = AskRequest(question=QUESTION, context=CONTEXT)
    return measure(Reading("/ask over 1,000 words", repo, request, "AutoModelForQuestionAnswering", _windows))


def fill(repo: str) -> list[Row]:
    return measure(Reading("/fill", repo, FillRequest(text=BLANK), "AutoModelForMaskedLM", _texts(BLANK)))


def mood(repo: str) -> list[Row]:
    request = SentimentRequest(texts=MESSAGES)
    work = f"/mood of {len(MESSAGES)} messages"
    return measure(Reading(work, repo, request, "AutoModelForSequenceClassification", _texts(*MESSAGES)))


def measure(reading: Reading) -> list[Row]:
    """Return a row for each number format of ours."""
    config = settings(reading.request.task, reading.repo)
    model_folder = str(folder(config, config.specs(reading.request.task)[0]))
    model, tokenizer = _load(reading, model_folder)
    return [_row(reading, model_folder, model, tokenizer, precision) for precision in precisions()]


def _row(reading: Reading, model_folder: str, model: Any, tokenizer: Any, precision: Precision) -> Row:
    import torch

    from bench.costs import forward

    @torch.inference_mode()
    def stock() -> None:
        for inputs in reading.encode(tokenizer):
            model(**inputs)

    with Caller(engine_for(reading.request.task, reading.repo, precision)) as caller:
        caller.run(reading.request)
        cost = forward(stock, model, precision)
        ours, theirs = medians(ROUNDS, lambda: caller.run(reading.request), stock)
    peer = fastest(_openvino(reading, model_folder, reading.encode(tokenizer), precision))
    return Row(
        work=f"{reading.work}, {reading.repo.rsplit('/', 1)[-1]}, {precision}; stock: float32",
        unit="s",
        ours=ours,
        stock=theirs,
        peer=peer.seconds,
        peer_name=peer.name,
        cost=(cost,),
        aims=(at_most(0.85, "stock"),),
    )


def _load(reading: Reading, model_folder: str) -> tuple[Any, Any]:
    import torch
    import transformers

    auto_class: Any = getattr(transformers, reading.auto_class)
    model = auto_class.from_pretrained(model_folder, dtype=torch.float32, local_files_only=True).eval()
    return model, transformers.AutoTokenizer.from_pretrained(model_folder, local_files_only=True)


def _openvino(reading: Reading, model_folder: str, inputs: Sequence[Inputs], precision: Precision) -> Candidate:
    arguments = {
        "folder": model_folder,
        "auto_class": reading.auto_class,
        "inputs": [{name: tensor.tolist() for name, tensor in each.items()} for each in inputs],
        "precision": precision,
        "rounds": ROUNDS,
    }
    return Candidate(f"OpenVINO {precision}", "openvino-reader", arguments)
