"""Check of requests that require a model with a safety checker."""

from __future__ import annotations

from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest


def require_checker(request: ImagineRequest, *, present: bool) -> None:
    """Raise InvalidRequest if the request requires a safety checker and none is `present`."""
    if request.require_safety_checker and not present:
        raise InvalidRequest(
            "This model comes without a safety checker, so this bot's operator allows it in age-restricted channels "
            "alone. Ask there, or choose another model."
        )
