"""The results of probes, in a file, so that a model is probed once and not at each load."""

from __future__ import annotations

import hashlib
import logging
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from inference.hub import file_names, gguf_in
from inference.hub.json_record import JsonRecord
from inference.hub.local_folder import is_local
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

log = logging.getLogger(__name__)

_LIBRARIES = ("torch", "transformers")

_PROBE_VERSION = 4
"""Raise it when a probe or a runner changes, so that earlier verdicts do not count."""

_WAYS = {
    "": "",
    "batched": "batched",
    "batched, attention in a loop": "batched",
    "generic, without a cache": "one text at a time, slowly, since its cache can't be used",
}
"""How a model with this kind of verdict writes several texts; others write one text at a time."""


class Verdicts:
    """Verdicts in one file, by the model's commit, its device and dtype, and the versions of libraries and probes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._record = JsonRecord(file)

    def get(self, spec: ModelSpec, folder: Path, placement: Placement) -> str:
        """Return the verdict on these files; empty if there is none, or if the file of verdicts is damaged."""
        try:
            return self._record.get(_name(spec, folder, placement)) or ""
        except ModelUnavailable:
            return ""  # the next verdict fails to be kept, which is logged

    def way(self, spec: ModelSpec, folder: Path) -> str:
        """Return how the model writes several texts, in words; empty if there is no verdict, or if they differ.

        This needs no torch: the verdicts on all devices and dtypes count that the spec allows.
        """
        ways = {_WAYS.get(verdict.split(":")[0], "one text at a time") for verdict in self._all(spec, folder)}
        return ways.pop() if len(ways) == 1 else ""

    def _all(self, spec: ModelSpec, folder: Path) -> list[str]:
        try:
            kept = self._record.all()
        except ModelUnavailable:
            return []
        device = "[^ ]+" if spec.device == "auto" else re.escape(spec.device.split(":")[0])
        dtype = "[^ ]+" if spec.dtype == "auto" else f"torch.{spec.dtype}"
        pattern = re.escape(_files(spec, folder)) + f": {device} {dtype}, " + re.escape(_code())
        return [verdict for name, verdict in kept.items() if re.fullmatch(pattern, name)]

    def keep(self, spec: ModelSpec, folder: Path, placement: Placement, verdict: str) -> None:
        """Keep the verdict. A failure is logged: the model can be used all the same, and is probed again next time."""
        try:
            if verdict:
                self._record.record(_name(spec, folder, placement), verdict)
        except (OSError, ModelUnavailable) as error:
            log.warning("the verdict on %s could not be kept: %s", spec.name, error)


def _name(spec: ModelSpec, folder: Path, placement: Placement) -> str:
    return f"{_files(spec, folder)}: {placement.device.type} {placement.dtype}, {_code()}"


def _files(spec: ModelSpec, folder: Path) -> str:
    quantized = "" if spec.quantize == "none" else spec.quantize
    return " ".join(filter(None, (spec.repo, gguf_in(spec, folder), _commit(spec, folder), quantized)))


def _code() -> str:
    libraries = " ".join(f"{library} {version(library)}" for library in _LIBRARIES)
    return f"{libraries}, probe {_PROBE_VERSION}"


def _commit(spec: ModelSpec, folder: Path) -> str:
    """Return what identifies the files: the commit, or a digest of names, sizes and times in a local folder."""
    if not is_local(spec):
        return folder.name
    states = [(name, (folder / name).stat()) for name in sorted(file_names(folder))]
    listing = [(name, state.st_size, state.st_mtime_ns) for name, state in states]
    return hashlib.sha256(repr(listing).encode()).hexdigest()[:12]
