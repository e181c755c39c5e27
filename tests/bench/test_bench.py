"""Test the result table of the benchmarks. The benchmarks themselves are not run here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.fixed_length import fixed_length
from bench.models import FixedBatch, SingleJob, settings
from bench.result_table import Row, Skipped, table
from inference import CompleteRequest, Completion, GenerationFailed


def row(ours: float, aim: float, *, at_least: bool = False) -> Row:
    return Row(name="a step", unit="s", ours=ours, reference=2.0, aim=aim, at_least=at_least)


def test_the_ratio_of_a_row_is_ours_divided_by_the_reference() -> None:
    assert row(1.0, aim=0.6).ratio == 0.5


def test_an_upper_limit_is_met_by_a_value_at_or_below_it() -> None:
    assert row(1.0, aim=0.5).met
    assert not row(1.1, aim=0.5).met


def test_a_lower_limit_is_met_by_a_value_at_or_above_it() -> None:
    assert row(14.0, aim=7, at_least=True).met
    assert not row(13.0, aim=7, at_least=True).met


def test_the_table_marks_a_missed_target() -> None:
    lines = table([row(1.0, aim=0.3).cells()]).splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "missed",
        "a step",
        "1 s",
        "2 s",
        "0.50",
        "≤ 0.3",
    ]


def test_the_table_columns_are_aligned() -> None:
    lines = table([row(1.0, aim=0.3).cells(), row(1234.0, aim=7, at_least=True).cells()]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_missing_model_is_reported_and_not_downloaded() -> None:
    with pytest.raises(Skipped, match="nobody/nothing is not downloaded"):
        settings("complete", "nobody/nothing")


def test_a_single_job_stores_its_value_and_raises_its_error() -> None:
    job = SingleJob(CompleteRequest(prompt="x"))
    FixedBatch.of(job).jobs[0].finish(Completion("y", 0))
    assert job.value == Completion("y", 0)
    with pytest.raises(GenerationFailed):
        job.fail(GenerationFailed("broken"))


def test_fixed_length_changes_only_the_length_limits_of_a_summarizer(tmp_path: Path) -> None:
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
