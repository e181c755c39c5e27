"""Sizes in words."""

from __future__ import annotations

import pytest

from inference.types.sizes import size_text


@pytest.mark.parametrize(
    ("nbytes", "words"),
    [
        (0, "0 bytes"),
        (12, "12 bytes"),
        (1500, "2 kB"),
        (40_000, "40 kB"),
        (999_600, "1 MB"),
        (2_000_000, "2 MB"),
        (270 * 10**6, "270 MB"),
        (999_900_000, "1.0 GB"),
        (10**9, "1.0 GB"),
        (3 * 10**15, "3,000,000.0 GB"),
    ],
)
def test_a_size_is_written_in_the_unit_that_fits(nbytes: int, words: str) -> None:
    assert size_text(nbytes) == words
