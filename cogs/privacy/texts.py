"""What /privacy says."""

from __future__ import annotations

from cogs.i18n import ntr, tr


def overview(drawings: int, texts: int) -> str:
    """What is kept of a person with so many drawings and texts, and for how long."""
    parts = [
        "\n".join([tr("**What is kept of you**"), *(f"- {kept}" for kept in _kept(drawings, texts))]),
        tr(
            "**For how long**: drawings and texts as long as their message is there, and a day where only you see it. "
            "What stands around an answer of /ask stays in memory for an hour, for its buttons."
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


def _kept(drawings: int, texts: int) -> list[str]:
    return [
        ntr(
            "{count} drawing: its prompt and settings, and the pictures you started from. Its buttons need that.",
            "{count} drawings: their prompts and settings, and the pictures you started from. Their buttons need that.",
            drawings,
            count=drawings,
        ),
        ntr(
            "{count} text of /complete: what you wrote, and what the model wrote. Its buttons need that.",
            "{count} texts of /complete: what you wrote, and what the model wrote. Their buttons need that.",
            texts,
            count=texts,
        ),
        tr("What you have chosen in /settings, until you reset it."),
    ]


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
        "kept.json, which any text editor or browser shows, has your settings, your drawings and texts with what you "
        "asked for, and the latest answers of /ask. Times are in UTC.\n"
        "The folder pictures, if it is there, has the pictures that your drawings started from. A drawing names them "
        "under image and mask.\n"
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
