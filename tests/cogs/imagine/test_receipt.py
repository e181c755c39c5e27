"""What [Parameters] shows: always within one message of Discord's."""

from __future__ import annotations

import pytest

from cogs.imagine.receipt import receipt
from inference import Drawing, ImagineRequest, Picture, Variation, parameters
from storage import Kept


def _kept(prompt: str, count: int, turns: int) -> Kept:
    def picture(index: int) -> Picture:
        variations = tuple(Variation(4294967290 - index - turn, 0.2) for turn in range(turns))
        return Picture(b"", 4294967200 + index, variations=variations)

    drawing = Drawing(tuple(map(picture, range(count))), 512, 512, 25, 7.5, "DPM++ 2M Karras")
    return Kept("x", 1, 2, 3, 0.0, ImagineRequest(prompt=prompt, count=count), drawing)


@pytest.mark.parametrize(("count", "turns"), [(1, 0), (4, 0), (4, 2), (4, 12), (10, 0), (10, 9)])
@pytest.mark.parametrize("prompt", ["a fox", "p" * 6000, "```" * 700])
def test_a_message_holds_it_and_files_have_the_rest(prompt: str, count: int, turns: int) -> None:
    kept = _kept(prompt, count, turns)
    page = receipt(kept)
    assert len(page.text) <= 2000
    assert page.text.count("```") == 2
    files = {file.name: file.data.decode() for file in page.files}
    text = parameters.to_text(parameters.single(kept.request, kept.drawing, 0))
    assert files.get("parameters.txt", text) == text
    last = f"Picture {count}: seed {4294967200 + count - 1}"
    assert count == 1 or last in files.get("seeds.txt", page.text)


def test_a_short_one_needs_no_file() -> None:
    assert not receipt(_kept("a fox", 4, 2)).files
