"""A Ray cluster on this machine alone, for trying and for tests: `python -m inference.backends.ray.local_cluster`.

It has a head without devices, and several nodes with one processor device each, as if they were machines.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path

import psutil

from inference.backends.ray.messages import AUTH_MODE, has_token

_RAY = Path(sys.executable).with_name("ray")
_COMMON = ("--num-gpus=0", "--disable-usage-stats", "--object-store-memory=100000000", "--block")
_CODE = Path(__file__).parents[3]
_READY = "Ray runtime started"
_LOOK_PAUSE = 1.0
"""The seconds between two looks at the head."""


class ClusterError(Exception):
    """The cluster did not start, or has ended. The message is for the terminal."""


class LocalCluster:
    """The processes of a cluster. Each node can be ended alone."""

    def __init__(self, folder: Path, port: int, cores: int = 1) -> None:
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._port = port
        self._cores = cores
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start_head(self) -> None:
        """Start the head. Raise ClusterError."""
        self._require_port()
        if not has_token():  # without one, everybody who reaches the port could run programs here
            subprocess.run([str(_RAY), "get-auth-token", "--generate"], check=True, stdout=subprocess.DEVNULL)
        head = ("--head", f"--port={self._port}", f"--temp-dir={self._folder}", "--include-dashboard=false")
        self._start("head", *head, "--num-cpus=0")

    def start_node(self, name: str) -> None:
        """Start a node with a processor device, which joins the head. Raise ClusterError."""
        self._start(name, f"--address={self.address}", f"--num-cpus={self._cores}")

    def has_head(self) -> bool:
        """Return whether the head runs. Ray ends all of it when a part of it has ended."""
        return self._processes["head"].poll() is None

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of a node or of the head, those that they have started included."""
        number = self._processes[name].pid
        return [process for process in psutil.process_iter() if _session_of(process) == number]

    def kill(self, name: str) -> None:
        """End a node or the head at once, as a power cut would."""
        processes = self.processes(name)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._processes.pop(name).wait()
        psutil.wait_procs(processes, timeout=10)

    def stop(self) -> None:
        """End all of it."""
        for name in [*self._processes][::-1]:
            self.kill(name)

    def _require_port(self) -> None:
        """Raise ClusterError if the head can't have its port; Ray itself would try for long, and print a traceback."""
        try:
            socket.create_server(("", self._port)).close()
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            why = "is in use by another program" if in_use else f"can't be used ({error.strerror})"
            other = f'Choose another: make cluster ARGS="--port {self._port + 1}"'
            raise ClusterError(f"Port {self._port} {why}. {other}") from error

    def _start(self, name: str, *options: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(_CODE), AUTH_MODE: "token"}
        process = subprocess.Popen(
            [str(_RAY), "start", f"--node-name={name}", *options, *_COMMON],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._processes[name] = process
        assert process.stdout
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if _READY in line:
                threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
                return
        self.stop()
        raise ClusterError(f"The cluster did not start. Ray says:\n{''.join(said)}")


def _session_of(process: psutil.Process) -> int:
    """Return the number of the first process of the session that this one belongs to; 0 if it has ended."""
    try:
        return os.getsid(process.pid)
    except (ProcessLookupError, PermissionError):
        return 0


@contextlib.contextmanager
def local_cluster(port: int, nodes: int = 2, cores: int = 1) -> Generator[LocalCluster]:
    """Yield a running cluster with nodes `pc1`, `pc2` and so on, of so many cores each. Raise ClusterError."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        cluster = LocalCluster(Path(folder), port, cores)
        try:
            cluster.start_head()
            for number in range(1, nodes + 1):
                cluster.start_node(f"pc{number}")
            yield cluster
        finally:
            cluster.stop()


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"{text} is no port. Ports are numbers from 1 to 65535.")
    return int(text)


def main() -> None:
    """Run a cluster until Ctrl-C, or until its head has ended."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--port", type=_port, default=6379, help="of the head (default %(default)s)")
    parser.add_argument("--nodes", type=int, default=2, help="how many devices (default %(default)s)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cores = max(1, (os.cpu_count() or 1) // arguments.nodes)
    try:
        with local_cluster(arguments.port, arguments.nodes, cores) as cluster:
            names = ", ".join(f"pc{number}/cpu" for number in range(1, arguments.nodes + 1))
            print(f"The cluster is there, with the devices {names}.", flush=True)
            print("To use it, add these two lines to config.yaml, or to a copy of starter/config.yaml:", flush=True)
            print(f"ray: {cluster.address}\ndevice: cluster", flush=True)
            print("Ctrl-C ends the cluster.", flush=True)
            while cluster.has_head():
                time.sleep(_LOOK_PAUSE)
            raise ClusterError("The head has ended, and so does the cluster. Start it again: make cluster")
    except ClusterError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
