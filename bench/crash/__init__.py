"""Does an accepted request survive a kill? The bot is killed many times under load, and every request is accounted for.

`bot.py` runs in a process of its own, with real models, and speaks real HTTP with a stand-in for Discord in this
process. It is killed at random moments, and right after random calls to Discord. Nothing is downloaded.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.crash.accounting import Outcome, State
from bench.crash.crash_run import Report, run
from bench.crash.people import SentRequest
from inference.backends.ray.local_cluster import LocalCluster, local_cluster

KILLS = 200
"""How often the bot is killed; the environment variable CRASH_KILLS has another number."""

CLUSTER_KILLS = 50
_CLUSTER_PORT = 6390

SEED = 1
"""The seed of what people do, and of when the bot is killed."""

_FAULTS: dict[State, str] = {
    "open": "stuck: still shows progress, or nothing",
    "doubled": "answered twice",
    "wrong": "a wrong answer, or a sentence that is not true",
}


@dataclass(frozen=True, slots=True)
class CountRow:
    """How often something happened. `fault` is the state if it should not happen, and did."""

    name: str
    count: int
    fault: Literal["wrong", "missed", ""] = ""

    def cells(self) -> tuple[str, ...]:
        state = "counted" if not self.fault else self.fault if self.count else "met"
        return (state, self.name, f"{self.count:,}", "", "", "", "", "0" if self.fault else "")


def measure() -> list[CountRow]:
    """Kill the bot `KILLS` times. Return a row for each thing that can become of a request."""
    return _measure(KILLS)


def measure_cluster() -> list[CountRow]:
    """Kill parts of a Ray cluster of two devices, and the bot, `CLUSTER_KILLS` times. Return rows as `measure` does."""
    with local_cluster(_CLUSTER_PORT) as cluster:
        return _measure(CLUSTER_KILLS, cluster)


def _measure(kills: int, cluster: LocalCluster | None = None) -> list[CountRow]:
    kills = int(os.environ.get("CRASH_KILLS", kills))
    with tempfile.TemporaryDirectory(prefix="inkling-crash-") as folder:
        report = asyncio.run(run(kills, SEED, Path(folder), cluster=cluster))
    for sent, outcome in report.outcomes:
        if outcome.state in (*_FAULTS, "late", "no effect"):
            print(f"  {outcome.state}: {sent}: {outcome.detail!r}", file=sys.stderr)
    for route in report.unknown:
        print(f"  not modelled: {route}", file=sys.stderr)
    return rows(report)


def rows(report: Report) -> list[CountRow]:
    """Return the rows of a report."""
    states = Counter(outcome.state for _, outcome in report.outcomes)
    return [
        *_rows_of_kills(report),
        CountRow("requests", len(report.outcomes)),
        CountRow("not accepted: the bot was gone before it could acknowledge", states["not accepted"]),
        CountRow("ended with the answer", states["answered"]),
        *_rows_of_sentences(report.outcomes),
        CountRow("a press had no effect: the message is as before", states["no effect"]),
        CountRow("not acknowledged within three seconds, without a kill", states["late"], fault="missed"),
        *(CountRow(name, states[state], fault="wrong") for state, name in _FAULTS.items()),
        CountRow("left in the table of requests", report.rows, fault="wrong"),
        CountRow("texts of people left in its file", len(report.traces), fault="wrong"),
        CountRow("routes that the stand-in for Discord does not have", len(report.unknown), fault="wrong"),
    ]


def _rows_of_kills(report: Report) -> list[CountRow]:
    kills = report.kills
    parts = Counter(kill.part or "the bot" for kill in kills)
    by_part = [CountRow(f"… of: {part}", count) for part, count in sorted(parts.items())]
    return [
        CountRow("kills", len(kills)),
        *(by_part if len(parts) > 1 else ()),
        CountRow("… while a model worked on requests", sum(kill.at_work > 0 for kill in kills)),
        CountRow("… while requests only waited", sum(kill.open_jobs > 0 == kill.at_work for kill in kills)),
        CountRow("… after a call to Discord and before its answer", sum(kill.at_a_call for kill in kills)),
    ]


def _rows_of_sentences(outcomes: Sequence[tuple[SentRequest, Outcome]]) -> list[CountRow]:
    names = Counter(outcome.detail for _, outcome in outcomes if outcome.state == "explained")
    return [CountRow(f"ended with the reason: {name}", count) for name, count in sorted(names.items())]
