"""The results of a run as one line of JSON, and two such runs compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.machine import Machine
from bench.result_table import NONE, Row, number, table

_HEADINGS = ("work", "first", "second", "ours, second ÷ first", "stock, second ÷ first")


def write(file: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Write the run as one line."""
    run = {
        "machine": asdict(machine) | {"text": str(machine)},
        "rows": [asdict(row) | {"state": row.state} for row in rows],
    }
    file.write_text(json.dumps(run, ensure_ascii=False) + "\n", encoding="utf-8")


def compare(first: Path, second: Path) -> str:
    """Return what both runs measured as a table. The ratio of stock tells how far the machine itself differed."""
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in (first, second)]
    rows_of_first: dict[str, Any] = {row["work"]: row for row in runs[0]["rows"]}
    pairs = [(rows_of_first[row["work"]], row) for row in runs[1]["rows"] if row["work"] in rows_of_first]
    machines = [f"{name}: {run['machine']['text']}" for name, run in zip(("first", "second"), runs, strict=True)]
    return "\n\n".join([*machines, table([_cells(*pair) for pair in pairs], _HEADINGS)])


def _cells(first: dict[str, Any], second: dict[str, Any]) -> tuple[str, ...]:
    return (
        second["work"],
        f"{number(first['ours'])} {first['unit']}",
        f"{number(second['ours'])} {second['unit']}",
        _ratio(first["ours"], second["ours"]),
        _ratio(first["stock"], second["stock"]),
    )


def _ratio(first: float | None, second: float | None) -> str:
    return f"{second / first:.2f}" if first and second else NONE
