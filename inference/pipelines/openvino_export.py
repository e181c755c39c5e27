"""Networks of a model as files that OpenVINO reads: written once, beside the model in the hub's cache.

The export of a repository is in the folder `openvino` beside its `snapshots`, so it is deleted with the repository. The
export of a folder that the operator made is in the hub's cache too. Its name holds the commit and OpenVINO's version.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.constants import HF_HUB_CACHE

from inference.hub import file_names
from inference.pipelines.devices import Placement
from inference.pipelines.openvino_network import OpenVinoNetwork, import_openvino
from inference.pipelines.pipeline import RuntimeUnsuitable
from inference.types import ModelSpec
from inference.types.errors import Phrase

log = logging.getLogger(__name__)

_FORMAT = 1
"""Raise it when what is exported changes, so that earlier exports do not count."""

_MANIFEST = "export.json"

_MAX_DIFFERENCE = 1e-3
"""How far the numbers may be from torch's in float32, as a share of their largest. Rounding gives a hundredth of it."""

_FAILED = Phrase("it gives other numbers than torch, or fails")

Inputs = Mapping[str, torch.Tensor]
"""The inputs of a network by their names."""

Outputs = tuple[torch.Tensor, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A network to export, with inputs for tracing it, and others of other shapes for comparing the results.

    The module takes the inputs as keywords, and returns a tensor or a tuple of tensors.
    """

    module: torch.nn.Module
    traced: Inputs
    compared: Inputs


Exports = Callable[[], Iterable[tuple[str, Export]]]
"""Yields the networks in torch, in float32, by their names. Called if the files must be written."""


def read_networks(
    spec: ModelSpec, folder: Path, placement: Placement, names: Sequence[str], exports: Exports
) -> dict[str, OpenVinoNetwork]:
    """Return the networks of the model in `folder` by `names`, from files. Write the files if they are not there.

    Raise RuntimeUnsuitable if OpenVINO can't compute them, or computes other numbers than torch.
    """
    export_folder = _export_folder(spec, folder)
    if _is_intact(export_folder):
        try:
            return _compile(export_folder, placement, names)
        except RuntimeError as error:  # OpenVINO's only kind of error
            log.warning("the export in %s is made again, since it is damaged: %s", export_folder, error)
    try:
        _write(export_folder, exports)
    except OSError as error:
        raise RuntimeUnsuitable(Phrase("its files could not be written ({error})", error=str(error))) from error
    return _compile(export_folder, placement, names)


def _compile(folder: Path, placement: Placement, names: Sequence[str]) -> dict[str, OpenVinoNetwork]:
    if _read_manifest(folder).get("failed"):
        raise RuntimeUnsuitable(_FAILED)
    return {name: OpenVinoNetwork(folder / f"{name}.xml", placement) for name in names}


def _export_folder(spec: ModelSpec, folder: Path) -> Path:
    version = f"{import_openvino().__version__}-{_FORMAT}".replace(os.sep, "_")
    if folder.parent.name == "snapshots":
        return folder.parent.parent / "openvino" / f"{folder.name}-{version}"
    states = [(name, (folder / name).stat()) for name in sorted(file_names(folder))]
    listing = [spec.repo, *((name, state.st_size, state.st_mtime_ns) for name, state in states)]
    digest = hashlib.sha256(repr(listing).encode()).hexdigest()[:12]
    return Path(HF_HUB_CACHE) / ".openvino" / f"{digest}-{version}"


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: Any = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _is_intact(folder: Path) -> bool:
    """Return whether the folder has every file of a finished export, in its full size."""
    sizes: Mapping[str, int] | None = _read_manifest(folder).get("files")
    return sizes is not None and _sizes(folder) == sizes


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.name != _MANIFEST}


def _write(folder: Path, exports: Exports) -> None:
    """Write the export under another name, and rename it when it is complete. Remove exports of other versions."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as name:
        unfinished = Path(name) / "export"
        unfinished.mkdir()
        failed = not _write_networks(unfinished, exports)
        if failed:
            for path in unfinished.iterdir():
                path.unlink()
        manifest = {"files": _sizes(unfinished), "failed": failed}
        (unfinished / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        for old in folder.parent.glob(f"{folder.name.split('-')[0]}-*"):
            shutil.rmtree(old, ignore_errors=True)
        unfinished.rename(folder)


def _write_networks(folder: Path, exports: Exports) -> bool:
    """Write the networks. Return whether OpenVINO gives the numbers of torch for all of them."""
    try:
        checks = {name: _write_network(folder / f"{name}.xml", export) for name, export in exports()}
        gc.collect()  # what was traced refers to itself, and its weights would stay beside those of the files
        return all(_is_right(folder / f"{name}.xml", *check) for name, check in checks.items())
    except OSError:
        raise  # such as a full disk: it may go well the next time
    except Exception as error:  # whatever OpenVINO or the tracing of torch can't do
        log.warning("OpenVINO can't compute this model: %s", error)
        return False


def _write_network(file: Path, export: Export) -> tuple[Inputs, Outputs]:
    """Write one network. Return inputs, and what torch computes from them."""
    openvino = import_openvino()
    with torch.no_grad(), warnings.catch_warnings():  # an inference tensor can't be traced
        warnings.simplefilter("ignore")  # about what depends on shapes: the comparison has others
        outputs: Any = export.module(**export.compared)
        model = openvino.convert_model(export.module, example_input=dict(export.traced))
    for part in model.inputs:  # the first operation may have given them a second name
        part.get_tensor().set_names(part.names & export.traced.keys())
    openvino.save_model(model, file, compress_to_fp16=False)
    return export.compared, (outputs,) if isinstance(outputs, torch.Tensor) else tuple(outputs)


def _is_right(file: Path, inputs: Inputs, expected: Outputs) -> bool:
    network = OpenVinoNetwork(file, Placement(torch.device("cpu"), torch.float32))
    pairs = zip(network.compute(inputs), expected, strict=True)
    difference = max(float((ours - theirs).abs().max() / theirs.abs().max()) for ours, theirs in pairs)
    log.info("OpenVINO computes %s with a difference of %.1e from torch", file.stem, difference)
    return difference <= _MAX_DIFFERENCE
