"""Durations as people write them."""

from __future__ import annotations

import pytest

from inference import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("10 min", 600),
        ("2 h", 7200),
        (" 1.5 H ", 5400),
        ("1 h 30 min", 5400),
        ("1h30min", 5400),
        ("1 hour 5 seconds", 3605),
        ("10 minutes", 600),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    ["", " ", "10", 10, True, None, "0 s", "0.2 s", "-5 min", "5 m 3", "1:30 h", "30 min 1 h", "1e3 s", "inf h", []],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(value)
