"""Imports go in one direction: bot → preview, cogs → storage, inference → engine → backends → pipelines → torch.

lint-imports checks which package may import which (`[tool.importlinter]` in pyproject.toml). These tests check what it
can't express: bot.py, which is not a package; names inside a module; and what importing a module imports.
"""

from __future__ import annotations

import ast
import json
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
    """Yield (module, name) of every import among `nodes`. The name is empty for `import module`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def all_imports(path: Path) -> set[tuple[str, str]]:
    """Return all imports of a file, including those inside functions and for types only."""
    return set(imports(ast.walk(ast.parse(path.read_text(encoding="utf-8")))))


def top_level_imports(path: Path) -> set[tuple[str, str]]:
    """Return the imports that run when the file is imported."""
    return set(imports(ast.parse(path.read_text(encoding="utf-8")).body))


def packages(found: set[tuple[str, str]]) -> set[str]:
    return {module.split(".")[0] for module, _ in found}


def imported_modules(package: str) -> dict[str, set[str]]:
    """Return the modules of a package, each with the modules of the package that it imports, even for types only."""
    modules = {dotted(path): path for path in sources(package)}
    return {
        module: {f"{source}.{name}" if f"{source}.{name}" in modules else source for source, name in all_imports(path)}
        & modules.keys()
        for module, path in modules.items()
    }


def dotted(path: Path) -> str:
    """Return the name of a module: `cogs/ask/__init__.py` → `cogs.ask`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_bot_py_never_imports_torch_or_a_library_that_needs_it() -> None:
    assert packages(all_imports(ROOT / "bot.py")) & HEAVY == set()


def test_bot_cogs_and_preview_use_only_public_names_of_inference() -> None:
    public = {("inference", ""), *(("inference", name) for name in inference.__all__)}
    for path in (ROOT / "bot.py", *sources("cogs"), *sources("preview"), *sources("storage")):
        used = {(module, name) for module, name in all_imports(path) if packages({(module, name)}) == {"inference"}}
        private = {(module, name) for module, name in used if not module.startswith("inference.tasks.")}
        assert private - public == set(), path


def test_modules_outside_the_pipelines_do_not_import_torch_at_the_top() -> None:
    lower = {*sources("inference/pipelines")}
    for path in (path for path in sources("inference") if path not in lower):
        assert packages(top_level_imports(path)) & HEAVY == set(), path


@pytest.mark.parametrize(
    "names",
    [
        ["bot"],
        ["inference"],
        ["inference.backends.local"],
        ["inference.backends.openai.backend"],
        ["inference.cli"],
        ["storage"],
        ["cogs"],
    ],
)
def test_importing_these_modules_does_not_import_torch(names: list[str]) -> None:
    if names == ["cogs"]:
        names = [dotted(path) for path in sources("cogs")]
    show = f"import sys, {', '.join(names)}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_help_of_the_command_line_waits_for_no_library_that_it_does_not_need() -> None:
    slow = HEAVY | {"huggingface_hub", "httpx2", "tqdm", "PIL", "numpy", "pypdf", "lxml", "matplotlib"}
    show = f"import sys, inference.cli; print(sorted({slow!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("command", ["--help", "models", "download", "--check-config"])
def test_commands_that_run_no_model_import_no_torch(command: str, tmp_path: Path) -> None:
    (tmp_path / "captioner").mkdir()
    config = {"model_type": "blip", "architectures": ["BlipForConditionalGeneration"]}
    (tmp_path / "captioner/config.json").write_text(json.dumps(config))
    (tmp_path / "captioner/tokenizer.json").write_text("{}")
    (tmp_path / "captioner/model.safetensors").write_bytes(b"")
    (tmp_path / "config.yaml").write_text("device: cpu\nmodels: {caption: [./captioner]}\n")
    module = "bot" if command == "--check-config" else "inference.cli"
    run = f"{module}.main(['--config', {str(tmp_path / 'config.yaml')!r}, {command!r}])"
    show = f"""
import sys, {module}
try:
    status = {run}
except SystemExit as end:
    status = end.code
print(status, sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "0 []", done.stdout + done.stderr


def test_every_public_name_of_inference_exists() -> None:
    assert [name for name in inference.__all__ if not hasattr(inference, name)] == []


@pytest.mark.parametrize("package", ["cogs", "inference", "preview", "starter", "storage"])
def test_there_are_no_circular_imports(package: str) -> None:
    TopologicalSorter(imported_modules(package)).prepare()  # raises CycleError with the modules of a cycle


def test_circular_imports_are_found_even_for_types_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "house").mkdir()
    (tmp_path / "house/__init__.py").write_text("from house.roof import Roof")
    (tmp_path / "house/roof.py").write_text("from house import walls")
    (tmp_path / "house/walls.py").write_text("if TYPE_CHECKING:\n    from house.roof import Roof")
    with pytest.raises(CycleError, match=r"'house\.roof', 'house\.walls'|'house\.walls', 'house\.roof'"):
        TopologicalSorter(imported_modules("house")).prepare()
