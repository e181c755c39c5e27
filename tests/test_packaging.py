"""The files beside the code: requirements, the Makefile, the Docker image, the documents."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot
from inference.pipelines.llama_cpp import library

ROOT = Path(__file__).parent.parent
PACKAGES = ("cogs", "inference", "preview", "starter", "storage")
LOCKS = (
    *("requirements.txt", "requirements-dev.txt", "requirements-starter.txt", "requirements-train.txt"),
    *("requirements-llama-cpp.txt", "requirements-openvino.txt", "requirements-c2pa.txt", "requirements-ray.txt"),
    "requirements-postgres.txt",
)
DOCUMENTS = [
    *(ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "starter" / "models").glob("*/README.md")),
]


def normalized(name: str) -> str:
    """Return the normalized name: `discord.py` and `Discord_py` are the same package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(file: str) -> list[str]:
    return [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]


def names(*files: str) -> set[str]:
    return {normalized(re.split(r"[\[=;<>~ ]", line)[0]) for file in files for line in lines(file)}


def imported(*folders: str) -> set[str]:
    """Return the top-level names of third-party packages that the code imports, anywhere in a file."""
    files = [ROOT / "bot.py", *(file for folder in folders for file in (ROOT / folder).rglob("*.py"))]
    found: set[str] = set()
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text()))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"bot", "bench", "tests", *PACKAGES}


def distributions(modules: set[str]) -> set[str]:
    owners = packages_distributions()
    return {normalized(owners[module][0]) for module in modules if module in owners}


@pytest.mark.parametrize("file", LOCKS)
def test_a_lock_file_pins_versions_and_has_no_urls(file: str) -> None:
    pin = re.compile(r'[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*(; python_version >= "3\.\d+")?')
    assert [line for line in lines(file) if not pin.fullmatch(line)] == []


def test_every_requirement_is_pinned() -> None:
    assert names("requirements.in") <= names("requirements.txt")
    assert names("requirements-dev.in") <= names("requirements.txt", "requirements-dev.txt")


def test_an_exact_requirement_is_pinned_to_the_same_version() -> None:
    asked = {line for line in lines("requirements.in") if "==" in line}
    assert asked
    assert asked <= set(lines("requirements.txt"))


def test_the_version_of_llama_cpp_is_the_one_that_its_structures_were_written_for() -> None:
    assert lines("requirements-llama-cpp.txt") == [f"{library.MODULE}=={library.VERSION}"]


def test_packages_that_torch_pins_itself_are_not_in_the_lock_file() -> None:
    assert [name for name in names("requirements.txt") if name.startswith(("nvidia", "cuda", "triton"))] == []


def test_every_dependency_is_explained_in_the_documentation() -> None:
    table = re.findall(r"^\| ([\w.-]+) \| ", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    reasons = {normalized(name) for name in table} - {"package"}
    assert reasons == names("requirements.in", "requirements-dev.in", *LOCKS[2:])


def test_every_imported_package_is_a_requirement() -> None:
    optional = ("requirements-openvino.txt", "requirements-c2pa.txt", "requirements-ray.txt", "requirements-train.txt")
    database = "requirements-postgres.txt"
    assert distributions(imported(*PACKAGES, "bench")) <= names("requirements.in", *optional, database)
    assert distributions(imported("tests")) <= names("requirements.in", "requirements-dev.in", database)


def test_the_docker_image_contains_every_package_that_the_bot_imports() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    allowed = {line.removeprefix("!") for line in lines(".dockerignore")}
    assert copied == set(PACKAGES)
    assert set(PACKAGES) <= allowed


def compose_service() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["inkling"]


def test_the_container_writes_only_to_its_volumes_and_to_temporary_files() -> None:
    service = compose_service()
    written = set(re.findall(r'"([^"]+)"', re.findall(r"^VOLUME (.*)$", (ROOT / "Dockerfile").read_text(), re.M)[0]))
    mounts = {volume.split(":")[1] for volume in service["volumes"] if not volume.endswith(":ro")}
    assert service["read_only"] is True
    assert mounts == written == {"/hub", "/app/data"}
    assert service["tmpfs"] == "/tmp"


def test_the_container_has_no_rights_of_root_and_bounded_logs_and_is_started_again() -> None:
    service = compose_service()
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    assert service["restart"] == "unless-stopped"
    assert re.search(r"^USER inkling$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def unit() -> ConfigParser:
    """Return the unit of systemd. Of a key that is there several times, the last one counts."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read(ROOT / "deploy" / "inkling.service")
    return parser


def test_the_container_and_the_unit_run_the_bot_as_a_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    [entrypoint] = re.findall(r"^ENTRYPOINT (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    for program in (json.loads(entrypoint), unit()["Service"]["ExecStart"].split()):
        arguments = program[program.index("bot.py") + 1 :]
        assert bot.main(arguments) == 2, "without a token, it must end and not start the preview"


def test_systemd_does_not_repeat_a_start_that_can_not_succeed() -> None:
    service = unit()["Service"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2 3"


def systemd_version() -> int:
    """Return the version of systemd, 0 if it is not installed."""
    if not shutil.which("systemd-analyze"):
        return 0
    said = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", said)[0])


@pytest.mark.skipif(systemd_version() < 252, reason="systemd is not installed, or older than the unit's settings")
def test_systemd_accepts_the_unit_and_finds_it_well_protected(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "inkling.service").read_text()
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)  # nothing is installed here
    text = re.sub(r"^Restart(Steps|MaxDelaySec)=.*\n", "", text, flags=re.MULTILINE)  # new in version 254
    (tmp_path / "inkling.service").write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "inkling.service")]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if "inkling.service" in line] == []
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(tmp_path / "inkling.service")]
    rated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_an_old_python_gives_a_clear_error(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = ["make", "run", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode != 0
    assert "Inkling needs Python 3.11 or newer" in outcome.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_to_existing_files(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []
