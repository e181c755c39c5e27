"""Reads a YAML file with the line of every value, and refuses keys that are given twice."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inference.config.yaml_errors import YamlProblem, explained

Position = tuple[str | int, ...]
"""The way to a value from the top of the file, such as `("models", "complete", 0, "repo")`."""

_MAX_SHOWN = 60
"""Longest value that an error message repeats, in characters."""


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The content of a file, with the nodes it was read from. An empty file has the content None, and no nodes."""

    data: Any
    root: Node | None
    problems: tuple[YamlProblem, ...] = ()
    """Keys that are given twice. `data` has their last values."""

    def line(self, position: Position) -> int:
        """Return the line of the value, or of the nearest section around it that is in the file."""
        return self._find(position)[1]

    def found(self, position: Position) -> str:
        """Return the value in a few words, as it is written in the file."""
        node = self._find(position)[0]
        if not isinstance(node, ScalarNode):
            return "a list" if isinstance(node, SequenceNode) else "a section"
        if node.tag.endswith(":null"):
            return "empty"
        text = node.value if len(node.value) <= _MAX_SHOWN else f"{node.value[:_MAX_SHOWN]}…"
        return repr(text) if node.tag.endswith(":str") else text

    def _find(self, position: Position) -> tuple[Node | None, int]:
        node, line = self.root, 1
        for part in position:
            child = _child(node, part)
            if not child:
                break
            node, line = child
        return node, line


class _Loader(yaml.SafeLoader):
    """A SafeLoader that reports a value that is none, such as the date 2024-99-99, with its line."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise ConstructorError(None, None, f"unreadable value: {node.value}", node.start_mark) from error


def read_yaml(path: Path) -> YamlFile:
    """Return the file's content. Raise OSError if it can't be read, and YamlProblem if it is not YAML."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
        return _read(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlProblem(line, 0, "a character is not UTF-8. Save the file again, with the encoding UTF-8") from error
    except yaml.YAMLError as error:
        raise explained(error, data.decode("utf-8")) from error
    except RecursionError as error:
        raise YamlProblem(1, 0, "the values are nested too deeply") from error


def _read(text: str) -> YamlFile:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return YamlFile(None, None)
        problems = tuple(_duplicates(root, (), set()))  # construct_document adds the pairs of merged mappings
        return YamlFile(loader.construct_document(root), root, problems)
    finally:
        loader.dispose()


def position_text(position: Position) -> str:
    """Return a position like `models.complete[0].repo`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in position).lstrip(".")


def _child(node: Node | None, part: str | int) -> tuple[Node, int] | None:
    """Return the value and its line: that of its key, or of the item of a list. Of equal keys the last one counts."""
    if isinstance(node, MappingNode):
        pairs = [(key, value) for key, value in node.value if key.value == str(part)]
        return (pairs[-1][1], pairs[-1][0].start_mark.line + 1) if pairs else None
    if isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None


def _duplicates(node: Node, position: Position, seen: set[int]) -> Generator[YamlProblem]:
    """Yield a problem for each key that is given twice in one mapping. Aliases are visited once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _duplicates(item, (*position, index), seen)
    if isinstance(node, MappingNode):
        keys: dict[tuple[str, str], list[Node]] = {}
        for key, value in node.value:
            keys.setdefault((key.tag, str(key.value)), []).append(key)
            yield from _duplicates(value, (*position, str(key.value)), seen)
        yield from (_duplicate(position, equal) for equal in keys.values() if len(equal) > 1)


def _duplicate(position: Position, keys: list[Node]) -> YamlProblem:
    mark = keys[-1].start_mark
    lines = [f"line {line}" for line in dict.fromkeys(key.start_mark.line + 1 for key in keys)]
    times = "twice" if len(keys) == 2 else f"{len(keys)} times"
    where = " and ".join([", ".join(lines[:-1]), lines[-1]] if len(lines) > 1 else lines)
    name = position_text((*position, keys[-1].value))
    return YamlProblem(mark.line + 1, mark.column + 1, f"`{name}` is given {times}, in {where}")
