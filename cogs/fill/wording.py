"""What a filled text looks like: the text with its new words in bold, and below it the likeliest words as bars."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogs.language import tr
from cogs.reply import Page, neutral
from cogs.reply.text import bar
from inference import Filling, split_at_blanks

_BOLD = re.compile(r"\\.|\*\*(?:\\.|[^*\\])+\*\*", re.DOTALL)
"""Bold words are the bot's own: stars of people are escaped."""

_TABLE = "\n`"
"""The bars begin here: people's backticks are escaped too."""


def candidates(filling: Filling) -> list[tuple[tuple[str, ...], float]]:
    """The words that may be put in, one for each blank, with their probability; best first.

    Empty where there is nothing to choose: several blanks whose words were not judged together.
    """
    if filling.joint:
        return [(joint.words, joint.score) for joint in filling.joint]
    if len(filling.blanks) == 1:
        return [((prediction.word,), prediction.score) for prediction in filling.blanks[0]]
    return []


def shown(text: str, filling: Filling) -> Page:
    """The best words in `text`, and what else might stand there."""
    found = candidates(filling)
    best = found[0][0] if found else [words[0].word for words in filling.blanks]
    pieces = split_at_blanks(text)
    sentence = neutral(pieces[0]) + "".join(
        _bold(word) + neutral(piece) for word, piece in zip(best, pieces[1:], strict=True)
    )
    return Page(sentence + (_table(found) if found else _tables(filling)), plain=filling.text)


def with_words(message: str, words: Sequence[str]) -> str:
    """The bot's own `message` with other words in its blanks; the bars below stay."""
    sentence, table, rows = message.partition(_TABLE)
    coming = iter(words)

    def put(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("\\") else _bold(next(coming))

    return _BOLD.sub(put, sentence) + table + rows


def label(words: Sequence[str]) -> str:
    return " · ".join(words)


def _bold(word: str) -> str:
    return f"**{neutral(word)}**"


def _tables(filling: Filling) -> str:
    """The words for each blank alone."""
    return "".join(
        f"\n**{tr('Blank {number}', number=number)}**" + _table([((guess.word,), guess.score) for guess in predictions])
        for number, predictions in enumerate(filling.blanks, 1)
    )


def _table(rows: Sequence[tuple[tuple[str, ...], float]]) -> str:
    """Lines in code type, so that the bars stand below one another.

    Words for several blanks have a small probability together, so the bars compare them with the best.
    """
    words = [label(row).replace("`", "'") for row, _ in rows]
    width = max(map(len, words), default=0)
    full = rows[0][1] if rows and len(rows[0][0]) > 1 else 1.0
    return "".join(
        f"\n`{word:<{width}} {bar(min(1.0, score / (full or 1.0)))} {_percent(score):>4}`"
        for word, (_, score) in zip(words, rows, strict=True)
    )


def _percent(score: float) -> str:
    return "<1%" if 0 < score < 0.005 else f"{score:.0%}"
