"""The files of every model: found on disk, or fetched from the Hugging Face hub and pinned to a commit.

The hub's own conventions hold: `HF_HOME` is where the cache lies, `HF_TOKEN` opens gated models,
`HF_HUB_OFFLINE=1` forbids the network. What is on disk is loaded without asking the hub anything.
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
from inference.hub.download_progress import ignore, reporting_bar
from inference.hub.folders import CONFIG, INDEX, FolderLayout, companion_spec, names_in, size_of
from inference.hub.hub_errors import explain, next_step
from inference.hub.model_card import ModelCard, model_card
from inference.hub.repository_files import FLAX_WEIGHTS, is_complete
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable


@dataclass(frozen=True, slots=True)
class _DownloadPlan:
    """What is to be fetched of one repository, with the bytes that are missing; no names if nothing is."""

    spec: ModelSpec
    folder: Path | None
    revision: str = ""
    wanted: frozenset[str] = frozenset()
    missing: int = 0


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
        folders = self._find_all(spec)
        return ("on disk", sum(map(size_of, folders))) if folders else ("not downloaded", 0)

    def card(self, spec: ModelSpec) -> ModelCard:
        """What the model is good at, and its licence."""
        return model_card(spec.repo, self._find(spec))

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """The folder with the model's files, fetched first if need be; raises ModelUnavailable.

        What `on_progress` raises stops the download and comes out here; files that are whole are kept.
        """
        folders = self._find_all(spec)
        if folders:
            return folders[0]
        if _is_local(spec) and not self._find(spec):
            raise _not_there(spec)
        if not self._may_download:
            raise ModelUnavailable("{name} is not on this machine yet. {step}", name=spec.name, step=next_step(spec))
        return self.download(spec, on_progress)

    def with_companion(self, spec: ModelSpec) -> ModelSpec:
        """`spec` with the folder of the other repository that it needs, if it needs one. Both must be on disk."""
        _, *companions = self._find_all(spec)
        return replace(spec, companion=str(companions[0])) if companions else spec

    def download(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Fetch what is missing, companions included, and record the commits, which later loads and downloads keep to.

        Raises ModelUnavailable: offline, unknown, gated, interrupted, no usable weights, no room on the disk.
        """
        plans: list[_DownloadPlan] = []
        part: ModelSpec | None = spec
        while part:
            plans.append(self._plan(part))
            part = companion_spec(part, plans[-1].folder)
        missing = sum(plan.missing for plan in plans)
        _check_room(self._cache, missing, spec)
        bar = reporting_bar(missing, on_progress)
        folder, *_ = [self._carry_out(plan, bar) for plan in plans]
        return folder

    def _plan(self, spec: ModelSpec) -> _DownloadPlan:
        """What to fetch of one repository."""
        if folder := self._find(spec):
            return _DownloadPlan(spec, folder)
        if _is_local(spec):
            raise _not_there(spec)
        with _explained(spec):
            return self._ask_hub(spec, self._revision(spec))

    def _ask_hub(self, spec: ModelSpec, revision: str) -> _DownloadPlan:
        info = HfApi(endpoint=self._endpoint).model_info(spec.repo, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        layout = FolderLayout()
        if INDEX in sizes or (FLAX_WEIGHTS in sizes and not is_complete(sizes)):
            # What is wanted is told by these, so they come first.
            layout = FolderLayout.of(
                self._fetch(spec, revision, sizes.keys() & {INDEX, CONFIG}, reporting_bar(0, ignore))
            )
        if not layout.is_complete(sizes):
            raise ModelUnavailable(
                "{repo} has no weights that can be read here (safetensors or pytorch_model.bin). "
                "The bot's operator has to pick another model.",
                repo=spec.repo,
            )
        here = self._cached(spec, revision)
        wanted = {name: sizes[name] for name in layout.wanted(sizes)}
        missing = sum(size for name, size in wanted.items() if not (here and (here / name).exists()))
        return _DownloadPlan(spec, here, revision, frozenset(wanted), missing)

    def _carry_out(self, plan: _DownloadPlan, bar: type[tqdm]) -> Path:
        """Fetch what the plan names, and record the commit."""
        with _explained(plan.spec):
            folder = plan.folder
            if plan.wanted or folder is None:
                folder = self._fetch(plan.spec, plan.revision, plan.wanted, bar)
            if not _is_local(plan.spec):
                self._commits.record(_pin(plan.spec), folder.name)
        return folder

    def _fetch(self, spec: ModelSpec, revision: str, names: Collection[str], bar: type[tqdm]) -> Path:
        """Have these files of the repository in the cache; returns the snapshot's folder."""
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
        # When the hub fails half-way through its listing, snapshot_download settles for what is there.
        if not all((folder / name).exists() for name in names):
            raise LocalEntryNotFoundError(f"{spec.repo}: files are missing after the download")
        return folder

    def _find_all(self, spec: ModelSpec) -> list[Path]:
        """The folder with the model, and that of its companion if it needs one; none unless all are on disk."""
        folder = self._find(spec)
        companion = companion_spec(spec, folder)
        found = [folder, self._find(companion)] if companion else [folder]
        return [path for path in found if path] if all(found) else []

    def _find(self, spec: ModelSpec) -> Path | None:
        """The folder with the model if every file is there, by the hub's listing where one is cached."""
        folder = Path(spec.repo) if _is_local(spec) else self._cached(spec, self._revision(spec))
        if folder is None or not folder.is_dir():
            return None
        names, layout = names_in(folder), FolderLayout.of(folder)
        listed = names if _is_local(spec) else self._listed(spec, folder.name) or names
        return folder if layout.is_complete(names) and names.issuperset(layout.wanted(listed)) else None

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


def _not_there(spec: ModelSpec) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} is set up as a folder, and no complete model lies there. "
        "The bot's operator has to put config.json, tokenizer and weights into it.",
        name=spec.name,
    )


@contextmanager
def _explained(spec: ModelSpec) -> Generator[None]:
    """Turn what the hub, the network or the disk raise into ModelUnavailable."""
    try:
        yield
    except (OSError, httpx2.HTTPError, XetDownloadError) as error:
        raise explain(error, spec) from error


def _check_room(cache: Path, needed: int, spec: ModelSpec) -> None:
    standing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if needed > free:
        raise ModelUnavailable(
            "{name} needs {needed:,.1f} GB on the bot's disk, and {free:,.1f} GB are free. "
            "The bot's operator has to make room, or point HF_HOME at a larger disk.",
            name=spec.name,
            needed=needed / 1e9,
            free=free / 1e9,
        )
