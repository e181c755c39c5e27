"""The table of the measurements; the measurements themselves are no tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.fixed_length import fixed_length
from bench.models import SingleBatch, SingleJob, settings
from bench.result_table import Row, Skipped, table
from inference import CompleteRequest, Completion, GenerationFailed


def row(ours: float, aim: float, *, at_least: bool = False) -> Row:
    return Row(name="a step", unit="s", ours=ours, reference=2.0, aim=aim, at_least=at_least)


def test_a_row_divides_ours_by_the_reference() -> None:
    assert row(1.0, aim=0.6).ratio == 0.5


def test_an_upper_aim_is_met_from_below() -> None:
    assert row(1.0, aim=0.5).met
    assert not row(1.1, aim=0.5).met


def test_a_lower_aim_is_met_from_above() -> None:
    assert row(14.0, aim=7, at_least=True).met
    assert not row(13.0, aim=7, at_least=True).met


def test_a_missed_aim_is_said_in_the_table() -> None:
    lines = table([row(1.0, aim=0.3).cells()]).splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "missed",
        "a step",
        "1 s",
        "2 s",
        "0.50",
        "≤ 0.3",
    ]


def test_columns_line_up() -> None:
    lines = table([row(1.0, aim=0.3).cells(), row(1234.0, aim=7, at_least=True).cells()]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_model_that_is_not_here_is_named_instead_of_fetched() -> None:
    with pytest.raises(Skipped, match="nobody/nothing is not downloaded"):
        settings("complete", "nobody/nothing")


def test_a_direct_call_keeps_its_value_and_raises_its_error() -> None:
    job = SingleJob(CompleteRequest(prompt="x"))
    SingleBatch(job).jobs[0].finish(Completion("y", 0))
    assert job.value == Completion("y", 0)
    with pytest.raises(GenerationFailed):
        job.fail(GenerationFailed("broken"))


def test_a_summarizer_of_fixed_length_keeps_all_else(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"x": 1, "task_specific_params": {"summarization": {"num_beams": 4}}}')
    (tmp_path / "generation_config.json").write_text('{"max_length": 142}')
    (tmp_path / "weights").write_bytes(b"w")
    with fixed_length(tmp_path, 9) as folder:
        config = json.loads((folder / "config.json").read_text())
        generation = json.loads((folder / "generation_config.json").read_text())
        assert (folder / "weights").read_bytes() == b"w"
    limits = {"min_length": 9, "max_length": 9}
    assert config == {"x": 1, **limits, "task_specific_params": {"summarization": {"num_beams": 4, **limits}}}
    assert generation == limits
