"""Repositories on the hub and in the cache of huggingface_hub: listings, and snapshots of one commit."""

from __future__ import annotations

import glob
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, get_cached_repo_tree, snapshot_download
from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError
from huggingface_hub.utils import tqdm

from inference.types import GGUFSummary


@dataclass(frozen=True, slots=True)
class Listing:
    """The name and size of each file, and what the hub read in the header of a GGUF file."""

    sizes: dict[str, int]
    gguf: GGUFSummary | None


class Snapshots:
    """The snapshots in one cache. A snapshot is a folder, named after its commit, and may be incomplete."""

    def __init__(self, endpoint: str | None, cache: Path) -> None:
        self._endpoint = endpoint
        self._cache = cache

    def cached(self, repo: str, revision: str) -> Path | None:
        """Return the snapshot's folder, complete or not, without network access."""
        try:
            folder = snapshot_download(
                repo, revision=revision, cache_dir=self._cache, local_files_only=True, allow_patterns=[]
            )
        except LocalEntryNotFoundError:
            return None
        return Path(folder)

    def listed_names(self, repo: str, commit: str) -> set[str]:
        """Return all file names of the repository, if a download has left a listing in the cache."""
        try:
            return {file.path for file in get_cached_repo_tree(repo, revision=commit, cache_dir=self._cache)}
        except CachedRepoTreeNotFoundError:
            return set()

    def listing(self, repo: str, revision: str) -> Listing:
        """Return what the hub says about the repository. Raise errors of the hub and the network."""
        info = HfApi(endpoint=self._endpoint).model_info(repo, revision=revision, files_metadata=True)
        gguf = info.gguf or {}
        return Listing(
            {file.rfilename: file.size or 0 for file in info.siblings or ()},
            GGUFSummary(str(gguf["architecture"]), int(gguf.get("total") or 0)) if gguf.get("architecture") else None,
        )

    def download(self, repo: str, revision: str, names: Collection[str], bar: type[tqdm]) -> Path:
        """Download these files of the repository. Return the snapshot's folder."""
        folder = Path(
            snapshot_download(
                repo,
                revision=revision,
                cache_dir=self._cache,
                endpoint=self._endpoint,
                allow_patterns=[glob.escape(name) for name in names],
                tqdm_class=bar,
            )
        )
        # If the hub fails while it lists files, snapshot_download returns what is cached.
        if not all((folder / name).exists() for name in names):
            raise LocalEntryNotFoundError(f"{repo}: files are missing after the download")
        return folder
