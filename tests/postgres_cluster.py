"""A Postgres server for tests: the one that the system's packages contain, with data of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

_SETTINGS = {"listen_addresses": "", "fsync": "off", "shared_buffers": "16MB", "max_connections": "50"}
_SECONDS = 60.0


def find_postgres() -> Path:
    """Return the folder of the server's programs. Skip the test where there is none; in CI, fail."""
    on_path = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for folder in [*on_path, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]:
        if (folder / "initdb").is_file():
            return folder
    reason = "there is no Postgres: install the package postgresql"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class PostgresCluster:
    """A server on a socket in a folder of its own, which can be stopped, started and asked for databases."""

    def __init__(self) -> None:
        self._programs = find_postgres()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has at most 107 letters
        self._user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "--auth=trust", "--no-sync", "--username=inkling", "--encoding=UTF8", "--locale=C")
        self._databases = 0
        self.start()

    def start(self) -> None:
        options = {**_SETTINGS, "unix_socket_directories": str(self._folder)}
        words = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}", f"--options={words}")

    def rename_database(self, old: str, new: str) -> None:
        """Rename a database, whose connections are lost."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as session:
            session.execute(
                f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{old}'".encode()
            )
            session.execute(f"ALTER DATABASE {old} RENAME TO {new}".encode())

    def stop(self) -> None:
        """Stop the server at once: every connection is lost."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def remove(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """Return the address of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as session:
            session.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def address(self, database: str) -> str:
        return f"postgresql://inkling@/{database}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        environment: Mapping[str, str] = {**os.environ, "PGDATA": str(self._folder / "data")}
        with tempfile.TemporaryFile("w+") as output:  # no pipe, which the server would keep open
            finished = subprocess.run(
                [self._programs / program, *arguments],
                cwd=self._folder,
                env=environment,
                user=self._user,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS,
                check=False,
            )
            output.seek(0)
            assert finished.returncode == 0, f"{program}: {output.read()}"
