"""Requests and drawings as JSON, without the bytes of their pictures.

A field that an older version did not have takes its default, one that a newer version had is left out.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from inference import Drawing, ImagineRequest

_REQUEST = TypeAdapter(ImagineRequest)
_DRAWING = TypeAdapter(Drawing)


def request_to_json(request: ImagineRequest) -> str:
    return _REQUEST.dump_json(request, exclude={"image", "mask"}).decode()


def request_from_json(text: str, image: bytes, mask: bytes) -> ImagineRequest:
    return replace(_REQUEST.validate_json(text), image=image, mask=mask)


def drawing_to_json(drawing: Drawing) -> str:
    pictures = tuple(replace(picture, png=b"") for picture in drawing.pictures)
    return _DRAWING.dump_json(replace(drawing, pictures=pictures)).decode()


def drawing_from_json(text: str) -> Drawing:
    return _DRAWING.validate_json(text)
