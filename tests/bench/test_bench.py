"""Test the program of the benchmarks: the table, what is kept of a run, and the comparison of two runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench import machine, results
from bench.__main__ import run
from bench.fixed_length import fixed_length
from bench.machine import Cost, Machine
from bench.models import FixedBatch, SingleJob, settings
from bench.result_table import Note, Row, Skipped, TableRow, at_least, at_most, table
from bench.timing import medians
from inference import CompleteRequest, Completion, GenerationFailed
from inference.types.errors import ModelUnavailable

MACHINE = Machine("A CPU", 2, ("AVX2", "VNNI"), ("ATEN_CPU_CAPABILITY=avx2",), "2.13.0", 10e9, 100e9, None)


def row(**changes: object) -> Row:
    values: dict[str, object] = {"work": "a text", "unit": "tokens/s", "ours": 6.0, "stock": 4.0, "limit": 10.0}
    return Row(**values | changes)  # pyright: ignore[reportArgumentType]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


# A row and its table


@pytest.mark.parametrize(
    ("aims", "state"),
    [
        ((at_least(1.5, "stock"),), "met"),
        ((at_least(1.6, "stock"),), "missed"),
        ((at_most(1.5, "stock"),), "met"),
        ((at_most(1.4, "stock"),), "missed"),
        ((at_least(1.5, "stock"), at_least(0.7, "limit")), "missed"),
        ((at_most(6),), "met"),
        ((at_most(5.9),), "missed"),
        ((), "measured"),
    ],
)
def test_a_row_meets_all_its_aims_or_has_missed(aims: object, state: str) -> None:
    assert row(aims=aims).state == state


def test_an_aim_over_a_peer_that_is_not_installed_is_unknown() -> None:
    missing = row(peer_name="not installed", aims=(at_least(1.5, "stock"), at_least(0.7, "peer")))
    assert missing.state == "unknown"
    assert row(peer=12.0, peer_name="P", aims=missing.aims).state == "missed"
    assert "not installed" in missing.cells()


def test_the_table_has_every_figure_beside_its_ratio_and_aim() -> None:
    line = table([row(peer=24.0, peer_name="llama.cpp F32", aims=(at_least(1.2, "stock"),)).cells()]).splitlines()[2]
    assert cells(line) == [
        "met",
        "a text",
        "6 tokens/s",
        "4 tokens/s",
        "24 tokens/s, llama.cpp F32",
        "10 tokens/s",
        "1.50 × stock, 0.25 × peer, 0.60 × limit",
        "≥ 1.2 × stock",
    ]


def test_a_row_has_dashes_for_what_does_not_exist() -> None:
    assert row(stock=None, limit=None, aims=(at_most(300),)).cells()[3:] == ("–", "–", "–", "–", "≤ 300 tokens/s")


def test_the_table_columns_are_aligned() -> None:
    lines = table([row().cells(), row(work="a much longer name").cells(), Note("skipped", "x").cells()]).splitlines()
    assert len({len(line) for line in lines}) == 1


# The machine and its limits


def test_a_limit_is_set_by_memory_or_by_products_whichever_takes_longer() -> None:
    memory, products = Cost(nbytes=1e9, flops=1e9), Cost(nbytes=1e6, flops=200e9)
    assert row(cost=(memory,)).with_limit(MACHINE).limit == pytest.approx(10)
    assert row(cost=(products,)).with_limit(MACHINE).limit == pytest.approx(0.5)
    assert row(unit="s", cost=(memory, products)).with_limit(MACHINE).limit == pytest.approx(2.1)


def test_a_row_without_a_cost_keeps_its_limit() -> None:
    assert row().with_limit(MACHINE).limit == 10


def test_the_machine_is_named_with_its_features_and_what_limits_it() -> None:
    assert str(MACHINE) == (
        "A CPU, 2 cores, AVX2, VNNI (limited by ATEN_CPU_CAPABILITY=avx2), torch 2.13.0; "
        "reads 10.0 GB/s, multiplies matrices at 100 GFLOP/s in float32"
    )


def test_the_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "BUFFER", 10**7)
    monkeypatch.setattr(machine, "SIDE", 64)
    measured = machine.measure()
    assert measured.cpu
    assert min(measured.cores, measured.bandwidth, measured.float32) > 0
    assert (measured.bfloat16 is None) == (machine.precisions() == ("float32",))


def test_an_imitated_older_cpu_has_neither_newer_features_nor_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert set(machine.features()) <= {"AVX2"}
    assert machine.precisions() == ("float32",)
    assert not machine.has_amx()


# A run, and two of them compared


def two_rows() -> list[TableRow]:
    return [row(cost=(Cost(nbytes=1e9),)), Note("met", "equal texts")]


def skipped() -> list[TableRow]:
    raise Skipped("org/model is not downloaded")


def broken() -> list[TableRow]:
    raise ModelUnavailable("The model is broken.")


def wrong() -> list[TableRow]:
    return [Note("wrong", "a text", "different")]


def test_a_run_prints_the_machine_and_a_table_with_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run({"some": two_rows, "none": skipped}, MACHINE) == 0
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first == str(MACHINE)
    assert [cells(line)[:2] for line in lines[2:]] == [
        ["measured", "a text"],
        ["met", "equal texts"],
        ["skipped", "none: org/model is not downloaded"],
    ]
    assert "10 tokens/s" in lines[2]


@pytest.mark.parametrize("measurement", [broken, wrong])
def test_a_run_with_a_failure_has_the_exit_status_1(measurement: Callable[[], Sequence[TableRow]]) -> None:
    assert run({"x": measurement}, MACHINE) == 1


def test_a_kept_run_is_one_line_of_json_with_the_machine_and_the_rows(tmp_path: Path) -> None:
    run({"some": two_rows}, MACHINE, tmp_path / "run.json")
    (line,) = (tmp_path / "run.json").read_text(encoding="utf-8").splitlines()
    kept = json.loads(line)
    assert (kept["machine"]["cpu"], kept["machine"]["features"]) == ("A CPU", ["AVX2", "VNNI"])
    assert [(each["work"], each["ours"], each["state"]) for each in kept["rows"]] == [("a text", 6.0, "measured")]


def test_two_kept_runs_are_compared_by_the_rows_that_both_have(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    results.write(first, MACHINE, [row(), row(work="only in the first")])
    results.write(second, MACHINE, [row(work="only in the second"), row(ours=9.0, stock=5.0)])
    lines = results.compare(first, second).splitlines()
    assert lines[0] == f"first: {MACHINE}"
    assert [cells(line) for line in lines if line.startswith("| a text")] == [
        ["a text", "6 tokens/s", "9 tokens/s", "1.50", "1.25"]
    ]
    assert not any("only in" in line for line in lines)


# The parts that measurements share


def test_works_run_in_turn_and_each_gets_its_median() -> None:
    calls: list[str] = []
    times = medians(2, lambda: calls.append("ours"), lambda: calls.append("stock"))
    assert calls == ["ours", "stock", "ours", "stock"]
    assert len(times) == 2


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
