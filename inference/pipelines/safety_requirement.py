"""Whether a model may draw for a request that wants its pictures checked."""

from __future__ import annotations

from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest


def require_checker(request: ImagineRequest, *, present: bool) -> None:
    """Raises InvalidRequest if the request is for models with a safety checker alone, and none is `present`."""
    if request.require_safety_checker and not present:
        raise InvalidRequest(
            "This model comes without a safety checker, so this bot's operator allows it in age-restricted channels "
            "alone. Ask there, or choose another model."
        )
