"""The text of /quota."""

from __future__ import annotations

from cogs.common.markdown import relative
from cogs.common.quotas import Allowance, Asker, Quotas, Whose, amount
from cogs.common.rules import named
from cogs.i18n import tr


def quota_text(quotas: Quotas, asker: Asker, *, manages: bool) -> str:
    """Return what this person has used today and has left here; with `manages`, also what the server has used."""
    allowances: dict[Whose, Allowance] = {allowance.whose: allowance for allowance in quotas.allowances(asker)}
    pause, reserved = quotas.pause(asker), quotas.reserved_by(asker.person)
    lines = [
        tr("**Your computing time today**"),
        _person(allowances, quotas.used_by(asker.person)),
        *_roles(quotas, asker),
        *_member(allowances),
        *_server(allowances, quotas, asker, manages=manages),
    ]
    if reserved and allowances:
        lines.append(
            tr("Your open requests will take about {cost}; that is already subtracted.", cost=amount(reserved))
        )
    if pause:
        lines.append(tr("Between two of your requests there must be {pause}.", pause=amount(pause)))
    lines.append(
        tr("All of it returns {time}.", time=relative(quotas.returns)) if allowances else tr("There is no quota here.")
    )
    lines.append(
        "-# "
        + tr("Computing time is how long models work on requests; waiting does not count. A day ends at midnight UTC.")
    )
    return "\n".join(lines)


def _person(allowances: dict[Whose, Allowance], used: float) -> str:
    """Return the line about the person, everywhere."""
    if allowance := allowances.get("person"):
        return tr("**You**: {used} of {most} used, {left} left", **_amounts(allowance))
    return tr("**You**: {used} used", used=amount(used))


def _roles(quotas: Quotas, asker: Asker) -> list[str]:
    """Return the roles that give this person more, each with what it gives."""
    more = {role: quotas.config.roles[role] for role in sorted(asker.roles) if role in quotas.config.roles}
    return [
        tr("{role} gives you {most} a day.", role=named("<@&{}>", [role]), most=amount(most))
        for role, most in more.items()
        if most > (quotas.config.person or most)
    ]


def _member(allowances: dict[Whose, Allowance]) -> list[str]:
    """Return the line about the person on this server, if the server has a quota for each person."""
    allowance = allowances.get("member")
    return (
        [tr("**You, on this server**: {used} of {most} used, {left} left", **_amounts(allowance))] if allowance else []
    )


def _server(allowances: dict[Whose, Allowance], quotas: Quotas, asker: Asker, *, manages: bool) -> list[str]:
    """Return the line about everybody on this server; what they have used is for its managers."""
    allowance = allowances.get("server")
    if manages and asker.guild is not None and not allowance:
        return [tr("**Everybody on this server**: {used} used", used=amount(quotas.used_on(asker.guild)))]
    if not allowance:
        return []
    if manages:
        return [tr("**Everybody on this server**: {used} of {most} used, {left} left", **_amounts(allowance))]
    return [tr("**Everybody on this server**: {most} a day, together", most=amount(allowance.most))]


def _amounts(allowance: Allowance) -> dict[str, str]:
    return {"used": amount(allowance.used), "most": amount(allowance.most), "left": amount(allowance.left)}
