"""The prompt syntax of other programs: what is done, and what is named because it is read as plain words.

`<lora:name:0.8>` is from AUTOMATIC1111's web UI, `--ar 16:9`, `--seed 5` and `--no words` are Midjourney's. Phones turn
two hyphens into a dash; before other words, a dash may belong to the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FLAG = r"(?<!\S)(?:--|—)"
_LORA = re.compile(r"<(?:lora|lyco):([^:<>]+)(?::(-?\d*\.?\d+))?(?::[^<>]*)?>", re.IGNORECASE)
_ASPECT = re.compile(rf"{_FLAG}(?:ar|aspect)\s+(\d{{1,4}}):(\d{{1,4}})(?!\S)", re.IGNORECASE)
_SEED = re.compile(rf"{_FLAG}seed\s+(\d{{1,10}})(?!\S)", re.IGNORECASE)
_WITHOUT = re.compile(r"(?<!\S)--no\s+(\S+(?:\s+(?!--\w)\S+)*)", re.IGNORECASE)
"""All words up to the next flag. Linear time: prompts in pictures have any length."""

_FOREIGN = re.compile(
    r"""
      (?<!\S)--[a-z]+(?:[ ][\d.:]+)?  # other parameters of Midjourney
    | <[a-z]+:[^<>]+>               # hypernetworks and the like
    | __[\w/*-]+__                  # wildcards
    | \[[^\[\]|:]*:[^\[\]|]*:\s*[\d.]+\s*\]  # prompt editing
    | \[[^\[\]|]+(?:\|[^\[\]|]+)+\] # alternating words
    | (?<=\s)(?:AND|BREAK)(?=\s)
    | \bembedding:\w+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UPPER = re.compile(r"and|break", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PromptSyntax:
    """What a prompt says besides its words. `aspect` is width and height; zeros, None and empty texts say nothing."""

    prompt: str
    loras: tuple[str, ...] = ()
    aspect: tuple[int, int] = (0, 0)
    seed: int | None = None
    without: str = ""


def read_loras(prompt: str) -> tuple[str, tuple[str, ...]]:
    """Take LoRAs out of a prompt. Return the rest, and their names with weights: "ink:0.8"."""
    loras = tuple(f"{name.strip()}:{weight or 1}" for name, weight in _LORA.findall(prompt))
    return (_tidied(_LORA.sub("", prompt)), loras) if loras else (prompt, ())


def read_syntax(prompt: str) -> PromptSyntax:
    """Take LoRAs, aspect ratio, seed and unwanted words out of a prompt."""
    rest, loras = read_loras(prompt)
    aspect, seed = _ASPECT.findall(rest), _SEED.findall(rest)
    rest = _SEED.sub("", _ASPECT.sub("", rest))
    without = ", ".join(words.strip() for words in _WITHOUT.findall(rest))
    rest = _WITHOUT.sub("", rest)
    if rest == prompt:
        return PromptSyntax(prompt)
    width, height = aspect[-1] if aspect else (0, 0)
    return PromptSyntax(_tidied(rest), loras, (int(width), int(height)), int(seed[-1]) if seed else None, without)


def _tidied(words: str) -> str:
    return re.sub(r"[ \t]{2,}", " ", words).strip(" \t,")


def foreign_syntax(prompt: str) -> tuple[str, ...]:
    """Return the pieces of a prompt that mean something in other programs, and are read as plain words here."""
    found = (match[0].strip() for match in _FOREIGN.finditer(prompt))
    return tuple(dict.fromkeys(piece for piece in found if not _UPPER.fullmatch(piece) or piece.isupper()))
