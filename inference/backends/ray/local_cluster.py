"""A Ray cluster on this machine alone, for trying and for tests: `python -m inference.backends.ray.local_cluster`.

It has a head without devices, and several nodes with one processor device each, as if they were machines.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path

import psutil

from inference.backends.ray.messages import AUTH_MODE, has_token

_RAY = Path(sys.executable).with_name("ray")
_COMMON = ("--num-gpus=0", "--disable-usage-stats", "--object-store-memory=100000000", "--block")
_CODE = Path(__file__).parents[3]
_READY = "Ray runtime started"


class ClusterError(Exception):
    """A part of the cluster did not start; the message has what Ray said."""


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
        if not has_token():  # without one, everybody who reaches the port could run programs here
            subprocess.run([str(_RAY), "get-auth-token", "--generate"], check=True, stdout=subprocess.DEVNULL)
        head = ("--head", f"--port={self._port}", f"--temp-dir={self._folder}", "--include-dashboard=false")
        self._start("head", *head, "--num-cpus=0")

    def start_node(self, name: str) -> None:
        """Start a node with a processor device, which joins the head. Raise ClusterError."""
        self._start(name, f"--address={self.address}", f"--num-cpus={self._cores}")

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of a node or of the head, those that they have started included."""
        first = psutil.Process(self._processes[name].pid)
        return [*first.children(recursive=True), first]

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
        raise ClusterError("".join(said))


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


def main() -> None:
    """Run a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=6379, help="of the head (default %(default)s)")
    parser.add_argument("--nodes", type=int, default=2, help="how many devices (default %(default)s)")
    arguments = parser.parse_args()
    cores = max(1, (os.cpu_count() or 1) // arguments.nodes)
    try:
        with local_cluster(arguments.port, arguments.nodes, cores) as cluster:
            names = ", ".join(f"pc{number}/cpu" for number in range(1, arguments.nodes + 1))
            print(f"The cluster is there, with the devices {names}.", flush=True)
            print(
                f"In config.yaml:  ray: {cluster.address}  and  device: cluster  (Ctrl-C ends the cluster)", flush=True
            )
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except ClusterError as error:
        sys.exit(f"The cluster did not start. Ray says:\n{error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
