"""The connection to Discord's gateway, as discord.py reports it."""

from __future__ import annotations

from collections import Counter
from typing import Literal

Session = Literal["new", "resumed"]
"""Whether a connection began a new session, or went on with the one before."""


class Gateway:
    """Whether the bot is connected, and how often it had to connect again."""

    def __init__(self) -> None:
        self.is_connected = False
        self.reconnects: Counter[Session] = Counter()
        self._was_connected = False

    def connect(self, session: Session) -> None:
        """Note a connection. The first one is no reconnect."""
        self.reconnects[session] += self._was_connected
        self.is_connected = self._was_connected = True
