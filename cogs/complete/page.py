"""How a text looks in its message: the person's words in bold, or quoted above where the model answers them."""

from __future__ import annotations

import re

from cogs.language import tr
from cogs.reply import Attached, Page, neutral, quoted
from cogs.reply.text import tail
from storage import Story

_PROMPT_SHOWN = 400
_SPACES = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)

_LONGEST = 1650
"""Characters of one message, with room for small print. A story keeps to its message, and a file has the rest."""

_LONGEST_DRAFT = 1400


def finished(story: Story, why: str = "") -> Page:
    """The story as it stays; where it is longer than a message, its end, and all of it as a file.

    `why` tells what ended it.
    """
    head = _head(story)
    body = neutral(_words(story, story.written), code=True)
    page = Page((head + body).rstrip(), note=_note(story, why))
    if not story.written.strip():
        return Page(f"{head.rstrip()}\n{tr('The model added nothing.')}", note=page.note)
    if len(page.text) <= _LONGEST:
        return page
    note = f"{tr('The whole text is in the attached file.')}\n-# {page.note}"
    return Page(_cut(story, story.written, _LONGEST), (_file(story),), note=note)


def growing(story: Story, text: str) -> Page:
    """The story while `text` is being added to it; the file is for when it ends there."""
    whole = _head(story) + neutral(_words(story, story.written + text))
    if len(whole) <= _LONGEST_DRAFT:
        return Page(whole)
    return Page(_cut(story, story.written + text, _LONGEST_DRAFT), (_file(story, text),))


def _cut(story: Story, written: str, longest: int) -> str:
    """The prompt, and as much of the end of what is `written` as there is room for."""
    head = _head(story)
    return head + tail(neutral(_words(story, written)), longest - len(head))


def _head(story: Story) -> str:
    """The person's words, or their end when there are many. `…` stands for what was said before them."""
    if story.foreign:
        return "" if story.chat else "…"
    if story.chat:
        return quoted(story.request.prompt) + "\n\n"
    prompt = story.request.prompt
    match = _SPACES.fullmatch(prompt[-_PROMPT_SHOWN:])
    assert match is not None, "it fits every text"
    before, words, after = match.groups()
    dots = "…" if len(prompt) > _PROMPT_SHOWN else "… " if story.follows else before
    return f"{dots}**{neutral(words)}**{after}"


def _words(story: Story, written: str) -> str:
    """A reply begins with its first word; what is added to a text may begin with a space."""
    return written.lstrip() if story.chat else written


def _file(story: Story, text: str = "") -> Attached:
    """All of it as it was written, and the prompt where both are one text."""
    written = story.written + text
    plain = written.lstrip() if story.chat else story.request.prompt + written
    return Attached("text.txt", plain.encode())


def _note(story: Story, why: str) -> str:
    take = story.pieces[-1].take
    parts = (tr("seed {seed}", seed=take.seed), tr("the model ended here") if take.ended else "", why)
    return " · ".join(part for part in parts if part)
