"""Test the file in which the schedulers keep what they have learned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.backends.usage_record import UsageRecord
from inference.scheduling.scheduler import SchedulerState

STATE = SchedulerState({"imagine ('org/sd',)": 0.5}, {"ann": 100.0, "bob": 50.0})


def test_each_device_gets_its_state_back(tmp_path: Path) -> None:
    file = tmp_path / "data" / "usage.json"
    UsageRecord(file).keep("cpu", lambda: STATE)
    UsageRecord(file).keep("cuda:0", lambda: SchedulerState({}, {"cy": 1.0}))
    state = UsageRecord(file).state("cpu")
    assert state.seconds_per_work == STATE.seconds_per_work
    assert state.usage == pytest.approx(STATE.usage, rel=0.1)
    assert UsageRecord(file).state("cuda:0").usage.keys() == {"cy"}
    assert UsageRecord(file).state("mps") == SchedulerState()


def test_use_decays_while_the_bot_is_stopped(tmp_path: Path) -> None:
    file = tmp_path / "usage.json"
    UsageRecord(file).keep("cpu", lambda: STATE)
    kept = json.loads(file.read_text())
    kept["cpu"]["time"] -= 600
    file.write_text(json.dumps(kept))
    assert UsageRecord(file).state("cpu").usage == pytest.approx({"ann": 25.0, "bob": 12.5}, rel=0.1)


def test_a_forgotten_owner_is_not_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "usage.json"
    record = UsageRecord(file)
    record.keep("cpu", lambda: STATE)
    record.forget("ann")
    record.forget("nobody")
    assert "ann" not in file.read_text()
    assert record.state("cpu").usage.keys() == {"bob"}


@pytest.mark.parametrize("content", ["{", "[]", '{"cpu": {"time": 0, "seconds_per_work": {"x": NaN}, "usage": {}}}'])
def test_a_damaged_file_is_logged_and_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str) -> None:
    file = tmp_path / "usage.json"
    file.write_text(content)
    record = UsageRecord(file)
    assert "usage.json can't be used" in caplog.text
    assert record.state("cpu") == SchedulerState()
    record.keep("cpu", lambda: STATE)
    assert UsageRecord(file).state("cpu").usage.keys() == STATE.usage.keys()


def test_a_file_that_cannot_be_written_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    record = UsageRecord(tmp_path / "file" / "usage.json")
    record.keep("cpu", lambda: STATE)
    assert "could not be kept" in caplog.text
