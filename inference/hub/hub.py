"""The files of every model: found on disk, or fetched from the Hugging Face hub and pinned to a commit.

The hub's own conventions hold: `HF_HOME` is where the cache lies, `HF_TOKEN` opens gated models,
`HF_HUB_OFFLINE=1` forbids the network. What is on disk is loaded without asking the hub anything.
"""

from __future__ import annotations

import glob
import json
import shutil
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import HfApi, get_cached_repo_tree, snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError, XetDownloadError

from inference.config import Config
from inference.errors import ModelUnavailable
from inference.hub.commits import Commits
from inference.hub.layout import components_of, is_complete, wanted_files
from inference.hub.progress import ignore, reporting_bar
from inference.hub.sentences import explain, next_step
from inference.types import LoadProgress, ModelSpec

_INDEX = "model_index.json"


class Hub:
    """Finds and fetches model files. Its methods block; they may be called from any thread.

    `endpoint` and `cache` default to the hub's own (`HF_ENDPOINT`, `HF_HUB_CACHE`).
    """

    def __init__(self, config: Config, *, endpoint: str | None = None, cache: Path | None = None) -> None:
        self._may_download = config.download
        self._commits = Commits(config.data / "commits.json")
        self._endpoint = endpoint
        self._cache = cache or Path(HF_HUB_CACHE)

    def state(self, spec: ModelSpec) -> tuple[Literal["on disk", "not downloaded"], int]:
        """Whether every file is here, and how many bytes loading reads; a half-fetched model is not on disk."""
        folder = self._find(spec)
        if folder is None:
            return "not downloaded", 0
        names = wanted_files(_names(folder), _components(folder))
        return "on disk", sum((folder / name).stat().st_size for name in names)

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """The folder with the model's files, fetched first if need be; raises ModelUnavailable.

        What `on_progress` raises stops the download and comes out here; files that are whole are kept.
        """
        folder = self._find(spec)
        if folder:
            return folder
        if _is_local(spec):
            raise ModelUnavailable(
                f"{spec.name} is set up as a folder, and no complete model lies there. "
                "The bot's operator has to put config.json, tokenizer and weights into it."
            )
        if not self._may_download:
            raise ModelUnavailable(f"{spec.name} is not on this machine yet. {next_step(spec)}")
        return self.download(spec, on_progress)

    def download(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Fetch what is missing and record the commit, which later loads and downloads keep to.

        Raises ModelUnavailable: offline, unknown, gated, interrupted, no usable weights, no room on the disk.
        """
        if _is_local(spec):
            return self.folder(spec, on_progress)
        try:
            folder = self._find(spec) or self._fetch(spec, self._revision(spec), on_progress)
            self._commits.record(_pin(spec), folder.name)
        except (OSError, httpx2.HTTPError, XetDownloadError) as error:
            raise explain(error, spec) from error
        return folder

    def _fetch(self, spec: ModelSpec, revision: str, on_progress: LoadProgress) -> Path:
        info = HfApi(endpoint=self._endpoint).model_info(spec.repo, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        components = _components(self._fetch_files(spec, revision, {_INDEX: 0}, ignore)) if _INDEX in sizes else []
        if not is_complete(sizes, components):
            raise ModelUnavailable(
                f"{spec.repo} has no weights that can be read here (safetensors or pytorch_model.bin). "
                "The bot's operator has to pick another model."
            )
        wanted = {name: sizes[name] for name in wanted_files(sizes, components)}
        return self._fetch_files(spec, revision, wanted, on_progress)

    def _fetch_files(self, spec: ModelSpec, revision: str, sizes: dict[str, int], on_progress: LoadProgress) -> Path:
        """Fetch those of the files that are missing; `sizes` are in bytes."""
        here = self._cached(spec, revision)
        missing = sum(size for name, size in sizes.items() if not (here and (here / name).exists()))
        _check_room(self._cache, missing, spec)
        folder = Path(
            snapshot_download(
                spec.repo,
                revision=revision,
                cache_dir=self._cache,
                endpoint=self._endpoint,
                allow_patterns=[glob.escape(name) for name in sizes],
                tqdm_class=reporting_bar(missing, on_progress),
            )
        )
        # When the hub fails half-way through its listing, snapshot_download settles for what is there.
        if not all((folder / name).exists() for name in sizes):
            raise LocalEntryNotFoundError(f"{spec.repo}: files are missing after the download")
        return folder

    def _find(self, spec: ModelSpec) -> Path | None:
        """The folder with the model if every file is there, by the hub's listing where one is cached."""
        folder = Path(spec.repo) if _is_local(spec) else self._cached(spec, self._revision(spec))
        if folder is None or not folder.is_dir():
            return None
        names, components = _names(folder), _components(folder)
        listed = names if _is_local(spec) else self._listed(spec, folder.name) or names
        complete = is_complete(names, components) and names.issuperset(wanted_files(listed, components))
        return folder if complete else None

    def _cached(self, spec: ModelSpec, revision: str) -> Path | None:
        """The snapshot's folder, complete or not; asks only the disk."""
        try:
            folder = snapshot_download(
                spec.repo, revision=revision, cache_dir=self._cache, local_files_only=True, allow_patterns=[]
            )
        except LocalEntryNotFoundError:
            return None
        return Path(folder)

    def _listed(self, spec: ModelSpec, commit: str) -> set[str]:
        """All names in the repository, if a download has left a listing in the cache."""
        try:
            return {file.path for file in get_cached_repo_tree(spec.repo, revision=commit, cache_dir=self._cache)}
        except CachedRepoTreeNotFoundError:
            return set()

    def _revision(self, spec: ModelSpec) -> str:
        return self._commits.get(_pin(spec)) or spec.revision or "main"


def _is_local(spec: ModelSpec) -> bool:
    return spec.repo.startswith("/")


def _pin(spec: ModelSpec) -> str:
    return f"{spec.repo}@{spec.revision}" if spec.revision else spec.repo


def _names(folder: Path) -> set[str]:
    """Every file below `folder`, as the hub would name it; a broken link is not a file."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _components(folder: Path) -> list[str]:
    """Of a diffusers pipeline, the folders that it is made of; otherwise none, and none of a damaged one."""
    try:
        return components_of(json.loads((folder / _INDEX).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return []


def _check_room(cache: Path, needed: int, spec: ModelSpec) -> None:
    standing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if needed > free:
        raise ModelUnavailable(
            f"{spec.name} needs {needed / 1e9:,.1f} GB on the bot's disk, and {free / 1e9:,.1f} GB are free. "
            "The bot's operator has to make room, or point HF_HOME at a larger disk."
        )
