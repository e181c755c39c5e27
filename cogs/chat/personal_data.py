"""What is stored of conversations: the thoughts of models. The messages themselves are Discord's."""

from __future__ import annotations

from cogs.common.personal_data import PersonalRows
from cogs.i18n import ntr


class PersonalThoughts(PersonalRows):
    """What models thought before they answered the person."""

    name = "thoughts"

    def sentence(self, count: int) -> str:
        return ntr(
            "{count} text of a model's thoughts before an answer to you. A button below the answer shows it.",
            "{count} texts of a model's thoughts before answers to you. A button below each answer shows them.",
            count,
            count=count,
        )
