"""Forms that can be submitted after a restart: their custom id says everything that a submission needs."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import discord

from cogs.common.access import check_access
from cogs.common.error_messages import apologize
from cogs.common.rules import services_of
from cogs.i18n.locale import use_locale_of
from inference import InvalidRequest

_LONGEST_TITLE = 45
"""The most characters of a title in Discord."""

Typed = Mapping[str, Any]
"""What was typed or ticked, by the custom ids of the fields."""


class PersistentForm(discord.ui.Modal, ABC):
    """A modal whose submission is handled by its class alone, before and after a restart.

    `template` is the pattern of its custom ids.
    """

    template: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, template: str = "") -> None:
        super().__init_subclass__()
        cls.template = re.compile(template)

    def __init__(self, title: str, custom_id: str) -> None:
        super().__init__(title=title[:_LONGEST_TITLE], custom_id=custom_id)
        self.stop()  # so that discord.py does not keep this object

    @classmethod
    @abstractmethod
    async def submit(cls, interaction: discord.Interaction, match: re.Match[str], typed: Typed) -> None:
        """Do what the form is for. `match` is the template's match of the custom id."""


async def submit_form(forms: Iterable[type[PersistentForm]], interaction: discord.Interaction) -> None:
    """Hand a submitted form to its class, in the language of the person; report errors that no session has handled.

    People who may not use the bot are refused.
    """
    services = services_of(interaction)
    use_locale_of(interaction, services.store.settings)
    data: Any = interaction.data
    found = ((form, form.template.fullmatch(data["custom_id"])) for form in forms)
    try:
        check_access(interaction, services)
        for form, match in found:
            if match:
                await form.submit(interaction, match, _typed(data["components"]))
                return
        raise InvalidRequest("I don't know this form any more. Open it again.")
    except Exception as error:
        await apologize(interaction, error)


def _typed(components: Iterable[Any]) -> dict[str, Any]:
    fields = (each.get("component") or each["components"][0] for each in components)
    return {field["custom_id"]: field.get("value", field.get("values")) for field in fields}
