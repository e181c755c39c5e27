"""An answer, and where in the documents it was found."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from textwrap import shorten
from typing import Any

from inference.cli.documents import Documents
from inference.pipelines.parts import sentences
from inference.types import Answer

_REACH = 150
_LONGEST = 400


def answer_fields(answer: Answer, documents: Documents) -> dict[str, Any]:
    """What `--json` prints; `source` only where there are several documents."""
    others = [_fields(other, documents) for other in answer.others]
    more = {"generated": answer.generated, "others": others, "windows": [*answer.windows]}
    return _fields(answer, documents) | more


def answer_text(answer: Answer, documents: Documents) -> str:
    """The answer, what it rests on, and what else it might be."""
    nothing = "The text does not say." if documents.text else "The model had nothing to say."
    return "\n".join([answer.text or nothing, *evidence(answer, documents), *_others(answer, documents)])


def evidence(answer: Answer, documents: Documents) -> list[str]:
    """Lines that quote the sentence of the answer, or the stretches that one in a model's own words was made from."""
    if not answer.text or not documents.text:
        return []
    if not answer.generated:
        return ["", _quote(_around(documents.text, answer.start, answer.end), answer.start, documents)]
    quotes = [_quote(documents.text[start:end], start, documents) for start, end in answer.windows]
    return ["", "From the text:", *quotes] if quotes else []


def _fields(answer: Answer, documents: Documents) -> dict[str, Any]:
    fields = {"answer": answer.text, "score": answer.score, "start": answer.start, "end": answer.end}
    found = documents.names and answer.text and not answer.generated
    return fields | ({"source": documents.source(answer.start)} if found else {})


def _others(answer: Answer, documents: Documents) -> list[str]:
    rows = [
        f"{other.score:6.1%}  {_from(' '.join(other.text.split()), other.start, documents)}" for other in answer.others
    ]
    return ["", "It might also be:", *rows] if rows else []


def _quote(text: str, start: int, documents: Documents) -> str:
    return _from(f"“{shorten(text, _LONGEST, placeholder=' …')}”", start, documents)


def _from(text: str, start: int, documents: Documents) -> str:
    source = documents.source(start)
    return f"{text} ({source})" if source else text


def _around(text: str, start: int, end: int) -> str:
    """The sentences that hold `text[start:end]`; of longer ones, some characters on either side."""
    ends = [0, *accumulate(map(len, sentences(text)))]
    first, last = ends[bisect_right(ends, start) - 1], ends[bisect_left(ends, end)]
    left, right = max(first, start - _REACH), min(last, end + _REACH)
    return "…" * (left > first) + text[left:right] + "…" * (right < last)
