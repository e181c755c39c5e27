"""The libraries that compute: torch for everything, and optional faster ones for some families on CPUs.

To add one, give the families that it runs a pipeline in `Family.pipelines_of_runtimes`, and say below what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from inference.hub import gguf_header
from inference.hub.local_folder import is_local
from inference.hub.loras import has_loras
from inference.pipelines.gguf import gguf_summary
from inference.types import ModelSpec, Runtime
from inference.types.errors import ModelUnavailable, Phrase

Objection = Callable[[ModelSpec, Path, str], Phrase | None]
"""Returns why a runtime can't run the model in a folder on a device; None if it can."""


def _no_objection(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionalRuntime:
    """The module to import, the file of requirements that installs it, and what it can't run.

    `reservation` returns why it is not taken with `runtime: auto`, although it can run the model.
    """

    module: str
    requirements: str
    objection: Objection
    reservation: Objection = _no_objection


def _openvino_objection(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    if device not in ("", "cpu"):
        return Phrase("it runs on CPUs only")
    if spec.dtype == "float16":
        return Phrase("it computes in float32 or bfloat16 only")
    if spec.offload in ("model", "group"):
        return Phrase("it does not use `offload`")
    return Phrase("it does not use `quantize`") if spec.quantize != "none" else None


_RECURRENT = (".ssm.", ".wkv.", ".shortconv.")
"""Settings in a GGUF file of a model that can't forget its last tokens, as the scoring of words requires."""


def _openvino_reservation(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    """Object to bfloat16, in which it gains little and takes more memory, to LoRAs, and to local folders.

    An export of a repository is deleted with it. That of a folder would stay when the folder is moved or changed.
    """
    import torch

    from inference.pipelines.devices import place

    if place(spec.device, spec.dtype).dtype != torch.float32:
        return Phrase("it gains little in bfloat16")
    if is_local(spec):
        return Phrase("it writes files that would stay when the folder is deleted")
    return Phrase("it takes no LoRA") if has_loras(spec.loras) else None


def _llama_cpp_objection(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    if not gguf_summary(spec, folder):
        return Phrase("it reads GGUF files only")
    if device not in ("", "cpu"):
        return Phrase("it runs on CPUs only")
    if spec.quantize != "none":
        return Phrase("it does not use `quantize`")
    header = gguf_header(spec, folder)
    if header and any(part in key for key in header.metadata for part in _RECURRENT):
        return Phrase("the model is recurrent")

    from inference.pipelines.llama_cpp.library import library_objection

    return library_objection() if device else None


def _llama_cpp_reservation(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    """Object to AMX, with which torch reads prompts nine times as fast, and writes sixteen texts faster."""
    import torch

    return Phrase("torch is faster with AMX") if torch.cpu.get_capabilities().get("amx_bf16", False) else None


OPTIONAL_RUNTIMES: Mapping[Runtime, OptionalRuntime] = {
    "openvino": OptionalRuntime(
        module="openvino",
        requirements="requirements-openvino.txt",
        objection=_openvino_objection,
        reservation=_openvino_reservation,
    ),
    "llama.cpp": OptionalRuntime(
        module="xllamacpp",
        requirements="requirements-llama-cpp.txt",
        objection=_llama_cpp_objection,
        reservation=_llama_cpp_reservation,
    ),
}


def choose_runtime(spec: ModelSpec, folder: Path, device: str, offered: Sequence[Runtime]) -> Runtime:
    """Return the runtime for the model in `folder` on `device` ("cpu", "cuda", "mps"; "" if it is not known).

    `offered` are those of its family, fastest first. With `runtime: auto` it is the first that is installed, can run
    the model and is faster here than torch; without a device, torch, which would have to be imported to find out. Raise
    ModelUnavailable if the spec names one that can't.
    """
    if spec.runtime == "auto" and not device:
        return "torch"
    if spec.runtime == "auto":
        return next(name for name in offered if not _reservation(name, spec, folder, device))
    if spec.runtime not in offered:
        raise runtime_refusal(spec, Phrase("it can't run models of this kind"))
    if objection := _objection(spec.runtime, spec, folder, device):
        raise runtime_refusal(spec, objection)
    return spec.runtime


def _reservation(name: Runtime, spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    objection = _objection(name, spec, folder, device)
    if objection or name not in OPTIONAL_RUNTIMES:
        return objection
    return OPTIONAL_RUNTIMES[name].reservation(spec, folder, device)


def _objection(name: Runtime, spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    runtime = OPTIONAL_RUNTIMES.get(name)
    if not runtime:
        return None
    if not find_spec(runtime.module):
        return Phrase(
            "it is not installed here (`pip install --no-deps -r {requirements}`)", requirements=runtime.requirements
        )
    return runtime.objection(spec, folder, device)


def runtime_refusal(spec: ModelSpec, reason: Phrase) -> ModelUnavailable:
    """Return the error for a spec whose `runtime` can't run its model."""
    return ModelUnavailable(
        "{name} can't be run by {runtime}: {reason}. The bot's operator has to change `runtime` of it in config.yaml.",
        name=spec.name,
        runtime=spec.runtime,
        reason=reason,
    )
