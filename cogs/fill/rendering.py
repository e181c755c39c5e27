"""The message for a filled text: the text with its new words in bold, and the likeliest words with bars."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cogs.common import MessageContent, neutral
from cogs.common.markdown import bar
from cogs.i18n import tr
from inference import FillMaskResult, split_at_blanks

_BOLD = re.compile(r"\\.|\*\*(?:\\.|[^*\\])+\*\*", re.DOTALL)
"""Words in bold, which only the bot writes, since people's asterisks are escaped."""

_LONGEST = 60
"""The most characters of a button's words: its id has 100, which include the owner's id."""

_TABLE = "\n`"
"""The start of the bars; people's backticks are escaped."""


def candidates(result: FillMaskResult) -> list[tuple[tuple[str, ...], float]]:
    """Return the candidates, one word for each blank, with their probability; best first.

    Only those that fit into a button count, so that text, bars and buttons show the same ones. The list is empty if
    there are none, or if several blanks were not predicted together.
    """
    rows = [(joint.words, joint.score) for joint in result.joint]
    if len(result.blanks) == 1:
        rows = [((prediction.word,), prediction.score) for prediction in result.blanks[0]]
    return [(words, score) for words, score in rows if _fits(words)]


def filled_content(text: str, result: FillMaskResult) -> MessageContent:
    """Return `text` with the best words, then the candidates for all blanks together, then for each blank."""
    found = candidates(result)
    best = found[0][0] if found else [words[0].word for words in result.blanks]
    first, *rest = split_at_blanks(text)
    pairs = list(zip(best, rest, strict=True))
    sentence = neutral(first) + "".join(_bold(word) + neutral(piece) for word, piece in pairs)
    apart = "" if found and len(result.blanks) == 1 else _tables(result)
    return MessageContent(
        sentence + _table(found) + apart, plain=first + "".join(word + piece for word, piece in pairs)
    )


def with_words(message: str, words: Sequence[str]) -> str:
    """Return the bot's own `message` with other words in its blanks; the bars stay."""
    sentence, table, rows = message.partition(_TABLE)
    next_words = iter(words)

    def replacement(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith("\\") else _bold(next(next_words))

    return _BOLD.sub(replacement, sentence) + table + rows


def label(words: Sequence[str]) -> str:
    return " · ".join(words)


def _fits(words: Sequence[str]) -> bool:
    """Return whether the words fit into a button; each must be a single word."""
    return all(len(word.split()) == 1 for word in words) and len(label(words)) <= _LONGEST


def _bold(word: str) -> str:
    return f"**{neutral(word)}**"


def _tables(result: FillMaskResult) -> str:
    """Return the candidates for each blank alone."""
    return "".join(
        f"\n**{tr('Blank {number}', number=number)}**" + _table([((guess.word,), guess.score) for guess in predictions])
        for number, predictions in enumerate(result.blanks, 1)
    )


def _table(rows: Sequence[tuple[tuple[str, ...], float]]) -> str:
    """Return lines in code format, so that the bars are aligned; a full bar means certain."""
    words = [label(row).replace("`", "'") for row, _ in rows]
    width = max(map(len, words), default=0)
    return "".join(
        f"\n`{word:<{width}} {bar(score)} {_percent(score):>4}`" for word, (_, score) in zip(words, rows, strict=True)
    )


def _percent(score: float) -> str:
    return "<1%" if 0 < score < 0.005 else f"{score:.0%}"
