"""Run the measurements, each in its own process, so that none is affected by another's memory or imports.

A run can be kept as a line of JSON, and two kept runs can be compared.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench import (
    acceptance,
    acknowledgement,
    captions,
    cluster,
    complete,
    crash,
    dalle_mini,
    diffusion,
    engine,
    event_loop_lag,
    families,
    loading,
    machine,
    memory,
    queueing,
    reading,
    results,
    servers,
    starter,
    summaries,
)
from bench.result_table import Note, Row, Skipped, TableRow, table
from cogs.huge_pages import with_huge_pages
from inference import InferenceError

T = TypeVar("T")
Measurements = Mapping[str, Callable[[], Sequence[TableRow]]]

_ERRORS = {"failed", "wrong", "fails"}
"""States of rows after which the exit status is 1."""

GPT2, GPT2_LARGE = "openai-community/gpt2", "openai-community/gpt2-large"

MEASUREMENTS: Measurements = {
    "gpt2": partial(complete.one_stream, GPT2),
    "gpt2-streams": partial(complete.many_streams, GPT2),
    "gpt2-quantized": partial(complete.quantized, GPT2),
    "gpt2-large": partial(complete.one_stream, GPT2_LARGE),
    "gpt2-large-streams": partial(complete.many_streams, GPT2_LARGE),
    "gpt2-large-quantized": partial(complete.quantized, GPT2_LARGE),
    "smollm2": partial(complete.one_stream, complete.SMOLLM2),
    "smollm2-streams": partial(complete.many_streams, complete.SMOLLM2),
    "smollm2-quantized": partial(complete.quantized, complete.SMOLLM2),
    "summarize": summaries.measure,
    "ask-tinyroberta": partial(reading.ask, "deepset/tinyroberta-squad2"),
    "ask-roberta": partial(reading.ask, "deepset/roberta-base-squad2"),
    "caption": captions.measure,
    "fill": partial(reading.fill, "google-bert/bert-base-uncased"),
    "mood": partial(reading.mood, "distilbert/distilbert-base-uncased-finetuned-sst-2-english"),
    "diffusion": diffusion.measure,
    "dalle-mini": dalle_mini.measure,
    "loading-safetensors": loading.safetensors,
    "loading-bin": loading.legacy_bin,
    "loading-flax": loading.flax,
    "drawing-memory": loading.drawing,
    "memory": memory.measure,
    "lag": event_loop_lag.measure,
    "queue": queueing.measure,
    "acceptance": acceptance.measure,
    "commands": acknowledgement.measure,
    "engine": engine.measure,
    "starter": starter.measure,
    "families": families.measure,
    "cluster": cluster.measure,
    "crash": crash.measure,
    "crash-cluster": crash.measure_cluster,
    "servers": servers.measure,
}
"""Every measurement by its name on the command line. A new one is one more entry."""

_BY_NAME_ONLY = {"crash", "crash-cluster", "cluster", "servers", "memory"}
"""Measurements of the whole bot that take long, or a whole machine; they run only when they are named."""


def main() -> None:
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.compare:
        print(results.compare(*arguments.compare))
        return
    names = arguments.names or [name for name in MEASUREMENTS if name not in _BY_NAME_ONLY]
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        parser.error(f"no measurement is called {unknown[0]!r}; there is: {', '.join(MEASUREMENTS)}")
    os.environ.update(with_huge_pages(os.environ), HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    this = _in_own_process(machine.measure)
    sys.exit(run({name: MEASUREMENTS[name] for name in names}, this, arguments.json))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    without = f"(default: all but {', '.join(_BY_NAME_ONLY)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(MEASUREMENTS)} {without}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the run to a file, as a line of JSON")
    parser.add_argument(
        "--compare", nargs=2, type=Path, metavar=("FIRST", "SECOND"), help="compare two such files; nothing is measured"
    )
    return parser


def run(measurements: Measurements, this: machine.Machine, json: Path | None = None) -> int:
    """Measure, print the machine and the table, and write the JSON. Return the exit status."""
    print(this, file=sys.stderr, flush=True)
    rows = [row for name, measurement in measurements.items() for row in _rows(name, measurement, this)]
    print(f"{this}\n\n{table([row.cells() for row in rows])}")
    if json:
        results.write(json, this, [row for row in rows if isinstance(row, Row)])
    return int(any(row.cells()[0] in _ERRORS for row in rows))


def _rows(name: str, measurement: Callable[[], Sequence[TableRow]], this: machine.Machine) -> Sequence[TableRow]:
    """Return the rows of one measurement. Print them to stderr at once, since all measurements take minutes."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    try:
        rows = [row.with_limit(this) if isinstance(row, Row) else row for row in _in_own_process(measurement)]
    except Skipped as reason:
        rows = [Note("skipped", f"{name}: {reason}")]
    except InferenceError as reason:
        rows = [Note("failed", f"{name}: {reason}")]
    for row in rows:
        print("  " + ", ".join(filter(None, row.cells())), file=sys.stderr, flush=True)
    return rows


def _in_own_process(work: Callable[[], T]) -> T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(work).result()


if __name__ == "__main__":
    main()
