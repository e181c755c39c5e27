"""The drawing that a button or a form is about, for the person whose it is."""

from __future__ import annotations

from inference import InvalidRequest
from storage import ImageTable, StoredImage


async def owned_image(drawings: ImageTable, drawing_id: str, person: int, *, pictures: bool = True) -> StoredImage:
    """The drawing, if it is still kept and theirs, with the `pictures` it starts from; raises InvalidRequest."""
    kept = await drawings.get(drawing_id, pictures=pictures)
    if kept is None:
        raise InvalidRequest("I no longer know how this was drawn, so its buttons can do nothing. Use /imagine again.")
    if kept.owner != person:
        raise InvalidRequest(
            "Only the person who asked for this can use its buttons. Draw your own with /imagine, or from this picture "
            "with Remix image in the message's menu, under Apps."
        )
    return kept
