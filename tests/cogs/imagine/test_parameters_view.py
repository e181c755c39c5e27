"""The content of the button Parameters, which always fits into one message."""

from __future__ import annotations

import pytest

from cogs.imagine.parameters_view import parameters_content
from inference import GeneratedImage, ImageResult, ImagineRequest, Variation, infotext
from storage import StoredImage


def _stored_image(prompt: str, count: int, depth: int) -> StoredImage:
    def picture(index: int) -> GeneratedImage:
        variations = tuple(Variation(4294967290 - index - level, 0.2) for level in range(depth))
        return GeneratedImage(b"", 4294967200 + index, variations=variations)

    drawing = ImageResult(tuple(map(picture, range(count))), 512, 512, 25, 7.5, "DPM++ 2M Karras")
    return StoredImage("x", 1, 2, 3, 0.0, ImagineRequest(prompt=prompt, count=count), drawing)


@pytest.mark.parametrize(("count", "depth"), [(1, 0), (4, 0), (4, 2), (4, 12), (10, 0), (10, 9)])
@pytest.mark.parametrize("prompt", ["a fox", "p" * 6000, "```" * 700])
def test_parameters_fit_into_a_message_and_files_hold_the_rest(prompt: str, count: int, depth: int) -> None:
    stored = _stored_image(prompt, count, depth)
    content = parameters_content(stored)
    assert len(content.text) <= 2000
    assert content.text.count("```") == 2
    files = {file.name: file.data.decode() for file in content.files}
    text = infotext.to_text(infotext.request_for_image(stored.request, stored.result, 0))
    assert files.get("parameters.txt", text) == text
    last = f"Picture {count}: seed {4294967200 + count - 1}"
    assert count == 1 or last in files.get("seeds.txt", content.text)


def test_short_parameters_need_no_file() -> None:
    assert not parameters_content(_stored_image("a fox", 4, 2)).files
