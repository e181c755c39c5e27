"""`a {red,blue} {cat,dog}`: one prompt that stands for several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

_TOKEN = re.compile(r"\\[{},]|[{},]|[^\\{},]+|\\")


@dataclass(frozen=True, slots=True)
class Permutations:
    """How many prompts there are in all, and the first of them, in order."""

    count: int
    prompts: tuple[str, ...]


def permutations(prompt: str, most: int) -> Permutations:
    """Every choice of one alternative from each `{…,…}`; up to `most` of the prompts are written out.

    Alternatives may be empty, and may have choices of their own. `\\{`, `\\}` and `\\,` are plain characters, as
    braces are without a partner or without a comma.
    """
    open_groups = [[_only("")]]  # for each brace that is open, its alternatives; the last one still grows
    for token in _TOKEN.findall(prompt):
        if token == "{":
            open_groups.append([_only("")])
        elif token == "," and len(open_groups) > 1:
            open_groups[-1].append(_only(""))
        elif token == "}" and len(open_groups) > 1:
            group = open_groups.pop()
            chosen = _either(group, most) if len(group) > 1 else _chain([_only("{"), *group, _only("}")], most)
            _grow(open_groups, chosen, most)
        else:
            _grow(open_groups, _only(token[1:] if len(token) > 1 and token[0] == "\\" else token), most)
    while len(open_groups) > 1:  # never closed
        first, *others = open_groups.pop()
        commas = [part for other in others for part in (_only(","), other)]
        _grow(open_groups, _chain([_only("{"), first, *commas], most), most)
    [[whole]] = open_groups
    return Permutations(whole.count, tuple(map(_tidy, whole.prompts))) if whole.count > 1 else whole


def several(prompt: str) -> bool:
    """Whether it stands for more than one."""
    return permutations(prompt, 1).count > 1


def escaped(prompt: str) -> str:
    """What to write so that `permutations` makes `prompt` of it, and nothing else."""
    alone = Permutations(1, (prompt,))
    return prompt if permutations(prompt, 1) == alone else re.sub(r"[{}]|(?<=\\),", r"\\\g<0>", prompt)


def _only(text: str) -> Permutations:
    return Permutations(1, (text,))


def _grow(open_groups: list[list[Permutations]], more: Permutations, most: int) -> None:
    open_groups[-1][-1] = _chain([open_groups[-1][-1], more], most)


def _either(group: Sequence[Permutations], most: int) -> Permutations:
    texts = (text for part in group for text in part.prompts)
    return Permutations(sum(part.count for part in group), tuple(islice(texts, most)))


def _chain(parts: Sequence[Permutations], most: int) -> Permutations:
    whole = parts[0]
    for part in parts[1:]:
        texts = ("".join(pair) for pair in product(whole.prompts, part.prompts))
        whole = Permutations(whole.count * part.count, tuple(islice(texts, most)))
    return whole


def _tidy(prompt: str) -> str:
    """An empty alternative leaves no gap behind."""
    return re.sub(r" {2,}", " ", prompt).strip()
