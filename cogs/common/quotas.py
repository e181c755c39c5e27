"""Quotas: how long models may work for a person and a server in a day, and the pause between two requests.

The operator sets them, and a server can set lower ones for itself. What counts is the time that was used today, what
the open requests are expected to take, and what the new one is expected to take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from math import ceil
from typing import Literal, Protocol

from cogs.common.markdown import relative, seconds
from cogs.i18n import gettext_noop, tr
from inference import Engine, InvalidRequest, QuotasSection
from storage import NO_SERVER, ServerSettings, Store, end_of_day

_LARGE = 0.25
"""The part of what is left that a request may take without a word."""

_DAY = 86400.0

Whose = Literal["person", "member", "server"]
"""Whose quota it is: a person's everywhere, a person's on this server, or that of the whole server."""

_USED_UP: Mapping[Whose, str] = {
    "person": gettext_noop(
        "You have used all of your {most} of computing time for today. It returns {time}. /quota shows more."
    ),
    "member": gettext_noop(
        "You have used all of the {most} of computing time that this server gives each person for a day. It returns "
        "{time}. /quota shows more."
    ),
    "server": gettext_noop(
        "This server has used all of its {most} of computing time for today. It returns {time}. /quota shows more."
    ),
}

_TOO_MUCH: Mapping[Whose, str] = {
    "person": gettext_noop(
        "This takes about {cost}, but you have {left} of your {most} of computing time left today. Ask for less, or "
        "wait: it returns {time}. /quota shows more."
    ),
    "member": gettext_noop(
        "This takes about {cost}, but you have {left} left of the {most} of computing time that this server gives "
        "each person for a day. Ask for less, or wait: it returns {time}. /quota shows more."
    ),
    "server": gettext_noop(
        "This takes about {cost}, but this server has {left} of its {most} of computing time left today. Ask for "
        "less, or wait: it returns {time}. /quota shows more."
    ),
}


class Asker(Protocol):
    """Who asks, and where: a person with roles on a server, or in a direct message."""

    @property
    def person(self) -> int: ...

    @property
    def guild(self) -> int | None: ...

    @property
    def roles(self) -> Set[int]: ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds of today: `most`, of which `used` are gone, and open requests are expected to take `reserved`."""

    whose: Whose
    most: float
    used: float
    reserved: float = 0.0

    @property
    def left(self) -> float:
        return max(0.0, self.most - self.used - self.reserved)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """An accepted request that has not ended, the seconds that it is expected to take yet, and when it came."""

    person: int
    guild: int | None
    cost: float
    since: float


def personal_quota(quotas: QuotasSection, roles: Iterable[int]) -> int | None:
    """Return the seconds a day of a person with these roles: the largest that applies; None for no quota."""
    if quotas.person is None:
        return None
    return max([quotas.person, *(quotas.roles[role] for role in roles if role in quotas.roles)])


def check_allowances(allowances: Iterable[Allowance], cost: float | None, returns: float) -> None:
    """Raise InvalidRequest if one of them is used up, or has less left than `cost`, None if that is unknown."""
    for allowance in allowances:
        if not allowance.left and allowance.used < allowance.most:
            raise InvalidRequest(
                "The requests that are open will take the rest of today's computing time. Wait until one of them has "
                "ended. /quota shows more."
            )
        if not allowance.left:
            sentence = _USED_UP[allowance.whose]
            raise InvalidRequest(sentence, most=amount(allowance.most), time=relative(returns))
        if cost is not None and cost > allowance.left:
            sentence = _TOO_MUCH[allowance.whose]
            left, most = amount(allowance.left), amount(allowance.most)
            raise InvalidRequest(sentence, cost=seconds(cost), left=left, most=most, time=relative(returns))


def check_pause(pause: float, since_last: float) -> None:
    """Raise InvalidRequest if the person's last request came less than `pause` seconds ago."""
    if since_last < pause:
        raise InvalidRequest(
            "Between two of your requests there must be {pause}. Ask again in {wait}.",
            pause=amount(pause),
            wait=amount(ceil(pause - since_last)),
        )


def cost_note(allowances: Iterable[Allowance], cost: float | None) -> str:
    """Say what a request takes if that is much of what is left; empty if it is not, or not known."""
    tightest = min(allowances, key=lambda allowance: allowance.left, default=None)
    if tightest is None or cost is None or not tightest.left * _LARGE < cost <= tightest.left:
        return ""
    values = {"cost": seconds(cost), "left": amount(tightest.left)}
    if tightest.whose == "server":
        return tr("Takes about {cost} of the {left} that this server has left today.", **values)
    return tr("Takes about {cost} of the {left} that you have left today.", **values)


def amount(count: float) -> str:
    """Return seconds as text: `40 s`, `2 min 30 s`, `45 min`, `2 h`, `2 h 30 min`."""
    minutes, rest = divmod(round(count), 60)
    if not minutes:
        return tr("{count} s", count=rest)
    if minutes < 10 and rest:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    hours, minutes = divmod(round(count / 60), 60)
    if not hours:
        return tr("{count} min", count=minutes)
    return tr("{hours} h {minutes} min", hours=hours, minutes=minutes) if minutes else tr("{count} h", count=hours)


class Quotas:
    """The quotas of one bot, and the open requests that count.

    `clock` gives the time in seconds since 1970. A request is named by any object, such as its session.
    """

    def __init__(self, engine: Engine, store: Store, clock: Callable[[], float]) -> None:
        self._engine = engine
        self.clock = clock
        self._use = store.device_use
        self._jobs = store.jobs
        self._settings = store.settings
        self._open: dict[object, OpenRequest] = {}
        self._last: dict[tuple[int, int | None], float] = {}
        """When a person's last request began, on each server and, with None, anywhere; the oldest first."""

    @property
    def config(self) -> QuotasSection:
        """The quotas of the operator, as they are now."""
        return self._engine.config.quotas

    @property
    def returns(self) -> float:
        """When the next day begins, in seconds since 1970."""
        return end_of_day(self.clock())

    def count(self, owner: str, group: str, used: float) -> None:
        """Count device seconds of `owner`, a person's id, in `group`, a server's id or empty. On any thread."""
        if owner or group:
            self._use.add(int(owner or 0), int(group or NO_SERVER), used, self.clock())

    def allowances(self, asker: Asker, *, but: object = None) -> list[Allowance]:
        """Return what counts for this person here; the request `but` is not counted as open."""
        now, person, guild = self.clock(), asker.person, asker.guild
        found: list[Allowance] = []
        if (most := personal_quota(self.config, asker.roles)) is not None:
            reserved = self._reserved(but, person) + self._jobs.reserved_elsewhere(person)
            found.append(Allowance("person", most, self._use.of_person(person, now), reserved))
        if guild is None:
            return found
        if (most := self._server(asker).computing_time) is not None:
            used = self._use.of_person_on(person, guild, now)
            found.append(Allowance("member", most, used, self._reserved(but, person, guild)))
        if (most := self.config.server) is not None:
            used = self._use.of_server(guild, now)
            found.append(Allowance("server", most, used, self._reserved(but, guild=guild)))
        return found

    def used_by(self, person: int) -> float:
        """Return the seconds that this person has used today."""
        return self._use.of_person(person, self.clock())

    def used_on(self, guild: int) -> float:
        """Return the seconds that everybody on this server has used today."""
        return self._use.of_server(guild, self.clock())

    def reserved_by(self, person: int) -> float:
        """Return the seconds that this person's open requests are expected to take, in all processes of the bot."""
        return self._reserved(None, person) + self._jobs.reserved_elsewhere(person)

    def pause(self, asker: Asker) -> float:
        """Return the seconds between two requests of this person here; 0 for none."""
        return max(self.config.cooldown or 0.0, self._server(asker).cooldown or 0.0)

    def check(self, asker: Asker, cost: float | None, request: object) -> None:
        """Raise InvalidRequest if the quotas have no room for a request that takes `cost`, or it comes too soon."""
        check_allowances(self.allowances(asker, but=request), cost, self.returns)
        if pause := self.config.cooldown:
            check_pause(pause, self._since_last(asker.person, None, request))
        if pause := self._server(asker).cooldown:
            check_pause(pause, self._since_last(asker.person, asker.guild, request))

    def reserve(self, asker: Asker, cost: float | None, request: object) -> None:
        """Count `request` as open, with this cost, until it ends."""
        since = self._open[request].since if request in self._open else self.clock()
        self._open[request] = OpenRequest(asker.person, asker.guild, cost or 0.0, since)

    def begin(self, asker: Asker, request: object) -> None:
        """Note that `request` begins: the pause counts from when it came, also after its end.

        Where there is no pause, nothing is noted: on many servers, the people of a day are many.
        """
        since = self._open[request].since
        pauses = ((None, self.config.cooldown), (asker.guild, self._server(asker).cooldown))
        for guild in (guild for guild, pause in pauses if pause):
            last = self._last.pop((asker.person, guild), 0.0)
            self._last[asker.person, guild] = max(last, since)
        longest = max(_DAY, self.config.cooldown or 0.0)
        while self._last and since - self._last[oldest := next(iter(self._last))] > longest:
            del self._last[oldest]

    def end(self, request: object) -> None:
        """Count `request` as open no more."""
        self._open.pop(request, None)

    def _reserved(self, but: object, person: int | None = None, guild: int | None = None) -> float:
        """Return what the open requests take, except `but`: those of one person, of one server, or of both."""
        others = (each for name, each in self._open.items() if name is not but)
        return sum(each.cost for each in others if person in (None, each.person) and guild in (None, each.guild))

    def _since_last(self, person: int, guild: int | None, request: object) -> float:
        """Return the seconds from the last request of this person to `request`, which may have come just now."""
        others = [each for name, each in self._open.items() if name is not request and each.person == person]
        times = [each.since for each in others if guild in (None, each.guild)]
        came = self._open[request].since if request in self._open else self.clock()
        earlier = [time for time in (*times, self._last.get((person, guild), 0.0)) if time <= came]
        return came - max(earlier, default=0.0)

    def _server(self, asker: Asker) -> ServerSettings:
        return self._settings.server(asker.guild)
