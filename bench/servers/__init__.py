"""One bot on 10,000 servers, with 100 interactions a second: its memory, its event loop, and how fast it acknowledges.

The real bot runs in one process, and the stand-in for Discord in another. The models are not real: they take the time
that models take on a GPU. Before that, people only write messages that have nothing to do with the bot, so that what
those cost is known.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from bench.crash import CountRow
from bench.result_table import Row, at_most
from bench.servers.discord_process import Size
from bench.servers.load import Phase, PhaseReport
from bench.servers.simulation import Measured, Report, simulate

SERVERS, SHARDS = 10_000, 10
"""The environment variable MANY_SERVERS has another number of servers. Discord puts about 1,000 into a shard."""

INTERACTIONS, MESSAGES = 100.0, 500.0
"""A second: commands and presses, and messages of other people."""

SECONDS, SECONDS_OF_MESSAGES = 60.0, 15.0

_LAG, _ACKNOWLEDGED = 50, 500
"""The most milliseconds for 99 % of the wake-ups of the event loop, and for 99 % of the interactions."""


def measure() -> list[Row | CountRow]:
    """Run the simulation. Return a row for each figure, and for each thing that should not happen."""
    servers = int(os.environ.get("MANY_SERVERS", SERVERS))
    size = Size(servers, max(1, servers * SHARDS // SERVERS))
    phases = [Phase(SECONDS_OF_MESSAGES, 0, MESSAGES), Phase(SECONDS, INTERACTIONS, MESSAGES)]
    with tempfile.TemporaryDirectory(prefix="inkling-servers-") as folder:
        report = asyncio.run(simulate(size, phases, Path(folder)))
    for fault in (fault for phase in report.phases for fault in phase.report.faults):
        print(f"  {fault}", file=sys.stderr)
    print(f"  load of the machine at the end: {', '.join(f'{load:.1f}' for load in os.getloadavg())}", file=sys.stderr)
    return rows(size, report)


def rows(size: Size, report: Report) -> list[Row | CountRow]:
    """Return the rows of a report with two phases: messages alone, then interactions too."""
    alone, both = report.phases
    return [
        *_rows_of_start(size, report),
        *_rows_of_lag("with messages alone", alone.acting),
        *_rows_of_lag("with interactions", both.acting),
        *_times("acknowledged", both.report.seconds_to_acknowledge, _ACKNOWLEDGED),
        *_times("answered", both.report.seconds_to_answer),
        *_rows_of_processor(report),
        *_rows_of_faults(both.report),
    ]


def _rows_of_start(size: Size, report: Report) -> list[Row | CountRow]:
    start, end = report.start, report.phases[-1].rest
    return [
        CountRow("servers", size.servers),
        CountRow("shards", size.shards),
        _row("memory before the login", "MB", report.nbytes_before / 1e6),
        _row("memory with all servers", "MB", start.nbytes / 1e6),
        _row("memory of each server", "kB", (start.nbytes - report.nbytes_before) / size.servers / 1e3),
        _row("memory at the end", "MB", end.nbytes / 1e6),
        _row("login until all servers are there", "s", start.seconds),
        _row("… processor time", "s", start.processor),
        _row("… lag of the event loop, the longest", "ms", max(start.lags) * 1000),
    ]


def _rows_of_lag(when: str, measured: Measured) -> list[Row]:
    return _times(f"lag of the event loop {when}", measured.lags, _LAG)


def _times(what: str, seconds: Sequence[float], most: float | None = None) -> list[Row]:
    """Return a row for the median, for the 99th percentile, which may be `most` milliseconds, and for the longest."""
    if not seconds:
        return []
    percentiles = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 99
    return [
        _row(f"{what}, p50", "ms", percentiles[49] * 1000),
        _row(f"{what}, p99", "ms", percentiles[98] * 1000, most),
        _row(f"{what}, the longest", "ms", max(seconds) * 1000),
    ]


def _rows_of_processor(report: Report) -> list[Row]:
    alone, both = report.phases
    of_message = alone.acting.processor / max(1, alone.report.messages)
    of_interactions = both.acting.processor + both.rest.processor - of_message * both.report.messages
    return [
        _row("processor time of a message of others", "ms", of_message * 1000),
        _row("processor time of an interaction", "ms", of_interactions * 1000 / max(1, both.report.states.total())),
        _row("processor while people act", "% of a core", 100 * both.acting.processor / both.acting.seconds),
    ]


def _rows_of_faults(report: PhaseReport) -> list[CountRow]:
    states = report.states
    return [
        CountRow("messages of others", report.messages),
        CountRow("calls of the bot to Discord", report.calls),
        CountRow("requests", states.total()),
        CountRow("answered, once", states["answered"]),
        CountRow("not acknowledged within three seconds", states["late"], fault="missed"),
        CountRow("refused", states["refused"], fault="wrong"),
        CountRow("answered twice", states["doubled"], fault="wrong"),
        CountRow("lost: no answer after a minute", states["lost"], fault="wrong"),
    ]


def _row(work: str, unit: str, value: float, most: float | None = None) -> Row:
    return Row(work=work, unit=unit, ours=value, aims=(at_most(most),) if most else ())
