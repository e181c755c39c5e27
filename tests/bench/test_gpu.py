"""Test the script for GPUs with tiny models on the CPU: it runs to its end, and finds equal tokens and pixels."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest

from bench import gpu
from bench.gpu_comparison import Comparison


@pytest.fixture(scope="module")
def output() -> str:
    with redirect_stdout(StringIO()) as printed:
        gpu.main(["--tiny"])
    return printed.getvalue()


@pytest.fixture(scope="module")
def rows(output: str) -> dict[str, dict[str, Any]]:
    figures = json.loads(output.splitlines()[-1])
    assert figures["device"] == "CPU, tiny models"
    return {row["work"]: row for row in figures["rows"]}


def test_every_row_is_in_the_table_and_in_the_json(output: str, rows: dict[str, dict[str, Any]]) -> None:
    table = output[output.index("| work |") :]
    assert all(f"| {work} |" in table for work in rows)
    assert all(row["ours"] is not None for work, row in rows.items() if "memory" not in work)


def test_texts_equal_those_of_generate_and_those_alone(rows: dict[str, dict[str, Any]]) -> None:
    shares = {work: row["ours"] for work, row in rows.items() if "tokens equal" in work}
    assert len(shares) == 10
    assert set(shares.values()) == {100}


def test_pictures_equal_those_of_diffusers(rows: dict[str, dict[str, Any]]) -> None:
    differences = {work: row["ours"] for work, row in rows.items() if "difference" in work}
    assert len(differences) == 3
    assert max(differences.values()) < 1


def test_a_ratio_says_how_many_times_better_ours_is() -> None:
    assert Comparison("a step", "s", ours=1.0, stock=2.0).ratio == 2
    assert Comparison("speed", "tokens/s", ours=30.0, stock=20.0, less=False).ratio == 1.5
    assert Comparison("memory", "GB", ours=None).ratio is None
