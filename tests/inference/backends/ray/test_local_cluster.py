"""The cluster on one machine, as `make cluster` starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Generator

import psutil
import pytest

from tests.inference.backends.ray.conftest import free_port
from tests.waiting import until

COMMAND = (sys.executable, "-m", "inference.backends.ray.local_cluster", "--nodes", "1", "--port")


@pytest.fixture
def make_cluster() -> Generator[subprocess.Popen[str]]:
    token = {"RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    command = [*COMMAND, str(free_port())]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=os.environ | token, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


async def test_a_head_that_ends_ends_the_cluster_with_a_sentence_and_nothing_stays(
    make_cluster: subprocess.Popen[str],
) -> None:
    assert make_cluster.stdout
    assert make_cluster.stderr
    assert make_cluster.stdout.readline() == "The cluster is there, with the devices pc1/cpu.\n"
    started = psutil.Process(make_cluster.pid).children(recursive=True)
    (gcs,) = (process for process in started if process.name() == "gcs_server")
    gcs.kill()
    assert make_cluster.wait() == 1
    assert make_cluster.stderr.read() == ("The head has ended, and so does the cluster. Start it again: make cluster\n")
    await until(lambda: not any(process.is_running() for process in started), "some of its processes still run")


def test_a_port_in_use_is_told_at_once_with_the_way_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = subprocess.run([*COMMAND, str(port)], capture_output=True, text=True, check=False)
    sentence = f'Port {port} is in use by another program. Choose another: make cluster ARGS="--port {port + 1}"\n'
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", sentence)
