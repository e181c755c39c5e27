"""Test the comparison of the forecast of memory with the peak. A tiny model's peak means nothing."""

from __future__ import annotations

from pathlib import Path

from bench import memory
from bench.result_table import Note, Row
from tests.inference.pipelines.tiny_images import save_stable_diffusion


def test_each_case_has_a_row_with_its_peak_and_the_forecast(tmp_path: Path) -> None:
    repo = str(save_stable_diffusion(tmp_path / "tiny"))
    rows = memory.measure([(repo, {"offload": "model", "dtype": "float32"}), (repo, {"offload": "none"})])
    figures = [row for row in rows if isinstance(row, Row)]
    assert [row.work.partition(";")[0] for row in figures] == [
        "peak memory of tiny (offload: model, dtype: float32), loaded and drawing",
        "peak memory of tiny (as it is), loaded and drawing",
    ]
    assert all(row.ours > 0 and row.limit and row.unit == "GB" for row in figures)


def test_the_forecast_may_be_wrong_by_15_percent() -> None:
    for forecast, state in ((0.84, "missed"), (0.86, "met"), (1.14, "met"), (1.16, "missed")):
        row = Row(work="", unit="GB", ours=1, limit=forecast, aims=memory.AIMS)
        assert row.state == state, forecast


def test_a_model_that_is_not_on_this_machine_is_skipped() -> None:
    (row,) = memory.measure([("org/none", {})])
    assert isinstance(row, Note)
    assert row.cells() == ("skipped", "memory of org/none", "org/none is not downloaded")
