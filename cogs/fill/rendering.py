"""What a filled text looks like: the text with its new words in bold, and below it the likeliest words as bars."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogs.common import MessageContent, neutral
from cogs.common.markdown import bar
from cogs.i18n import tr
from inference import FillMaskResult, split_at_blanks

_BOLD = re.compile(r"\\.|\*\*(?:\\.|[^*\\])+\*\*", re.DOTALL)
"""Bold words are the bot's own: stars of people are escaped."""

_LONGEST = 60
"""Characters of the words of a button: its id has room for 100, and says whose it is too."""

_TABLE = "\n`"
"""The bars begin here: people's backticks are escaped too."""


def candidates(filling: FillMaskResult) -> list[tuple[tuple[str, ...], float]]:
    """The words that may be put in, one for each blank, with their probability; best first.

    Only those that a button can carry: text, bars and buttons show the same ones. Empty where there is nothing to
    choose: no such words, or several blanks whose words were not judged together.
    """
    rows = [(joint.words, joint.score) for joint in filling.joint]
    if len(filling.blanks) == 1:
        rows = [((prediction.word,), prediction.score) for prediction in filling.blanks[0]]
    return [(words, score) for words, score in rows if _fits(words)]


def filled_content(text: str, filling: FillMaskResult) -> MessageContent:
    """The best words in `text`, and what else might stand there: in all blanks together, then in each by itself."""
    found = candidates(filling)
    best = found[0][0] if found else [words[0].word for words in filling.blanks]
    first, *rest = split_at_blanks(text)
    pairs = list(zip(best, rest, strict=True))
    sentence = neutral(first) + "".join(_bold(word) + neutral(piece) for word, piece in pairs)
    apart = "" if found and len(filling.blanks) == 1 else _tables(filling)
    return MessageContent(
        sentence + _table(found) + apart, plain=first + "".join(word + piece for word, piece in pairs)
    )


def with_words(message: str, words: Sequence[str]) -> str:
    """The bot's own `message` with other words in its blanks; the bars below stay."""
    sentence, table, rows = message.partition(_TABLE)
    coming = iter(words)

    def put(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("\\") else _bold(next(coming))

    return _BOLD.sub(put, sentence) + table + rows


def label(words: Sequence[str]) -> str:
    return " · ".join(words)


def _fits(words: Sequence[str]) -> bool:
    """Whether a button can carry the words, which may not be empty or in several parts."""
    return all(len(word.split()) == 1 for word in words) and len(label(words)) <= _LONGEST


def _bold(word: str) -> str:
    return f"**{neutral(word)}**"


def _tables(filling: FillMaskResult) -> str:
    """The words for each blank alone."""
    return "".join(
        f"\n**{tr('Blank {number}', number=number)}**" + _table([((guess.word,), guess.score) for guess in predictions])
        for number, predictions in enumerate(filling.blanks, 1)
    )


def _table(rows: Sequence[tuple[tuple[str, ...], float]]) -> str:
    """Lines in code type, so that the bars stand below one another; a full one is certain."""
    words = [label(row).replace("`", "'") for row, _ in rows]
    width = max(map(len, words), default=0)
    return "".join(
        f"\n`{word:<{width}} {bar(score)} {_percent(score):>4}`" for word, (_, score) in zip(words, rows, strict=True)
    )


def _percent(score: float) -> str:
    return "<1%" if 0 < score < 0.005 else f"{score:.0%}"
