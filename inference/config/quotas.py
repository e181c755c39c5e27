"""The section `quotas` of config.yaml: how long the models work for people and servers."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from inference.limits import ConfigSection, Expected
from inference.types.durations import parse_duration

DURATION = Expected("a duration like 90 s, 10 min or 2 h")
"""The words for a duration. There is no duration of zero: a line that is left out means no quota."""


def _duration(value: Any) -> int | None:
    return None if value is None else parse_duration(value)


def _role(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("is no role. Write the id of a role, a long number: right-click the role, Copy Role ID")
    return value


Duration = Annotated[int, BeforeValidator(parse_duration), DURATION]
DurationOrNone = Annotated[int | None, BeforeValidator(_duration), DURATION]
RoleId = Annotated[int, BeforeValidator(_role)]


class QuotasSection(ConfigSection):
    """How long the models may work on the requests of a person or a server in a day, which begins at midnight UTC.

    Nothing is limited by default.
    """

    person: DurationOrNone = Field(
        default=None, description="Computing time of one person a day, on all servers and in direct messages together."
    )
    roles: dict[RoleId, Duration] = Field(
        default_factory=dict[int, int],
        description="Computing time of people with a role, by the role's id, such as `{123456789012345678: 30 min}`. "
        "Of several roles and `person` the largest counts. Direct messages know no roles.",
    )
    server: DurationOrNone = Field(default=None, description="Computing time of all people on one server a day.")
    cooldown: DurationOrNone = Field(
        default=None, description="The least time from one request of a person to the next."
    )

    @model_validator(mode="after")
    def _has_a_quota_to_raise(self) -> Self:
        if self.roles and self.person is None:
            raise ValueError("`roles` needs `person`: without it, everybody may use as much as they like")
        return self
