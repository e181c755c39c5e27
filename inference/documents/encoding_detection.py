"""Guesses the encoding of a text that does not declare one.

For every encoding and language, the guess computes how likely the text's letters outside of ASCII are, and takes the
likeliest. A few words are enough, since the letters of a language are not equally frequent, and since a letter is
followed by letters of the same script. charset-normalizer needs longer texts; docs/dependencies.md has figures.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

_SAMPLE_BYTES = 6000
_CERTAIN = 3.0
"""A guess is certain if it is 20 times as likely as the next one. This is the logarithm."""
_RARE = math.log(1e-5)
"""For a rare character of a script with thousands of them."""
_UNLIKELY = math.log(0.0003)
"""For letters that a language does not have."""
_IMPOSSIBLE = math.log(1e-6)
"""For what is no text at all: control characters, and bytes that the encoding does not have."""
_CAPITAL_INSIDE = math.log(0.01)
"""For a capital letter after a small one."""
_SIGN, _OTHER_SIGN = math.log(0.02), math.log(0.0001)
_QUOTES = frozenset("“”„‘’‚«»–—…¿¡\N{NO-BREAK SPACE}")
_SIGNS = _QUOTES | frozenset("€£§°·•™©®½¼¾²³ºª№،؛؟")
_SIGNS_IN_WORDS = frozenset("‘’·–—\N{SOFT HYPHEN}")

_LATIN = {"other": math.log(0.05), "ascii": math.log(0.75), "": math.log(0.2)}
"""Probabilities of what is beside a letter outside of ASCII: another one, a letter in ASCII, or neither."""
_OWN_LETTERS = {"other": math.log(0.8), "ascii": math.log(0.003), "": math.log(0.197)}
"""The same for scripts of their own, all of whose letters are outside of ASCII."""
_BESIDE_ASCII = math.log(0.05)
"""For a Chinese, Japanese or Korean character beside a letter in ASCII."""
_ASCII_BESIDE_OTHERS = re.compile(r"[a-zA-Z](?=[^\x00-\x7f])|[^\x00-\x7f](?=[a-zA-Z])")

_LATIN_LANGUAGES = {
    "German": ("äüöß", "éàè", 0.0),
    "French": ("éèàêç", "ôîûâùëïüœÿæ", 0.0),
    "Spanish": ("óíáéñ", "úü", 0.0),
    "Portuguese": ("ãçéáíó", "êõúâôàü", -0.5),
    "Italian": ("àèùòì", "éíó", -0.5),
    "Dutch": ("éëï", "öüèêóá", -1.0),
    "Swedish and Finnish": ("äåö", "éü", -0.5),
    "Danish and Norwegian": ("åøæ", "éöèóòô", -0.7),
    "Icelandic": ("áíðó", "éúæþöý", -2.0),
    "Catalan": ("àéóèíç", "òúïü", -2.0),
    "Polish": ("łąęóż", "śćńź", -0.5),
    "Czech": ("íáěčšřžý", "éůúťňďó", -1.5),
    "Slovak": ("áíčšžýľ", "éúťôňóďäĺŕ", -2.5),
    "Hungarian": ("áéöó", "őíüúű", -1.5),
    "Romanian": ("ăîâşţ", "", -1.5),
    "Croatian and Slovene": ("čšž", "ćđ", -2.5),
    "Turkish": ("ıüşğçö", "âîûİ", -2.0),
    "Lithuanian": ("ėųšąžū", "įčę", -2.5),
    "Latvian": ("āīēšņ", "ūļžķčģ", -2.5),
    "Estonian": ("äõüö", "šž", -2.5),
    "Vietnamese": ("đưôâăơêàáộạảếệốủờ", "ấầẩẫậắằẳẵặèéẻẽẹềểễìíỉĩịòóỏõọồổỗớởỡợùúũụừứửữựỳýỷỹỵã", -2.0),
}
"""The letters that a Latin alphabet has outside of ASCII, the frequent and the rare ones, and a bonus in logarithms."""

_OTHER_LANGUAGES = {
    "Russian": ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", 0.0),
    "Ukrainian": ("оанивіртесклудмпзяьбгчйхжїцшюєщфґ", -1.0),
    "Bulgarian": ("аоиентрсвлкдпмъузгябчщжйцшхюфь", -1.5),
    "Serbian": ("аоиенрјтсвдукмплзбгчћшжцњхљђфџ", -2.0),
    "Greek": ("αοιετσνηυρπκμςλόίάέήδύγωχθφώβξζψϊϋΐΰ", -0.5),
    "Hebrew": ("יוהלאתמרשבנםחקדעכפטזגןסץצךף", -0.5),
    "Arabic": ("اليمنرتوبعدسفهكقحجةشصطخأضغذزءئظىثؤإآ", -0.3),
    "Persian": ("ايرنهدمتوبسکزشلگخفقپعچجحآغذصطضظثژئیك", -1.5),
    "Thai": ("านรก่อเง้มยลวดัทสติีปบคะหืแจพุำชขูใ์ไึ็โผซธถศภณฟญษฉฐๆฤฎฏฑฒฌฬฝฮ", -0.5),
}
"""The letters of other alphabets, the frequent ones first, and a bonus in logarithms."""

_WESTERN = "German", "French", "Spanish", "Portuguese", "Italian", "Dutch"
_NORTHERN = "Swedish and Finnish", "Danish and Norwegian", "Icelandic", "Catalan"
_CENTRAL = "Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian and Slovene"
_CYRILLIC = "Russian", "Ukrainian", "Bulgarian", "Serbian"
_ALPHABETS = {
    "cp1252": ((*_WESTERN, *_NORTHERN), 0.0),
    "cp1250": (_CENTRAL, 0.0),
    "cp1251": (_CYRILLIC, 0.0),
    "cp1253": (("Greek",), 0.0),
    "cp1254": (("Turkish",), 0.0),
    "cp1255": (("Hebrew",), 0.0),
    "cp1256": (("Arabic", "Persian"), 0.0),
    "cp1257": (("Lithuanian", "Latvian", "Estonian"), 0.0),
    "cp1258": (("Vietnamese",), 0.0),
    "cp874": (("Thai",), 0.0),
    "koi8-u": (_CYRILLIC[:2], -1.0),
    "cp866": (_CYRILLIC[:2], -1.5),
    "mac-cyrillic": (_CYRILLIC[:2], -10.0),
    "iso8859-2": (_CENTRAL, -1.0),
    "iso8859-5": (_CYRILLIC[:2], -3.0),
    "iso8859-6": (("Arabic",), -4.0),
    "iso8859-7": (("Greek",), -4.0),
    "iso8859-15": (_WESTERN + _NORTHERN[:2], -4.0),
    "cp737": (("Greek",), -4.0),
    "cp862": (("Hebrew",), -4.0),
    "cp850": (_WESTERN + _NORTHERN[:2], -4.0),
    "cp852": (_CENTRAL[:4], -4.0),
    "mac-roman": (_WESTERN + _NORTHERN[:2], -4.0),
}
"""Encodings with one byte for a character, their languages, and a bonus in logarithms."""

_SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如"
    "都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间"
)
_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如"
    "都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間"
)
_KOREAN = (
    "이다는을의에가고하지로사기서도자은들어리한그대나있인시를해스정것아수일만보게원장구여부라전마주니상조"
    "면제오생안으거비없동무신성우공었바물소까때집"
)
_MULTI_BYTE = {
    "gb18030": (_SIMPLIFIED, ((0xA1, 0xA3, 0.01), (0xB0, 0xD7, 1 / 6000)), 0.0),
    "big5hkscs": (_TRADITIONAL, ((0xA1, 0xA3, 0.01), (0xA4, 0xC6, 1 / 6000)), -0.5),
    "cp932": ("", ((0x81, 0x81, 0.02), (0x82, 0x82, 1 / 90), (0x83, 0x83, 1 / 250), (0x88, 0x97, 1 / 4500)), 0.0),
    "euc-jp": ("", ((0xA1, 0xA3, 0.02), (0xA4, 0xA4, 1 / 90), (0xA5, 0xA5, 1 / 250), (0xB0, 0xCF, 1 / 4500)), -0.5),
    "cp949": (_KOREAN, ((0xA1, 0xA3, 0.01), (0xB0, 0xC8, 1 / 5000)), 0.0),
}
"""Encodings of Chinese, Japanese and Korean: the characters that are half of a text, the first bytes of other usual
ones with the probability of each, and a bonus in logarithms."""


@dataclass(frozen=True, slots=True)
class GuessedEncoding:
    """Python's name of an encoding, and whether no other reading of the text is nearly as likely."""

    codec: str
    certain: bool


def guess_encoding(data: bytes) -> GuessedEncoding:
    """Return the likeliest encoding of a text that has bytes outside of ASCII."""
    sample = _sample(data)
    scores = {codec: _single_byte_score(sample, codec) for codec in _ALPHABETS}
    scores |= {codec: _multi_byte_score(sample, codec) for codec in _MULTI_BYTE}
    best, *others = sorted(scores, key=lambda codec: -scores[codec])
    text = decoded(sample, best)
    near = (codec for codec in others if scores[codec] > scores[best] - _CERTAIN)
    return GuessedEncoding(best, all(decoded(sample, codec) == text for codec in near))


def decoded(data: bytes, codec: str, errors: str = "replace") -> str:
    """Return the text. Windows-1258 has the accents of Vietnamese apart from their letters; they are joined."""
    text = data.decode(codec, errors)
    return unicodedata.normalize("NFC", text) if codec == "cp1258" else text


def _sample(data: bytes) -> bytes:
    """Return the first lines that have bytes outside of ASCII. In no encoding is a line break a part of a letter."""
    lines: list[bytes] = []
    size = 0
    for line in io.BytesIO(data):
        if not line.isascii():
            lines.append(line[: _SAMPLE_BYTES - size])
            size += len(lines[-1])
            if size >= _SAMPLE_BYTES:
                break
    return b"".join(lines)


def _multi_byte_score(sample: bytes, codec: str) -> float:
    usual, first_bytes, bonus = _MULTI_BYTE[codec]
    text = sample.decode(codec, "replace")
    score = bonus + _BESIDE_ASCII * len(_ASCII_BESIDE_OTHERS.findall(text))
    for character, count in Counter(text).items():
        if character == "\N{REPLACEMENT CHARACTER}":
            score += count * _IMPOSSIBLE
        elif character in usual:
            score += count * math.log(0.5 / len(usual))
        elif character > "\x7f":
            first = character.encode(codec, "replace")[0]  # some are half of a letter
            score += count * next((math.log(p) for start, end, p in first_bytes if start <= first <= end), _RARE)
    return score


def _single_byte_score(sample: bytes, codec: str) -> float:
    languages, bonus = _ALPHABETS[codec]
    text = decoded(sample, codec)
    found = Counter(_characters(text))
    score = bonus + _CAPITAL_INSIDE * sum(a.islower() and b.isupper() for a, b in pairwise(text) if b > "\x7f")
    return score + max(_language_score(found, language) for language in languages)


@dataclass(frozen=True, slots=True)
class _Character:
    """A character outside of ASCII, and what is before and after it."""

    character: str
    before: str
    after: str


def _characters(text: str) -> Iterator[_Character]:
    for before, character, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if character > "\x7f":
            yield _Character(character, _kind(before), _kind(after))


def _kind(character: str) -> str:
    """Return the kind of a neighbour: a letter in ASCII, another letter, or neither."""
    if not (character.isalpha() or _is_mark(character)):
        return ""
    return "ascii" if character.isascii() else "other"


def _is_mark(character: str) -> bool:
    """Return whether this is a vowel or tone that is written above or below a letter, as in Thai."""
    return character > "\x7f" and unicodedata.category(character) == "Mn"


def _language_score(found: Counter[_Character], language: str) -> float:
    letters, bonus = _letters(language)
    neighbours = _LATIN if language in _LATIN_LANGUAGES else _OWN_LETTERS
    return bonus + sum(count * _score(each, letters, neighbours) for each, count in found.items())


def _score(found: _Character, letters: Mapping[str, float], neighbours: Mapping[str, float]) -> float:
    character = found.character
    if not (character.isalpha() or _is_mark(character)):
        return _sign_score(found)
    score = letters.get(character, letters.get(character.lower(), _UNLIKELY))
    return score + neighbours[found.before] + neighbours[found.after]


def _sign_score(found: _Character) -> float:
    if not found.character.isprintable() and found.character not in _SIGNS:
        return _IMPOSSIBLE
    if found.before and found.after and found.character not in _SIGNS_IN_WORDS:
        return _UNLIKELY
    if found.character in _QUOTES or (found.character in _SIGNS and not (found.before or found.after)):
        return _SIGN
    return _OTHER_SIGN


@cache
def _letters(language: str) -> tuple[Mapping[str, float], float]:
    """Return the logarithm of the probability of each letter, and the bonus of the language."""
    if language in _LATIN_LANGUAGES:
        frequent, rare, bonus = _LATIN_LANGUAGES[language]
        shares = {letter: 0.85 / len(frequent) for letter in frequent}
        shares |= {letter: 0.1 / len(rare) for letter in rare}
    else:
        ordered, bonus = _OTHER_LANGUAGES[language]
        weights = [math.exp(-3 * i / len(ordered)) for i in range(len(ordered))]
        shares = {letter: weight / sum(weights) for letter, weight in zip(ordered, weights, strict=True)}
    return {letter: math.log(share) for letter, share in shares.items()}, bonus
