"""Test that the program starts itself once more with the variable for huge pages."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cogs.huge_pages import with_huge_pages

_SCRIPT = """
import os, sys
from cogs.huge_pages import restart_with_huge_pages
print("start", flush=True)
restart_with_huge_pages()
print(os.getpid(), os.environ.get("GLIBC_TUNABLES"), sys.argv[1:], sys.flags.utf8_mode)
"""


def _run(environment: dict[str, str]) -> tuple[list[str], int]:
    command = [sys.executable, "-X", "utf8", "-c", _SCRIPT, "--port", "1 2"]
    without = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=without | environment) as process:
        output, _ = process.communicate()
        assert process.returncode == 0
        return output.splitlines(), process.pid


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()), reason="only glibc has the variable")
def test_the_program_starts_once_more_as_the_same_process_with_the_same_arguments() -> None:
    lines, pid = _run({})
    assert lines == ["start", "start", f"{pid} glibc.malloc.hugetlb=1 ['--port', '1 2'] 1"]


def test_a_choice_of_the_operator_is_kept_and_nothing_starts_again() -> None:
    lines, pid = _run({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"})
    assert lines == ["start", f"{pid} glibc.malloc.hugetlb=0 ['--port', '1 2'] 1"]


def test_other_tunables_are_kept() -> None:
    environment = with_huge_pages({"GLIBC_TUNABLES": "glibc.malloc.check=3", "HOME": "/"})
    assert environment == {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.hugetlb=1", "HOME": "/"}
