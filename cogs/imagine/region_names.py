"""What the parts of a picture are called."""

from __future__ import annotations

from cogs.i18n import tr, word
from inference import cells_of


def region_name(region: str) -> str:
    """In the current language: `left half`, `cells 1 2 5`."""
    if cells := cells_of(region):
        return tr("cells {numbers}", numbers=" ".join(map(str, sorted(cells))))
    return word(region, "choice")
