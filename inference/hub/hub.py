"""The files of models: found on disk, or downloaded from the Hugging Face hub and pinned to a commit.

The hub's own environment variables apply: `HF_HOME` is the cache's folder, `HF_TOKEN` gives access to gated models, and
`HF_HUB_OFFLINE=1` forbids network access. Files on disk are used without a request to the hub.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.utils import tqdm

from inference.config.schema import Config
from inference.hub.download_progress import ignore_progress, progress_bar_class
from inference.hub.folders import (
    CONFIG,
    INDEX,
    FolderLayout,
    companion_specs,
    file_names,
    loaded_size,
    require_undamaged,
)
from inference.hub.hub_errors import (
    explain_errors,
    next_step,
    no_readable_weights,
    require_disk_space,
)
from inference.hub.json_record import JsonRecord
from inference.hub.local_folder import check_folder, is_local
from inference.hub.model_card import ModelCard, model_card
from inference.hub.repository_files import FLAX_WEIGHTS, is_complete
from inference.hub.snapshots import Snapshots
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable

Check = Callable[[ModelSpec, Path, int], object]
"""Raises ModelUnavailable if a model can't run here. Its arguments are the spec, the folder with the model's settings
files, where the weights may be missing, and the bytes that loading will read."""


@dataclass(frozen=True, slots=True)
class _DownloadPlan:
    """What one repository needs: the sizes of its files by name. Both are empty if the model is complete in `folder`.

    Settings are the small files. `folder` has what was downloaded before.
    """

    spec: ModelSpec
    folder: Path | None
    revision: str = ""
    settings: Mapping[str, int] = field(default_factory=dict[str, int])
    weights: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def loaded_bytes(self) -> int:
        """The size of the files that loading reads."""
        if self.folder and not self.settings:
            return loaded_size(self.folder, self.spec.file)
        return sum(self.settings.values()) + sum(self.weights.values())

    def missing_bytes(self, sizes: Mapping[str, int]) -> int:
        folder = self.folder
        return sum(size for name, size in sizes.items() if not (folder and (folder / name).exists()))


class Hub:
    """Finds and downloads model files. The methods block, and may be called on any thread.

    Weights are downloaded only if `check` accepts the model's settings files. `endpoint` and `cache` default to those
    of huggingface_hub (`HF_ENDPOINT`, `HF_HUB_CACHE`).
    """

    def __init__(
        self,
        config: Config,
        *,
        check: Check = lambda spec, folder, nbytes: None,
        endpoint: str | None = None,
        cache: Path | None = None,
    ) -> None:
        self.may_download = config.download
        """Whether a missing model is downloaded at its first use."""
        self._check = check
        self._commits = JsonRecord(config.data / "commits.json")
        self._cache = cache or Path(HF_HUB_CACHE)
        self._snapshots = Snapshots(endpoint, self._cache)

    def state(self, spec: ModelSpec) -> tuple[Literal["on disk", "not downloaded"], int]:
        """Return whether all files are on disk, and the number of bytes that loading reads."""
        folders = self._find_all(spec)
        return ("on disk", self._loaded_size(spec, folders)) if folders else ("not downloaded", 0)

    @staticmethod
    def _loaded_size(spec: ModelSpec, folders: list[Path]) -> int:
        model, *companions = folders
        return loaded_size(model, spec.file) + sum(map(loaded_size, companions))

    def card(self, spec: ModelSpec) -> ModelCard:
        """Return what the model is good at, and its licence."""
        return model_card(spec.repo, self._find_complete(spec))

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Return the folder with the model's files. Download them if needed. Raise ModelUnavailable.

        Errors raised by `on_progress` stop the download and are passed on. Complete files are kept.
        """
        check_folder(spec)
        if folders := self._find_all(spec):
            return folders[0]
        if not self.may_download:
            raise ModelUnavailable("{name} is not on this machine yet. {step}", name=spec.name, step=next_step(spec))
        return self.download(spec, on_progress)

    def with_companions(self, spec: ModelSpec) -> ModelSpec:
        """Return `spec` with the folders of its companion repositories. All must be on disk."""
        folder, *companions = self._find_all(spec)
        fields: dict[str, Any] = dict(zip(companion_specs(spec, folder), map(str, companions), strict=True))
        return replace(spec, **fields)

    def download(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        """Download missing files, with those of companions. Record the commits, which are used from then on.

        The settings files come first. The weights follow if the model can run here, which is checked for a complete
        model too. Raise ModelUnavailable: refused by the check, offline, unknown, gated, interrupted, no usable
        weights, an incomplete folder, or not enough disk space.
        """
        check_folder(spec)
        plans = self._plans(spec)
        settings_bytes = sum(plan.missing_bytes(plan.settings) for plan in plans)
        weight_bytes = sum(plan.missing_bytes(plan.weights) for plan in plans)
        total = settings_bytes + weight_bytes
        bar = progress_bar_class(total, on_progress)
        require_disk_space(self._cache, spec, settings_bytes, total)
        folders = [self._download_settings(plan, bar) for plan in plans]
        self._check(plans[0].spec, folders[0], sum(plan.loaded_bytes for plan in plans))
        require_disk_space(self._cache, spec, weight_bytes, total)
        for plan, folder in zip(plans, folders, strict=True):
            self._download_weights(plan, folder, bar)
        return folders[0]

    def _plans(self, spec: ModelSpec) -> list[_DownloadPlan]:
        """Return what to download of the model's repository and of its companions."""
        plan = self._plan(spec)
        return [plan, *map(self._plan, companion_specs(spec, plan.folder).values())]

    def _plan(self, spec: ModelSpec) -> _DownloadPlan:
        """Return what to download of one repository."""
        if folder := self._find_complete(spec):
            return _DownloadPlan(spec, folder)
        check_folder(spec)  # a companion in a folder, of which something is missing
        with explain_errors(spec):
            return self._plan_download(spec, self._revision(spec))

    def _plan_download(self, spec: ModelSpec, revision: str) -> _DownloadPlan:
        listing = self._snapshots.listing(spec.repo, revision)
        sizes = listing.sizes
        layout = FolderLayout(file=spec.file)
        if INDEX in sizes or (FLAX_WEIGHTS in sizes and not is_complete(sizes)):
            # These files determine which others are needed.
            names = sizes.keys() & {INDEX, CONFIG}
            folder = self._snapshots.download(spec.repo, revision, names, progress_bar_class(0, ignore_progress))
            require_undamaged(spec, folder)
            layout = FolderLayout.of(folder, spec.file)
        if not layout.is_complete(sizes):
            raise no_readable_weights(spec, sizes)
        weights = {name: sizes[name] for name in sorted(layout.weights(sizes))}
        if layout.components:
            spec = replace(spec, weight_files=tuple(weights.items()))
        elif any(name.endswith(".gguf") for name in weights):
            spec = replace(spec, gguf=listing.gguf)
        return _DownloadPlan(
            spec,
            self._snapshots.cached(spec.repo, revision),
            revision,
            settings={name: sizes[name] for name in layout.settings(sizes)},
            weights=weights,
        )

    def _download_settings(self, plan: _DownloadPlan, bar: type[tqdm]) -> Path:
        """Download the settings files of the plan, unless the model is complete. Return the folder."""
        if plan.folder and not plan.settings:
            return plan.folder
        with explain_errors(plan.spec):
            return self._snapshots.download(plan.spec.repo, plan.revision, plan.settings, bar)

    def _download_weights(self, plan: _DownloadPlan, folder: Path, bar: type[tqdm]) -> None:
        """Download the weights of the plan to the commit of its settings files, and record the commit."""
        with explain_errors(plan.spec):
            if plan.weights:
                self._snapshots.download(plan.spec.repo, folder.name, plan.weights, bar)
            if not is_local(plan.spec):
                self._commits.record(_commit_key(plan.spec), folder.name)

    def _find_all(self, spec: ModelSpec) -> list[Path]:
        """Return the folders of the model and its companions; an empty list unless all are on disk."""
        folder = self._find_complete(spec)
        folders = [folder, *map(self._find_complete, companion_specs(spec, folder).values())]
        return [path for path in folders if path] if all(folders) else []

    def _find_complete(self, spec: ModelSpec) -> Path | None:
        """Return the folder with the model if it is complete, according to the hub's listing if one is cached."""
        folder = Path(spec.repo) if is_local(spec) else self._snapshots.cached(spec.repo, self._revision(spec))
        if folder is None or not folder.is_dir():
            return None
        names, layout = file_names(folder), FolderLayout.of(folder, spec.file)
        listed_names = names if is_local(spec) else self._snapshots.listed_names(spec.repo, folder.name) or names
        return folder if layout.is_complete(names) and names.issuperset(layout.wanted(listed_names)) else None

    def _revision(self, spec: ModelSpec) -> str:
        return self._commits.get(_commit_key(spec)) or spec.revision or "main"


def _commit_key(spec: ModelSpec) -> str:
    return f"{spec.repo}@{spec.revision}" if spec.revision else spec.repo
