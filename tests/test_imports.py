"""Imports point one way: bot → preview, cogs → storage, inference → engine → backends → pipelines → torch.

Which package may import which is kept by lint-imports (`[tool.importlinter]` in pyproject.toml); here is what that
can't express: bot.py, which is no package; names inside a module; what importing a module imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
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


def test_the_bots_file_never_imports_torch_or_a_library_on_it() -> None:
    assert packages(everywhere(ROOT / "bot.py")) & HEAVY == set()


def test_bot_cogs_and_preview_use_only_public_names_of_inference() -> None:
    public = {("inference", ""), *(("inference", name) for name in inference.__all__)}
    for path in (ROOT / "bot.py", *sources("cogs"), *sources("preview"), *sources("storage")):
        used = {(module, name) for module, name in everywhere(path) if packages({(module, name)}) == {"inference"}}
        assert used - public == set(), path


def test_all_that_stands_above_the_pipelines_imports_torch_late_if_at_all() -> None:
    lower = {*sources("inference/pipelines")}
    for path in (path for path in sources("inference") if path not in lower):
        assert packages(at_the_top(path)) & HEAVY == set(), path


@pytest.mark.parametrize(
    "names", [["bot"], ["inference"], ["inference.backends.local"], ["inference.cli"], ["storage"], ["cogs"]]
)
def test_importing_it_does_not_import_torch(names: list[str]) -> None:
    if names == ["cogs"]:
        names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sources("cogs")]
    show = f"import sys, {', '.join(names)}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_public_name_of_inference_is_there() -> None:
    assert [name for name in inference.__all__ if not hasattr(inference, name)] == []
