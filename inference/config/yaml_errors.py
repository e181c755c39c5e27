"""The errors of the YAML parser in one plain sentence, with line and column."""

from __future__ import annotations

import re

import yaml
from yaml.reader import ReaderError

_TAB = "there is a tab. Indent with spaces only"

_AT_PROBLEM: dict[str, str] = {
    r"found character '\\t' that": _TAB,
    r"found character ['\"](.)['\"] that": "a value can't start with `{0}`. Put it in quotes",
    "mapping values are not allowed": "this `:` does not fit. Check the indentation, and put text that contains `: ` "
    "in quotes",
    "sequence entries are not allowed": "a list can't start here. Begin it on the line after its key",
    "expected <block end>|expected '<document start>'": "this line does not fit the lines above. Check its "
    "indentation, and quotes above it",
    "unindent does not match|inconsistent indentation": "the indentation does not fit the lines above",
    "expected the node content, but found '<stream end>'": "the file ends too early: a `[` or `{{` is not closed",
    "found undefined alias '(.+)'": "there is no anchor `&{0}`. Put text that starts with `*` in quotes",
    "found unknown escape character '(.+)'": r"`\{0}` is no escape. Use single quotes for text with backslashes",
    "expected escape sequence": r"this is no whole `\x` escape. Use single quotes for text with backslashes",
    "could not determine a constructor for the tag '(.+)'": "the tag `{0}` is not known. Put text that starts with `!` "
    "in quotes",
    "but found another document": "a second document starts here (`---`). The file must have only one",
    "unhashable key": "a key must be text. Put text that starts with `{{` or `[` in quotes",
    "unreadable value: (.+)": "`{0}` can't be read. If it is text, put it in quotes",
}
"""Patterns of the parser's words, and ours. The position is where the parser noticed the problem."""

_AT_START: dict[str, str] = {
    "could not find expected ':'": "a `:` is missing after this key",
    r"expected ',' or '(.)'": "this is not closed: a `{0}` or a comma is missing",
    "found unexpected end of stream|found unexpected document separator": "this quote is not closed",
    "expected alphabetic or numeric character": "text that starts with `*`, `&` or `!` must be in quotes",
}
"""The same, where the position is the start of what the parser was reading."""


_SLIPS: dict[str, str] = {
    r"( *)-[A-Za-z~./]": "a space is missing after this `-`",
    r"( *)\w+ *$": "a `:` is missing after this key",
    r"( *\w+:)\w\S*$": "a space is missing after this `:`",
}
"""Patterns of a whole line. The position of the problem is the end of the group."""


class YamlProblem(Exception):
    """One problem, with the line and column from 1. Column 0 means the whole line."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(line, column, sentence)
        self.line = line
        self.column = column
        self.sentence = sentence

    def __str__(self) -> str:
        return f"line {self.line}{f', column {self.column}' * bool(self.column)}: {self.sentence}"


def explained(error: yaml.YAMLError, text: str) -> YamlProblem:
    """Return the error of PyYAML in plain words."""
    if isinstance(error, ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        return YamlProblem(line, column, f"there is a control character (number {error.character}). Remove it")
    if not isinstance(error, yaml.MarkedYAMLError):
        return YamlProblem(1, 0, f"this is not YAML ({error})")
    problem = error.problem or error.context or ""
    mark = error.problem_mark or error.context_mark
    sentence = _sentence(_AT_PROBLEM, problem)
    if not sentence and (sentence := _sentence(_AT_START, problem)):
        mark = error.context_mark or mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()[: line + 1]
    if lines[line:] and lines[line].lstrip() != lines[line].lstrip(" "):
        sentence = _TAB
    if "mapping values are not allowed" in problem and ":" not in lines[line][:column]:
        slip = _slip(lines, line) or _slip(lines, line - 1)
    else:
        slip = _slip(lines, line) if "could not find expected ':'" in problem else None
    return slip or YamlProblem(line + 1, column + 1, sentence or f"this is not YAML ({problem})")


def _slip(lines: list[str], line: int) -> YamlProblem | None:
    """Return a slip that hides a key or an item of a list from the parser, if the line has one."""
    for pattern, sentence in _SLIPS.items():
        if line >= 0 and (match := re.match(pattern, lines[line])):
            return YamlProblem(line + 1, match.end(1) + 1, sentence)
    return None


def _sentence(sentences: dict[str, str], problem: str) -> str:
    for pattern, sentence in sentences.items():
        if match := re.search(pattern, problem):
            return sentence.format(*match.groups())
    return ""
