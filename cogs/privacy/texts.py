"""What /privacy says."""

from __future__ import annotations

from collections.abc import Sequence

from cogs.i18n import tr


def overview(kept: Sequence[str]) -> str:
    """What is kept of a person, a line for each kind, and for how long."""
    parts = [
        "\n".join([tr("**What is kept of you**"), *(f"- {line}" for line in kept)]),
        tr(
            "**For how long**: what belongs to a message, as long as that message is there, and a day where only you "
            "see it."
        ),
        tr(
            "**What is not kept**: all else that you write or hand in, and all else that models answer. It is in "
            "memory until you have your answer."
        ),
        tr(
            "Models run on the machine that runs this bot. What you write goes to no service but Discord, which keeps "
            "messages under its own policy, and nothing is trained on it."
        ),
    ]
    return "\n\n".join(parts)


def question() -> str:
    """Before everything is deleted."""
    return tr(
        "Delete all that is kept of you? Buttons below your drawings and texts will stop working, and that can't be "
        "undone. The messages themselves stay in Discord: to be rid of one, press Delete below it first, or ask a "
        "moderator afterwards."
    )


def readme() -> str:
    """What is in the file with all that is kept of a person, for the file itself."""
    return tr(
        "This is all that the bot keeps of you.\n\n"
        "kept.json, which any text editor or browser shows, has all of it but the pictures. Times are in UTC.\n"
        "The folder pictures, if it is there, has the pictures that you handed in; kept.json names them.\n"
    )


def handed_out(left_out: int) -> str:
    """What comes with that file, of which so many pictures are `left_out`."""
    said = tr("Here is all that I keep of you. README.txt in the file tells what is in it.")
    note = tr(
        "{count} of the pictures that you started from are left out, since Discord takes no larger files here. They "
        "are files that you handed in yourself.",
        count=left_out,
    )
    return f"{said}\n{note}" if left_out else said


def deleted() -> str:
    """After that."""
    return tr("Done. Nothing is kept of you any more, until you use the bot again.")
