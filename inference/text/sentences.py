"""Splitting of a text into sentences. Abbreviations, initials, dates and list numbers end none."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r".+?(?:[.!?…](?![.!?…])[\"'”’)\]]*+(?=\s)|[。！？]+[」』）]*|\n|$)\s*", re.DOTALL)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_ANY_WORD = _words(
    "dr mr mrs ms mx prof st ste sr sra srta dra dña hr fr hrn mm mme mlle mgr rev gen lt sgt capt dipl ing "
    "bzw ca cf vgl vs ej sog ggf evtl inkl exkl zzgl approx"
)
"""Abbreviations that never end a sentence."""
_PAIRS = frozenset(["z. b", "d. h", "u. a", "o. ä", "v. chr", "n. chr", "p. ej", "p. ex", "e. g", "i. e", "ee. uu"])
"""Abbreviations of two words, which never end a sentence either. They are also written without the space."""
_BEFORE_NUMBERS = _words(
    "no nos nr nrn núm num pp vol fig figs abb tab art abs kap bd ch cap sec eq ziff pos pág págs tel"
)
"""Words that end no sentence if a number follows; some are also whole words: "I said no."."""
_BEFORE_SMALL_LETTERS = _words(
    "etc usw usf a.m p.m u.s ud uds co inc ltd corp ave str ex jan feb mär apr jun jul aug sep sept okt oct nov dez dec"
)
"""Abbreviations that end a sentence, unless it visibly goes on with a small letter or a number."""

_BEFORE_ORDINALS = _words(
    "ab am an beim bis das dem den der des die im ins seit vom zum zur jede jedem jeden jeder jedes ihr ihre ihren "
    "ihrem ihrer mein meine meinem meinen meiner sein seine seinem seinen seiner unser unsere unserem unseren unserer"
)
"""German words before an ordinal number, which is a number with a full stop: "am 3. März"."""
_AFTER_ORDINALS = re.compile(
    r"(?:Jan|Feb|Mär|Apr|Jun|Jul|Aug|Sept?|Okt|Nov|Dez|Januar|Jänner|Februar|Feber|März|April|Mai|Juni|Juli|August"
    r"|September|Oktober|November|Dezember|Advent|Auflage|Etage|Geburtstag|Jahrestag|Jahrhunderts?|Kapitel|Klasse"
    r"|Lebensjahr|Liga|Mal|Platz|Quartal|Semester|Stock|Weltkriegs?)\b"
)
_ORDINAL = re.compile(r"\d{1,3}")
_OPENING = re.compile(r"[(\[{«„“‚\"'、，（「]")
"""Characters that may stand directly before a word."""
_REACH = 24
"""The characters that are looked at before and after a full stop: more than any of these words has."""


def sentences(text: str) -> list[str]:
    """Split a text into sentences. Each keeps the space after it, so that joined they are `text`.

    A line end always ends a sentence.
    """
    start, end = 0, 0
    found: list[str] = []
    for match in _SENTENCE.finditer(text):
        if end and not _goes_on(text[max(start, end - _REACH) : end], text[end : end + _REACH]):
            found.append(text[start:end])
            start = end
        end = match.end()
    return [*found, text[start:end]] if end else []


def _goes_on(before: str, after: str) -> bool:
    """Return whether a sentence that begins or goes on with `before` goes on with `after`, despite a full stop."""
    ended = before.rstrip()
    if not ended.endswith(".") or "\n" in before[len(ended) :]:
        return False
    *earlier, last = ended.split()
    last, previous = _OPENING.split(last)[-1][:-1], earlier[-1] if earlier else ""
    word, number, small = last.lower(), after[0].isdigit(), after[0].islower()
    return (
        word in _BEFORE_ANY_WORD
        or _is_pair(f"{previous} {last}")
        or _is_pair(f"{last}. {after.split()[0].removesuffix('.')}")
        or _is_pair(last)
        or (number and word in _BEFORE_NUMBERS)
        or ((number or small) and word in _BEFORE_SMALL_LETTERS)
        or (len(last) == 1 and last.isalpha() and (number or small or (last.isupper() and last != "I")))
        or (_ORDINAL.fullmatch(last) is not None and _is_ordinal_between(previous, after))
    )


def _is_pair(words: str) -> bool:
    words = words.lower()
    return words in _PAIRS or words.replace(".", ". ", 1) in _PAIRS


def _is_ordinal_between(previous: str, after: str) -> bool:
    """Return whether a number with a full stop is an ordinal or the number of a point in a list."""
    return not previous or previous.lower() in _BEFORE_ORDINALS or _AFTER_ORDINALS.match(after) is not None


def shortened(text: str, longest: int) -> str:
    """Return at most `longest` characters: all of a short text, else whole sentences or words, and "…"."""
    if len(text) <= longest:
        return text
    if longest < 2:
        return "…"[:longest]
    *whole, _ = sentences(text[: longest - 1])
    kept = "".join(whole).rstrip()
    if 2 * len(kept) >= longest:
        return f"{kept} …"
    cut = text[: longest - 1]
    words, *_ = text[:longest].rsplit(None, 1) or [""]
    return f"{words if longest <= 2 * len(words) < 2 * longest else cut}…"
