"""Imports point one way: bot → preview, cogs → storage, inference → engine → backends → pipelines → torch.

Which package may import which is kept by lint-imports (`[tool.importlinter]` in pyproject.toml); here is what that
can't express: bot.py, which is no package; names inside a module; what importing a module imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import inference

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "diffusers"}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """(module, name) of every import among `nodes`; name is empty for `import module`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def everywhere(path: Path) -> set[tuple[str, str]]:
    """The imports of a file, also those inside functions or for types only."""
    return set(imports(ast.walk(ast.parse(path.read_text(encoding="utf-8")))))


def at_the_top(path: Path) -> set[tuple[str, str]]:
    """What importing the file imports."""
    return set(imports(ast.parse(path.read_text(encoding="utf-8")).body))


def packages(found: set[tuple[str, str]]) -> set[str]:
    return {module.split(".")[0] for module, _ in found}


def imported_modules(package: str) -> dict[str, set[str]]:
    """Each module of a package, and those of the package that it imports, also for types only."""
    modules = {dotted(path): path for path in sources(package)}
    return {
        module: {f"{source}.{name}" if f"{source}.{name}" in modules else source for source, name in everywhere(path)}
        & modules.keys()
        for module, path in modules.items()
    }


def dotted(path: Path) -> str:
    """`cogs/ask/__init__.py` → `cogs.ask`"""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_the_bots_file_never_imports_torch_or_a_library_on_it() -> None:
    assert packages(everywhere(ROOT / "bot.py")) & HEAVY == set()


def test_bot_cogs_and_preview_use_only_public_names_of_inference() -> None:
    public = {("inference", ""), *(("inference", name) for name in inference.__all__)}
    for path in (ROOT / "bot.py", *sources("cogs"), *sources("preview"), *sources("storage")):
        used = {(module, name) for module, name in everywhere(path) if packages({(module, name)}) == {"inference"}}
        private = {(module, name) for module, name in used if not module.startswith("inference.tasks.")}
        assert private - public == set(), path


def test_all_that_stands_above_the_pipelines_imports_torch_late_if_at_all() -> None:
    lower = {*sources("inference/pipelines")}
    for path in (path for path in sources("inference") if path not in lower):
        assert packages(at_the_top(path)) & HEAVY == set(), path


@pytest.mark.parametrize(
    "names", [["bot"], ["inference"], ["inference.backends.local"], ["inference.cli"], ["storage"], ["cogs"]]
)
def test_importing_it_does_not_import_torch(names: list[str]) -> None:
    if names == ["cogs"]:
        names = [dotted(path) for path in sources("cogs")]
    show = f"import sys, {', '.join(names)}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_public_name_of_inference_is_there() -> None:
    assert [name for name in inference.__all__ if not hasattr(inference, name)] == []


@pytest.mark.parametrize("package", ["cogs", "inference", "preview", "starter", "storage"])
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    TopologicalSorter(imported_modules(package)).prepare()  # raises CycleError with the modules of a circle


def test_circles_are_found_also_those_of_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "house").mkdir()
    (tmp_path / "house/__init__.py").write_text("from house.roof import Roof")
    (tmp_path / "house/roof.py").write_text("from house import walls")
    (tmp_path / "house/walls.py").write_text("if TYPE_CHECKING:\n    from house.roof import Roof")
    with pytest.raises(CycleError, match=r"'house\.roof', 'house\.walls'|'house\.walls', 'house\.roof'"):
        TopologicalSorter(imported_modules("house")).prepare()
