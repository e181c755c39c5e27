"""The problems of config.yaml in words, each with its position in the file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_core import ErrorDetails

from inference.config.expected import SECTION, expected, field_at, is_list, known_keys, own_words
from inference.config.quotas import DURATION
from inference.config.yaml_file import Position, YamlFile, position_text
from inference.limits import SIZE

_WRONG_KEY = "[key]"
"""How pydantic marks the key of a dict, as the last part of a position."""

OWN_SENTENCE = "own_sentence"
"""The type of an error whose message is the whole problem."""


class ConfigError(Exception):
    """The file is not valid. `problems` has one line for each problem, with its position in the file."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.path = path
        self.problems = list(problems)
        count = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        super().__init__("\n".join([f"{path}: {count}", *(f"  {line}" for line in problems)]))


def problem_text(line: int, position: Position, sentence: str) -> str:
    """Return a line like `line 3, limits.queue: must be …`. Line 0 is unknown."""
    places = [f"line {line}" * bool(line), position_text(position)]
    return f"{', '.join(filter(None, places))}: {sentence}"


def file_problems(file: YamlFile, schema: Any, errors: Iterable[ErrorDetails] = ()) -> list[str]:
    """Return all problems of the file, ordered by line: keys given twice, and those that pydantic found."""
    problems = [(problem.line, str(problem)) for problem in file.problems]
    for error in errors:
        position = tuple(part for part in error["loc"] if part != _WRONG_KEY)
        if error["type"] == "invalid_key" or _WRONG_KEY in error["loc"]:
            position = (*position[:-1], str(position[-1]))  # a number as a key is no index
        line = file.line(position)
        problems.append((line, problem_text(line, position, _sentence(file, schema, error))))
    return [text for _, text in sorted(problems, key=lambda problem: problem[0])]


def unknown_key(key: object, known: Collection[str]) -> str:
    """Return a sentence that suggests the most similar key, or lists all."""
    similar = get_close_matches(str(key), known, n=1)
    hint = f"Did you mean `{similar[0]}`?" if similar else f"The keys here are: {', '.join(known)}"
    return f"unknown key. {hint}"


def _sentence(file: YamlFile, schema: Any, error: ErrorDetails) -> str:
    position = error["loc"]
    match error["type"]:
        case "extra_forbidden" | "invalid_key":
            return unknown_key(position[-1], known_keys(field_at(schema, position[:-1])))
        case "missing":
            return "is missing"
        case _ if error["type"] == OWN_SENTENCE:
            return error["msg"]
        case "string_too_long":
            most = error.get("ctx", {})["max_length"]
            return f"must have at most {most:,} characters, not {len(error['input']):,}"
        case "value_error" if _WRONG_KEY in position or not own_words(field_at(schema, position)):
            return str(error.get("ctx", {})["error"])
        case _ if not position:
            return f"the file must have lines like `key: value`, not {file.found(position)}"
        case _:
            return _mismatch(file.found(position), error["input"], field_at(schema, position))


def _mismatch(found: str, value: object, kind: Any) -> str:
    """Return what the field takes and what it has, with the usual remedy."""
    return f"must be {expected(kind)}, not {found}{_remedy(found, value, kind)}"


def _remedy(found: str, value: object, kind: Any) -> str:
    """Return what most likely is to change, as the next sentence; empty if that is not known."""
    first = next(iter(value), None) if isinstance(value, dict) else value
    if is_list(kind) and re.match(r"-\S", str(first)):
        return ". Put a space after the `-`"
    if isinstance(value, str) and expected(kind) == SECTION and (key := re.match(r"\w+(?= - )", value)):
        return f". Put a `:` after `{key[0]}`"
    if expected(kind) == DURATION.words:
        return _remedy_of_duration(str(value))
    if isinstance(value, str) and " - " in value:
        return ". Give all lines that begin with `-` the same indentation"
    if isinstance(value, str) and re.match(r"\w+:(?!//)\S", value) and " port" not in expected(kind):
        return ". Put a space after the `:`"
    if value is None or isinstance(value, list | dict):
        return ""
    if expected(kind).startswith("a list"):
        return f". Write [{value if ',' in str(value) else found}]"
    if SIZE.words in expected(kind) and re.fullmatch(r"[\d.]+", str(value)):
        return ". A number needs a unit: MB, GB, MiB or GiB"
    return f'. Put it in quotes: "{found}"' if expected(kind) == "text" else ""


def _remedy_of_duration(value: str) -> str:
    if re.fullmatch(r"[\d.]+", value) and float(value.strip(".") or 0):
        return ". A number needs a unit: s, min or h"
    if re.match(r"\s*(0|0?\.0+)\b", value):
        return ". Leave the line out for no limit; to switch a task off, list no models for it"
    return ""
