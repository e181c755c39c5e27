"""The files of models: found on disk, or downloaded from the Hugging Face hub and pinned to a commit.

The hub's own environment variables apply: `HF_HOME` is the cache's folder, `HF_TOKEN` gives access to gated models, and
`HF_HUB_OFFLINE=1` forbids network access. Files on disk are used without a request to the hub.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import HfApi, get_cached_repo_tree, snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.errors import CachedRepoTreeNotFoundError, LocalEntryNotFoundError, XetDownloadError
from huggingface_hub.utils import tqdm

from inference.config.schema import Config
from inference.hub.commits import Commits
from inference.hub.download_progress import ignore_progress, progress_bar_class
from inference.hub.folders import CONFIG, INDEX, FolderLayout, companion_spec, file_names, loaded_size
from inference.hub.hub_errors import explain, next_step
from inference.hub.model_card import ModelCard, model_card
from inference.hub.repository_files import FLAX_WEIGHTS, is_complete
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class _DownloadPlan:
    """What to download of one repository, and the number of missing bytes. `wanted` is empty if nothing is missing."""

    spec: ModelSpec
    folder: Path | None
    revision: str = ""
    wanted: frozenset[str] = frozenset()
    missing_bytes: int = 0


class Hub:
    """Finds and downloads model files. The methods block, and may be called on any thread.

    `endpoint` and `cache` default to those of huggingface_hub (`HF_ENDPOINT`, `HF_HUB_CACHE`).
    """

    def __init__(self, config: Config, *, endpoint: str | None = None, cache: Path | None = None) -> None:
        self._may_download = config.download
        self._commits = Commits(config.data / "commits.json")
        self._endpoint = endpoint
        self._cache = cache or Path(HF_HUB_CACHE)

    def state(self, spec: ModelSpec) -> tuple[Literal["on disk", "not downloaded"], int]:
        """Return whether all files are on disk, and the number of bytes that loading reads."""
        folders = self._find_all(spec)
        return ("on disk", sum(map(loaded_size, folders))) if folders else ("not downloaded", 0)

    def card(self, spec: ModelSpec) -> ModelCard:
        """Return what the model is good at, and its licence."""
        return model_card(spec.repo, self._find_complete(spec))

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Return the folder with the model's files. Download them if needed. Raise ModelUnavailable.

        Errors raised by `on_progress` stop the download and are passed on. Complete files are kept.
        """
        folders = self._find_all(spec)
        if folders:
            return folders[0]
        if _is_local(spec) and not self._find_complete(spec):
            raise _missing_folder(spec)
        if not self._may_download:
            raise ModelUnavailable("{name} is not on this machine yet. {step}", name=spec.name, step=next_step(spec))
        return self.download(spec, on_progress)

    def with_companion(self, spec: ModelSpec) -> ModelSpec:
        """Return `spec` with the folder of its companion repository, if it needs one. Both must be on disk."""
        _, *companions = self._find_all(spec)
        return replace(spec, companion=str(companions[0])) if companions else spec

    def download(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Download missing files, with those of companions. Record the commits, which are used from then on.

        Raise ModelUnavailable: offline, unknown, gated, interrupted, no usable weights, or not enough disk space.
        """
        plans: list[_DownloadPlan] = []
        current: ModelSpec | None = spec
        while current:
            plans.append(self._plan(current))
            current = companion_spec(current, plans[-1].folder)
        missing_bytes = sum(plan.missing_bytes for plan in plans)
        _check_disk_space(self._cache, missing_bytes, spec)
        bar = progress_bar_class(missing_bytes, on_progress)
        folder, *_ = [self._run_plan(plan, bar) for plan in plans]
        return folder

    def _plan(self, spec: ModelSpec) -> _DownloadPlan:
        """Return what to download of one repository."""
        if folder := self._find_complete(spec):
            return _DownloadPlan(spec, folder)
        if _is_local(spec):
            raise _missing_folder(spec)
        with _explain_errors(spec):
            return self._plan_download(spec, self._revision(spec))

    def _plan_download(self, spec: ModelSpec, revision: str) -> _DownloadPlan:
        info = HfApi(endpoint=self._endpoint).model_info(spec.repo, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        layout = FolderLayout()
        if INDEX in sizes or (FLAX_WEIGHTS in sizes and not is_complete(sizes)):
            # These files determine which others are needed, so they are downloaded first.
            settings = sizes.keys() & {INDEX, CONFIG}
            bar = progress_bar_class(0, ignore_progress)
            layout = FolderLayout.of(self._download_files(spec, revision, settings, bar))
        if not layout.is_complete(sizes):
            raise ModelUnavailable(
                "{repo} has no weights that can be read here (safetensors or pytorch_model.bin). "
                "The bot's operator has to pick another model.",
                repo=spec.repo,
            )
        cached = self._cached(spec, revision)
        wanted = {name: sizes[name] for name in layout.wanted(sizes)}
        missing_bytes = sum(size for name, size in wanted.items() if not (cached and (cached / name).exists()))
        return _DownloadPlan(spec, cached, revision, frozenset(wanted), missing_bytes)

    def _run_plan(self, plan: _DownloadPlan, bar: type[tqdm]) -> Path:
        """Download the files of the plan, and record the commit."""
        with _explain_errors(plan.spec):
            folder = plan.folder
            if plan.wanted or folder is None:
                folder = self._download_files(plan.spec, plan.revision, plan.wanted, bar)
            if not _is_local(plan.spec):
                self._commits.record(_commit_key(plan.spec), folder.name)
        return folder

    def _download_files(self, spec: ModelSpec, revision: str, names: Collection[str], bar: type[tqdm]) -> Path:
        """Download these files of the repository to the cache. Return the snapshot's folder."""
        folder = Path(
            snapshot_download(
                spec.repo,
                revision=revision,
                cache_dir=self._cache,
                endpoint=self._endpoint,
                allow_patterns=[glob.escape(name) for name in names],
                tqdm_class=bar,
            )
        )
        # If the hub fails while it lists files, snapshot_download returns what is cached.
        if not all((folder / name).exists() for name in names):
            raise LocalEntryNotFoundError(f"{spec.repo}: files are missing after the download")
        return folder

    def _find_all(self, spec: ModelSpec) -> list[Path]:
        """Return the folders of the model and its companion, if it has one; an empty list unless all are on disk."""
        folder = self._find_complete(spec)
        companion = companion_spec(spec, folder)
        folders = [folder, self._find_complete(companion)] if companion else [folder]
        return [path for path in folders if path] if all(folders) else []

    def _find_complete(self, spec: ModelSpec) -> Path | None:
        """Return the folder with the model if it is complete, according to the hub's listing if one is cached."""
        folder = Path(spec.repo) if _is_local(spec) else self._cached(spec, self._revision(spec))
        if folder is None or not folder.is_dir():
            return None
        names, layout = file_names(folder), FolderLayout.of(folder)
        listed_names = names if _is_local(spec) else self._listed_names(spec, folder.name) or names
        return folder if layout.is_complete(names) and names.issuperset(layout.wanted(listed_names)) else None

    def _cached(self, spec: ModelSpec, revision: str) -> Path | None:
        """Return the snapshot's folder, complete or not, without network access."""
        try:
            folder = snapshot_download(
                spec.repo, revision=revision, cache_dir=self._cache, local_files_only=True, allow_patterns=[]
            )
        except LocalEntryNotFoundError:
            return None
        return Path(folder)

    def _listed_names(self, spec: ModelSpec, commit: str) -> set[str]:
        """Return all file names of the repository, if a download has left a listing in the cache."""
        try:
            return {file.path for file in get_cached_repo_tree(spec.repo, revision=commit, cache_dir=self._cache)}
        except CachedRepoTreeNotFoundError:
            return set()

    def _revision(self, spec: ModelSpec) -> str:
        return self._commits.get(_commit_key(spec)) or spec.revision or "main"


def _is_local(spec: ModelSpec) -> bool:
    return spec.repo.startswith("/")


def _commit_key(spec: ModelSpec) -> str:
    return f"{spec.repo}@{spec.revision}" if spec.revision else spec.repo


def _missing_folder(spec: ModelSpec) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} is set up as a folder, and no complete model lies there. "
        "The bot's operator has to put config.json, tokenizer and weights into it.",
        name=spec.name,
    )


@contextmanager
def _explain_errors(spec: ModelSpec) -> Generator[None]:
    """Convert errors of the hub, the network and the disk to ModelUnavailable."""
    try:
        yield
    except (OSError, httpx2.HTTPError, XetDownloadError) as error:
        raise explain(error, spec) from error


def _check_disk_space(cache: Path, needed: int, spec: ModelSpec) -> None:
    existing_folder = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing_folder).free
    if needed > free:
        raise ModelUnavailable(
            "{name} needs {needed:,.1f} GB on the bot's disk, and {free:,.1f} GB are free. "
            "The bot's operator has to make room, or point HF_HOME at a larger disk.",
            name=spec.name,
            needed=needed / 1e9,
            free=free / 1e9,
        )
