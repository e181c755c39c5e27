"""The answers of /ask that are stored for their buttons."""

from __future__ import annotations

from cogs.common.personal_data import PersonalRows
from cogs.i18n import ntr


class PersonalAnswers(PersonalRows):
    """The answers to the person in the last hour, and the parts of the texts that they were found in."""

    name = "answers"

    def sentence(self, count: int) -> str:
        return ntr(
            "{count} answer of /ask and what stands around it, for an hour. Its buttons need that.",
            "{count} answers of /ask and what stands around them, for an hour. Their buttons need that.",
            count,
            count=count,
        )
