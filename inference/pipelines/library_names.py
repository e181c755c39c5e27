"""Names that transformers and diffusers define, read from their source files.

Importing these libraries imports torch, which takes seconds. Most questions about a model need only their lists of
names, and so are answered without them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

Names = str | tuple[str, ...]


@cache
def mapping_names(module: str, mapping: str) -> Mapping[str, Names]:
    """Return a dict of `module` whose keys are texts, such as transformers' mappings from model types to class names.

    A class stands as its name, and any other expression as an empty text. What a condition adds is left out. Raise
    LookupError if the module defines no such dict.
    """
    entries: dict[str, Names] = {}
    for statement in _tree(module).body:
        if _changes(statement, mapping):
            entries |= dict(_entries(statement))
    if not entries:
        raise LookupError(f"{module} has no {mapping}")
    return entries


def known_model_types() -> frozenset[str]:
    """Return the types of models that transformers has a config for."""
    modules = ("auto_mappings", "configuration_auto")
    return frozenset().union(
        *(mapping_names(f"transformers.models.auto.{each}", "CONFIG_MAPPING_NAMES") for each in modules)
    )


@cache
def listed_names(module: str, variable: str) -> tuple[str, ...]:
    """Return the names in a list of `module`."""
    lists = (each.value for each in _tree(module).body if _changes(each, variable) and isinstance(each, ast.Assign))
    return tuple(part.id for each in lists for part in ast.walk(each) if isinstance(part, ast.Name))


@cache
def exported_names(package: str) -> frozenset[str]:
    """Return the names that a package offers: those that its `__init__` imports, under any condition."""
    imports = (part for part in ast.walk(_tree(package)) if isinstance(part, ast.ImportFrom))
    return frozenset(alias.asname or alias.name for each in imports for alias in each.names)


def has_submodule(package: str, name: str) -> bool:
    """Return whether a package, which is not imported, has a module or a package of this name."""
    folder = _path(package)
    return (folder / name).is_dir() or (folder / f"{name}.py").is_file()


def _path(module: str) -> Path:
    """Return the folder of a package, or the path of another module without its ending."""
    library, *parts = module.split(".")
    found = find_spec(library)  # which imports nothing, since it has no parent
    if not found or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{library} is not installed", name=library)
    return Path(found.submodule_search_locations[0], *parts)


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _changes(statement: ast.stmt, name: str) -> bool:
    """Return whether a statement assigns to the variable, or calls a method of it."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=found)]):
            return found == name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=found)))):
            return found == name
        case _:
            return False


def _entries(node: ast.AST) -> Iterator[tuple[str, Names]]:
    """Yield the entries of all dicts and lists of pairs below `node`."""
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str(key)), value]):
            yield key, _names(value)
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, _names(value)
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _entries(part)


def _names(value: ast.expr) -> Names:
    match value:
        case ast.Constant(value=str(name)) | ast.Name(id=name):
            return name
        case ast.Tuple():
            return tuple(name for part in value.elts if isinstance(name := _names(part), str))
        case _:
            return ""
