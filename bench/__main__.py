"""Run the measurements, each in its own process, so that none is affected by another's memory or imports."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor

from bench import (
    acceptance,
    acknowledgement,
    batching,
    crash,
    dalle_mini,
    diffusion,
    engine,
    event_loop_lag,
    families,
    loading,
    queueing,
    reading,
    starter,
    streaming,
)
from bench.result_table import HEADINGS, Skipped, TableRow, table
from inference import InferenceError

_ERRORS = {"failed", "wrong", "fails"}
"""States of rows after which the exit status is 1."""

MEASUREMENTS: dict[str, Callable[[], Sequence[TableRow]]] = {
    "lag": event_loop_lag.measure,
    "queue": queueing.measure,
    "acceptance": acceptance.measure,
    "commands": acknowledgement.measure,
    "engine": engine.measure,
    "diffusion": diffusion.measure,
    "dalle-mini": dalle_mini.measure,
    "batching": batching.measure,
    "streaming": streaming.measure,
    "ask": reading.ask,
    "summarize": reading.summarize,
    "loading-safetensors": loading.safetensors,
    "loading-bin": loading.legacy_bin,
    "loading-flax": loading.flax,
    "drawing-memory": loading.drawing,
    "starter": starter.measure,
    "families": families.measure,
    "crash": crash.measure,
}

_BY_NAME_ONLY = {"crash"}
"""Measurements of no speed that take long; they run only when they are named."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    default = [name for name in MEASUREMENTS if name not in _BY_NAME_ONLY]
    without = f"(default: all but {', '.join(_BY_NAME_ONLY)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(MEASUREMENTS)} {without}")
    names = parser.parse_args().names or default
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        parser.error(f"no measurement is called {unknown[0]!r}; there is: {', '.join(MEASUREMENTS)}")
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
    rows = [cells for name in names for cells in _rows(name)]
    print(table(rows))
    sys.exit(any(cells[0] in _ERRORS for cells in rows))


def _rows(name: str) -> list[tuple[str, ...]]:
    """Return the cells of one measurement. Print them to stderr at once, since all measurements take minutes."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        try:
            rows = [row.cells() for row in executor.submit(MEASUREMENTS[name]).result()]
        except Skipped as reason:
            rows = [_note("skipped", name, reason)]
        except InferenceError as reason:
            rows = [_note("failed", name, reason)]
    for cells in rows:
        print("  " + ", ".join(filter(None, cells)), file=sys.stderr, flush=True)
    return rows


def _note(state: str, name: str, reason: Exception) -> tuple[str, ...]:
    return (state, f"{name}: {reason}", *[""] * (len(HEADINGS) - 2))


if __name__ == "__main__":
    main()
