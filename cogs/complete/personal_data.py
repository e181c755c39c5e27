"""The stored texts of a person."""

from __future__ import annotations

from cogs.common.personal_data import PersonalRows
from cogs.i18n import ntr


class PersonalTexts(PersonalRows):
    """The texts by the person and the model."""

    name = "completions"

    def sentence(self, count: int) -> str:
        return ntr(
            "{count} text of /complete: what you wrote, and what the model wrote. Its buttons need that.",
            "{count} texts of /complete: what you wrote, and what the model wrote. Their buttons need that.",
            count,
            count=count,
        )
