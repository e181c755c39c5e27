"""Huge pages for the memory of weights, on Linux with glibc.

Each token reads all weights of a language model once, and with pages of 4 KiB the processor also looks up the address
of every page: a token took 1.4 times as long. Linux has pages of 2 MiB for programs that ask for them, and glibc's
`malloc` asks if a variable says so when the process starts. So the program starts itself once more, with the variable.

Source: https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_VARIABLE, _TUNABLE = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"


def with_huge_pages(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the variable, unless it already says something about huge pages."""
    tunables = environment.get(_VARIABLE, "")
    if _TUNABLE in tunables:
        return dict(environment)
    return {**environment, _VARIABLE: ":".join(filter(None, [tunables, f"{_TUNABLE}=1"]))}


def restart_with_huge_pages() -> None:
    """Replace this process by one with the same arguments and the variable, where that changes something."""
    environment = with_huge_pages(os.environ)
    has_glibc = "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ())
    if sys.platform == "linux" and has_glibc and environment != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
