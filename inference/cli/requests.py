"""From arguments to a request."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

from inference.types import (
    AskRequest,
    CaptionRequest,
    CompleteRequest,
    FillRequest,
    ImagineRequest,
    Request,
    SentimentRequest,
    SummarizeRequest,
)

_KINDS: tuple[type[Request], ...] = (
    CompleteRequest,
    FillRequest,
    SummarizeRequest,
    AskRequest,
    CaptionRequest,
    ImagineRequest,
    SentimentRequest,
)


def build_request(args: argparse.Namespace) -> Request:
    """The request of `args.task`; each of its fields is an option of the same name, or keeps its default."""
    kind = next(kind for kind in _KINDS if kind.task == args.task)
    given: dict[str, Any] = vars(args)
    if "size" in given:
        given |= dict(zip(("width", "height"), args.size, strict=True))
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in given.items() if name in names})
