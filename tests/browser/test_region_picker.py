"""The region picker, and a picture drawn from a caption, in a real browser."""

from __future__ import annotations

from playwright.async_api import expect

from inference import ImagineRequest
from preview.pictures import lake_hut
from tests.browser.conftest import Open
from tests.fakes import FakeBackend


async def test_a_cell_is_ticked_on_the_picture_and_drawn(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.start_command("imagine")
    await person.option("prompt", "a sailing boat")
    await person.option("image", None)
    await person.attach("image", "hut.png", lake_hut())
    await person.option("region", "pick on the picture")
    await person.send()
    await person.sees("Which part should be drawn anew?")
    draw = person.messages.last.get_by_role("button", name="Draw")
    await expect(draw).to_be_disabled()
    await person.press("9")
    await expect(draw).to_be_enabled()
    await expect(person.messages.last.get_by_alt_text("Chosen: cells 9.")).to_have_js_property("naturalWidth", 480)
    await person.press("Draw")
    await expect(person.messages.last.get_by_role("button", name="Remix")).to_be_visible()
    (request,) = backend.requests
    assert isinstance(request, ImagineRequest)
    assert (request.region, request.image) == ("cells 9", lake_hut())


async def test_a_caption_becomes_a_picture(open_preview: Open):
    backend = FakeBackend()
    person = await open_preview(backend)
    await person.start_command("caption")
    await person.attach("image", "hut.png", lake_hut())
    await person.send()
    await person.sees("a cat on a mat")
    await person.press("Imagine this")
    form = person.page.get_by_role("dialog").last
    await expect(form.locator("textarea").first).to_have_value("a cat on a mat")
    await person.submit(form)
    await person.sees("a cat on a mat")
    await expect(person.messages.last.get_by_role("button", name="Remix")).to_be_visible()
    assert [type(request) for request in backend.requests][1:] == [ImagineRequest]
