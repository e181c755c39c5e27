"""Test which numbers of a text another one has. No model is needed."""

from __future__ import annotations

import pytest

from inference.text.figures import figures_not_in


@pytest.mark.parametrize(
    ("source", "text", "missing"),
    [
        ("40 chairs, 32.50 each", "40 chairs for 32.50", ()),
        ("40 chairs, 32.50 each", "41 chairs for 33.50, 41 in all", ("41", "33.50")),
        ("2,800,000 people", "2800000 or 2.800.000 people", ()),
        ("at 20:40", "at 20:50", ("20:50",)),
        ("４０個", "４０個", ()),
        ("", "no number", ()),
    ],
)
def test_numbers_that_the_source_does_not_have_are_found(source: str, text: str, missing: tuple[str, ...]) -> None:
    assert figures_not_in(source, text) == missing
