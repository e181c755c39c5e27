"""Prompts with alternatives, which stand for several prompts: `a {red,blue} {cat,dog}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

_TOKEN = re.compile(r"\\[{},]|[{},]|[^\\{},]+|\\")
_WITH_BARS = re.compile(r"(?<!\\)\{([^{}]*\|[^{}]*)(?<!\\)\}")


@dataclass(frozen=True, slots=True)
class Permutations:
    """The number of all prompts, and the first ones, in order."""

    count: int
    prompts: tuple[str, ...]


def permutations(prompt: str, limit: int) -> Permutations:
    """Return every choice of one alternative from each `{…,…}`, with the first `limit` prompts in full.

    Alternatives may be empty or nested. `\\{`, `\\}` and `\\,` are plain characters, and so are braces that don't match
    or have no comma between them. `{red|blue}`, as other programs write it, is `{red,blue}`; commas are text in it.
    """
    prompt = _WITH_BARS.sub(_with_commas, prompt)
    open_groups = [[_only("")]]  # for each brace that is open, its alternatives; the last one still grows
    for token in _TOKEN.findall(prompt):
        if token == "{":
            open_groups.append([_only("")])
        elif token == "," and len(open_groups) > 1:
            open_groups[-1].append(_only(""))
        elif token == "}" and len(open_groups) > 1:
            group = open_groups.pop()
            chosen = _either(group, limit) if len(group) > 1 else _chain([_only("{"), *group, _only("}")], limit)
            _grow(open_groups, chosen, limit)
        else:
            _grow(open_groups, _only(token[1:] if len(token) > 1 and token[0] == "\\" else token), limit)
    while len(open_groups) > 1:  # never closed
        first, *others = open_groups.pop()
        commas = [part for other in others for part in (_only(","), other)]
        _grow(open_groups, _chain([_only("{"), first, *commas], limit), limit)
    [[whole]] = open_groups
    return Permutations(whole.count, tuple(map(_tidy, whole.prompts))) if whole.count > 1 else whole


def several(prompt: str) -> bool:
    """Return whether the prompt stands for more than one."""
    return permutations(prompt, 1).count > 1


def escaped(prompt: str) -> str:
    """Escape `prompt` so that `permutations` returns it alone."""
    alone = Permutations(1, (prompt,))
    return prompt if permutations(prompt, 1) == alone else re.sub(r"[{}]|(?<=\\),", r"\\\g<0>", prompt)


def _with_commas(group: re.Match[str]) -> str:
    return "{" + re.sub(r"(?<!\\),", r"\,", group[1]).replace("|", ",") + "}"


def _only(text: str) -> Permutations:
    return Permutations(1, (text,))


def _grow(open_groups: list[list[Permutations]], more: Permutations, limit: int) -> None:
    open_groups[-1][-1] = _chain([open_groups[-1][-1], more], limit)


def _either(group: Sequence[Permutations], limit: int) -> Permutations:
    texts = (text for part in group for text in part.prompts)
    return Permutations(sum(part.count for part in group), tuple(islice(texts, limit)))


def _chain(parts: Sequence[Permutations], limit: int) -> Permutations:
    whole = parts[0]
    for part in parts[1:]:
        texts = ("".join(pair) for pair in product(whole.prompts, part.prompts))
        whole = Permutations(whole.count * part.count, tuple(islice(texts, limit)))
    return whole


def _tidy(prompt: str) -> str:
    """Remove the gaps that empty alternatives leave."""
    return re.sub(r" {2,}", " ", prompt).strip()
