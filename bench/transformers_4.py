"""The pipelines of transformers up to version 4, in a separate process, for comparison.

The environment variable TRANSFORMERS_4 lists folders, separated as in PYTHONPATH, with such an unpacked version and its
dependencies that are not installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bench.result_table import Skipped

_SCRIPT = """
import json, sys, time
from transformers import pipeline
job = json.load(sys.stdin)
run = pipeline(job["task"], model=job["repo"])
times = []
for _ in range(job["rounds"] + 1):
    start = time.perf_counter()
    run(*job["texts"], **job["options"])
    times.append(time.perf_counter() - start)
print(min(times[1:]))
"""


def seconds(task: str, repo: str, *texts: str, rounds: int = 1, **options: Any) -> float:
    """Return the seconds of one call, the best of `rounds` after a first one. Raise Skipped."""
    folders = os.environ.get("TRANSFORMERS_4")
    if not folders:
        raise Skipped("TRANSFORMERS_4 names no folder with transformers 4")
    job = {"task": task, "repo": repo, "texts": texts, "options": options, "rounds": rounds}
    path = os.pathsep.join(filter(None, [folders, os.environ.get("PYTHONPATH")]))
    completed = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        input=json.dumps(job),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if completed.returncode:
        raise Skipped(f"transformers 4 does not run: {completed.stderr.strip().splitlines()[-1]}")
    return float(completed.stdout.splitlines()[-1])
