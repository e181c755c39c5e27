"""Test the simulation of many servers, with a few. Its figures mean nothing here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench.crash.redirected_bot import addresses
from bench.servers import rows
from bench.servers.discord_process import Size
from bench.servers.load import Phase, PhaseReport
from bench.servers.simulation import Measured, MeasuredPhase, Report, simulate

SMALL = Size(servers=50, shards=2, max_concurrency=2)


@pytest.fixture(autouse=True)
def _discord_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore where discord.py finds Discord, since the simulation leads it elsewhere."""
    for owner, name, _ in addresses(""):
        monkeypatch.setattr(owner, name, getattr(owner, name))


async def test_every_request_on_many_servers_is_acknowledged_and_answered_once(tmp_path: Path) -> None:
    phases = [Phase(0.5, 0, 100), Phase(2.0, 20, 100)]
    report = await simulate(SMALL, phases, tmp_path, speed=10)
    alone, both = report.phases
    assert alone.report.messages > 0
    assert both.report.states == Counter(answered=both.report.states.total())
    assert len(both.report.seconds_to_answer) > 10
    assert both.report.faults == []
    assert all(phase.acting.lags for phase in report.phases)


def measured(*lags: float) -> Measured:
    return Measured(10.0, 2.0, lags, 400 * 10**6)


def report_with(states: Counter[str], lag: float = 0.001) -> Report:
    alone = PhaseReport(messages=1000)
    both = PhaseReport(Counter(states), [0.1, 0.2], [1.0, 2.0], messages=1000)  # pyright: ignore[reportArgumentType]
    phases = [MeasuredPhase(measured(0.001), measured(0.001), each) for each in (alone, both)]
    phases[1] = MeasuredPhase(measured(lag, lag), measured(0.001), both)
    return Report(100 * 10**6, measured(0.5), phases)


def states_of(report: Report) -> dict[str, str]:
    return {row.cells()[1]: row.cells()[0] for row in rows(SMALL, report)}


def test_each_fault_is_a_row_that_fails() -> None:
    faults = states_of(report_with(Counter(answered=5, late=1, refused=1, doubled=1, lost=1)))
    assert [state for state in faults.values() if state in ("wrong", "missed")] == ["missed", "wrong", "wrong", "wrong"]
    fine = states_of(report_with(Counter(answered=5)))
    assert not {"wrong", "missed"} & set(fine.values())


def test_a_loop_that_wakes_up_late_misses_the_aim() -> None:
    missed = states_of(report_with(Counter(answered=5), lag=0.06))
    assert [name for name, state in missed.items() if state == "missed"] == [
        "lag of the event loop with interactions, p99"
    ]


def test_what_messages_take_is_not_counted_for_interactions() -> None:
    figures = {row.cells()[1]: row.cells()[2] for row in rows(SMALL, report_with(Counter(answered=4)))}
    assert figures["processor time of a message of others"] == "2 ms"
    assert figures["processor time of an interaction"] == "500 ms"
