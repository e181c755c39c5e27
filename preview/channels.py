"""The channels of the page's list: those of the server with their threads, and the direct messages of a member."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, UserHandle

from preview.fixtures import Fixtures

Kind = Literal["text", "thread", "direct"]


@dataclass(frozen=True)
class ListedChannel:
    """A channel, and as whom it can be looked at: SimCord shows direct messages to their own user alone."""

    handle: ChannelHandle
    name: str
    kind: Kind
    viewers: tuple[MemberActor | UserHandle, ...]


def listed_channels(fixtures: Fixtures) -> Iterator[ListedChannel]:
    """Yield all channels that can be opened now, in display order. The first one is open at the start."""
    for channel in fixtures.channels:
        yield ListedChannel(channel, channel.name or "", "text", fixtures.viewers)
        for thread in channel.threads:
            yield ListedChannel(thread, thread.name or "", "thread", fixtures.viewers)
    user = fixtures.viewers[0].user
    yield ListedChannel(user.dm_channel, "Inkling", "direct", (user,))
