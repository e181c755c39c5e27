"""A bot with a chat model, whose turns begin at once."""

from __future__ import annotations

from typing import cast

import pytest

from cogs.chat import Chat
from cogs.client import Inkling
from tests.cogs.stage import Stage


@pytest.fixture(autouse=True)
def no_pause(stage: Stage) -> None:
    chat = cast(Inkling, stage.bot).get_cog("Chat")
    assert isinstance(chat, Chat)
    chat.conversations.pause = 0
