"""Test regions of a picture, given by name or by selected cells."""

from __future__ import annotations

import numpy as np
import pytest

from inference.images.regions import REGIONS, cells_of, cells_region, check_region, region_mask
from inference.types.errors import InvalidRequest


def white(region: str) -> np.ndarray:
    """Return which pixels [height, width] of a picture of 12 × 6 pixels are in the region."""
    return np.asarray(region_mask(region, 12, 6)) == 255


def test_two_halves_cover_the_picture_and_do_not_overlap() -> None:
    for one, other in (("left half", "right half"), ("top half", "bottom half")):
        assert white(one).sum() == 36
        assert np.array_equal(white(other), ~white(one))
    assert white("left half")[:, :6].all()
    assert white("top half")[:3].all()


def test_the_centre_is_in_the_middle_and_the_background_is_around_it() -> None:
    assert white("centre")[3, 6]
    assert not white("centre")[0, 0]
    assert white("background")[0, 0]
    assert not white("background")[3, 6]


def test_cells_are_numbered_row_by_row() -> None:
    assert white("cells 1")[:2, :4].all()
    assert white("cells 1").sum() == 8
    assert white("cells 6")[2:4, 8:].all()
    assert white("cells 1 6").sum() == 16
    assert white(cells_region(range(1, 10))).all()


def test_selected_cells_survive_a_round_trip_through_text() -> None:
    assert cells_region({5, 1}) == "cells 1 5"
    assert cells_of("cells 1 5") == {1, 5}
    assert cells_of("left half") == set()


def test_unknown_regions_are_refused_with_a_list_of_the_names() -> None:
    for region in REGIONS:
        check_region(region)
    for wrong in ("", "Left Half", "cells", "cells 10", "cells 1,2"):
        with pytest.raises(InvalidRequest, match="There are: left half, right half"):
            check_region(wrong)
