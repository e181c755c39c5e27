"""Extraction of all translatable sentences from the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference import InferenceError, Phrase

ROOT = Path(__file__).parents[2]
_FOLDERS = ("cogs", "inference")
_COMMAND_LINE = ROOT / "inference" / "cli"
"""The command line, which is in English only."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in the code; `many` is its plural form, if it has one."""

    path: str
    line: int
    one: str
    many: str = ""


class Unreadable(Exception):
    """An error for a sentence that is built at run time, so that no catalogue can hold it: the file and line."""


def sentences() -> Iterator[Sentence]:
    """Yield all sentences in the order of files and lines; raise Unreadable."""
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if _COMMAND_LINE not in path.parents:
                yield from in_source(path, ROOT)


def _errors(kind: type[InferenceError]) -> Iterator[str]:
    yield kind.__name__
    for narrower in kind.__subclasses__():
        yield from _errors(narrower)


def in_source(path: Path, root: Path) -> Iterator[Sentence]:
    """Yield the sentences of one file; raise Unreadable."""
    keywords = {"tr", "ntr", "gettext_noop", Phrase.__name__, *_errors(InferenceError)}
    tree = ast.parse(path.read_bytes())
    constants = dict(_constants(tree))
    name = path.relative_to(root).as_posix()
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in keywords and node.args)
    for call in sorted(calls, key=lambda call: call.lineno):
        where = f"{name}:{call.lineno}"
        ones = _texts(call.args[0], constants, where)
        if _called(call) == "ntr":
            [one], [many] = ones, _texts(call.args[1], constants, where)
            yield Sentence(name, call.lineno, one, many)
        else:
            yield from (Sentence(name, call.lineno, one) for one in ones)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a file's text constants."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text
            case _:
                pass


def _texts(node: ast.expr, constants: dict[str, str], where: str) -> list[str]:
    """Return the texts that an argument can be; none for a variable, whose text is marked elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, constants, where), *_texts(other, constants, where)]
        case ast.Name(id=name):
            return [constants[name]] if name in constants else []
        case ast.Attribute():
            return []
        case _:
            raise Unreadable(where)
