"""The operator's safety rules, applied to the channel that a drawing is for."""

from __future__ import annotations

from dataclasses import replace

from cogs.common.age_restriction import age_restricted
from inference import Config, ImagineRequest


def for_channel(request: ImagineRequest, channel: object, config: Config) -> ImagineRequest:
    """`request` with what may be shown in `channel`, and which models may draw there."""
    adults = age_restricted(channel)
    return replace(
        request,
        show_flagged=adults and config.safety.flagged == "spoiler",
        require_safety_checker=not adults and config.safety.unchecked == "restricted",
    )
