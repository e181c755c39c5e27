"""How many jobs one interaction may start."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.imagine.preparation import most_jobs


class _Installed:
    """An interaction of a bot that is installed to a person, a server, or both."""

    def __init__(self, *, person: bool, server: bool) -> None:
        self._person, self._server = person, server

    def is_user_integration(self) -> bool:
        return self._person

    def is_guild_integration(self) -> bool:
        return self._server


@pytest.mark.parametrize(("person", "server", "most"), [(True, False, 5), (True, True, 9), (False, True, 9)])
def test_a_bot_installed_to_a_person_alone_may_send_five_messages(person: bool, server: bool, most: int) -> None:
    interaction: Any = _Installed(person=person, server=server)
    assert most_jobs(interaction, 9) == most
    assert most_jobs(interaction, 2) == 2
