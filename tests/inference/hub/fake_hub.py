"""A fake model hub on 127.0.0.1 with the endpoints that downloads need, which can fail on demand."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = re.compile(r"/api/models/(?P<repo>[^?]+?)(/(?P<kind>revision|tree)/(?P<revision>[^/?]+))?(\?.*)?$")
_FILE = re.compile(r"/(?P<repo>.+?)/resolve/(?P<revision>[^/]+)/(?P<name>.+)$")


def sha(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


@dataclass
class FakeHub:
    """The content of the fake hub, and the requests that it received.

    `files` maps repo → name → content. Files in `broken` give status 500. The connection breaks once in the middle of
    each file in `interrupted`. Listings claim `claimed_size` for every file, or `claimed_sizes` for those named in it.
    `gguf` is what they say about the GGUF files of a repository.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    commits: dict[str, str] = field(default_factory=dict[str, str])
    gated: set[str] = field(default_factory=set[str])
    broken: set[str] = field(default_factory=set[str])
    interrupted: set[str] = field(default_factory=set[str])
    gguf: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    claimed_size: int | None = None
    claimed_sizes: dict[str, int] = field(default_factory=dict[str, int])
    requests: list[str] = field(default_factory=list[str])
    endpoint: str = ""

    def commit(self, repo: str) -> str:
        return self.commits.get(repo) or sha(repo)

    def downloaded_files(self) -> list[str]:
        """Return the names of the downloaded files, sorted."""
        return sorted(
            line.split("/", 5)[-1] for line in self.requests if line.startswith("GET") and "/resolve/" in line
        )

    def requested_files(self) -> set[str]:
        """Return the names of all files that were requested, sent or not."""
        return {match["name"] for line in self.requests if (match := _FILE.match(line.split(" ", 1)[1]))}


@contextmanager
def serving(hub: FakeHub) -> Generator[FakeHub]:
    """Serve `hub` at `hub.endpoint` until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        self.hub.requests.append(f"{self.command} {self.path}")
        if match := _API.match(self.path):
            self._api(match["repo"], match["kind"], match["revision"])
        elif match := _FILE.match(self.path):
            self._file(match["repo"], match["revision"], match["name"])
        else:
            self._refuse(404, "")

    def _api(self, repo: str, kind: str | None, revision: str | None) -> None:
        if repo not in self.hub.files:
            return self._refuse(404, "RepoNotFound")
        if revision not in (None, "main", self.hub.commit(repo)):
            return self._refuse(404, "RevisionNotFound")
        files = self.hub.files[repo].items()
        if kind == "tree":
            return self._json([{"type": "file", "path": n, "size": self._size(n, c), "oid": sha(n)} for n, c in files])
        siblings = [{"rfilename": name, "size": self._size(name, content)} for name, content in files]
        return self._json(
            {"id": repo, "sha": self.hub.commit(repo), "siblings": siblings, "gguf": self.hub.gguf.get(repo)}
        )

    def _size(self, name: str, content: bytes) -> int:
        usual = len(content) if self.hub.claimed_size is None else self.hub.claimed_size
        return self.hub.claimed_sizes.get(name, usual)

    def _file(self, repo: str, revision: str, name: str) -> None:
        if repo in self.hub.gated:
            return self._refuse(403, "GatedRepo")
        content = self.hub.files[repo][name]
        if self.command == "GET" and name in self.hub.broken:
            return self._refuse(500, "")
        start = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", revision if len(revision) == 40 else self.hub.commit(repo))
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        if name in self.hub.interrupted:
            self.hub.interrupted.remove(name)
            content = content[: len(content) // 2]
        self.wfile.write(content[start:])
        return None

    def _json(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
