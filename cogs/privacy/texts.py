"""The texts of /privacy."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.i18n import tr


def overview(kept: Sequence[str], servers: Sequence[str] = (), *, uses_cluster: bool = False) -> str:
    """Return what is stored about a person, a line for each kind of data, for how long, and where models run.

    `servers` are the hosts that run models for this bot, and with `uses_cluster` so do other machines of its operator.
    """
    parts = [
        "\n".join([tr("**What is kept of you**"), *(f"- {line}" for line in kept or [tr("Nothing at the moment.")])]),
        tr("**For how long**: data of a message, until that message is deleted; if only you see it, for one day."),
        tr(
            "**What is not kept**: everything else that you write or send, and everything else that models answer. "
            "It is there only until you have your answer."
        ),
        _where(servers) + (f" {_about_cluster()}" if uses_cluster else ""),
    ]
    return "\n\n".join(parts)


def _where(servers: Sequence[str]) -> str:
    if not servers:
        return tr(
            "Models run on the machine that runs this bot. What you write goes to no service but Discord, which keeps "
            "messages under its own policy, and nothing is trained on it."
        )
    return tr(
        "Some models run on other servers: {hosts}. What you write or send for them, and what they read for you, goes "
        "there; ask the bot's operator what those servers keep. The other models run on the machine that runs this "
        "bot. Otherwise it goes to no service but Discord, which keeps messages under its own policy. The bot trains "
        "nothing on it.",
        hosts=", ".join(f"`{host}`" for host in servers),
    )


def _about_cluster() -> str:
    return tr(
        "The machine that runs this bot belongs to a cluster: what you write or send may also go to the other machines "
        "that its operator has joined to it."
    )


def question() -> str:
    """Return the question before everything is deleted."""
    return tr(
        "Delete all that is kept of you? Buttons below your drawings and texts will stop working, and that can't be "
        "undone. The messages themselves stay in Discord: to be rid of one, press Delete below it first, or ask a "
        "moderator afterwards."
    )


def readme() -> str:
    """Return the README of the exported file."""
    return tr(
        "This is all that the bot keeps of you.\n\n"
        "kept.json, which any text editor or browser shows, has all of it but the pictures. Times are in UTC.\n"
        "The folder pictures, if it is there, has the pictures that you handed in; kept.json names them.\n"
    )


def handed_out(left_out: int) -> str:
    """Return the message with the exported file; `left_out` is the number of pictures not in it."""
    text = tr("Here is all that I keep of you. README.txt in the file tells what is in it.")
    note = tr(
        "{count} of the pictures that you started from are left out, since Discord takes no larger files here. They "
        "are files that you handed in yourself.",
        count=left_out,
    )
    return f"{text}\n{note}" if left_out else text


def deleted(left: Sequence[str]) -> str:
    """Return the message after the deletion; `left` has a line for each kind of data that stays for now."""
    if not left:
        return tr("Done. Nothing is kept of you any more, until you use the bot again.")
    return "\n".join([tr("Done. Only this stays for now:"), *(f"- {line}" for line in left)])
