"""Other programs for the same work, each run in a process of its own in the peers' environment.

The environment variable PEERS names the Python of that environment; by default it is the one that runs the benchmarks.
Which programs there are is in peers.txt, what they do in peer_programs.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peer_programs import NOT_INSTALLED_STATUS

_ROOT = Path(__file__).parents[1]
NOT_INSTALLED = "not installed"
_ERROR_CHARACTERS = 1000
"""The end of a failed program's stderr that is shown."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A program in peer_programs.py with its arguments, and the name that the table shows."""

    name: str
    program: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """The time of the fastest peer. Without a time, the name says why there is none."""

    name: str
    seconds: float | None = None

    def per_second(self, count: int) -> float | None:
        """Return how many of the `count` units of the work it does in a second."""
        return count / self.seconds if self.seconds else None


def fastest(*candidates: Candidate) -> Peer:
    """Run the candidates one after another, and return the fastest."""
    results = [_run(candidate) for candidate in candidates]
    timed = [(peer.seconds, peer.name) for peer in results if peer.seconds is not None]
    if timed:
        best, name = min(timed)
        return Peer(name, best)
    return next((peer for peer in results if peer.name != NOT_INSTALLED), Peer(NOT_INSTALLED))


def _run(candidate: Candidate) -> Peer:
    completed = subprocess.run(
        [os.environ.get("PEERS") or sys.executable, "-m", "bench.peer_programs", candidate.program],
        input=json.dumps(candidate.arguments),
        capture_output=True,
        text=True,
        cwd=_ROOT,
    )
    if completed.returncode == NOT_INSTALLED_STATUS:
        return Peer(NOT_INSTALLED)
    if completed.returncode:
        print(f"{candidate.name}: {completed.stderr.strip()[-_ERROR_CHARACTERS:]}", file=sys.stderr, flush=True)
        return Peer(f"{candidate.name} failed")
    return Peer(candidate.name, float(json.loads(completed.stdout.splitlines()[-1])["seconds"]))
