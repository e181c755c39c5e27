"""The libraries that compute: torch for everything, and optional faster ones for some families on CPUs.

To add one, give the families that it runs a pipeline in `Family.pipelines_of_runtimes`, and say below what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from inference.hub import gguf_header
from inference.pipelines.gguf import gguf_summary
from inference.types import ModelSpec, Runtime
from inference.types.errors import ModelUnavailable, Phrase

Objection = Callable[[ModelSpec, Path, str], Phrase | None]
"""Returns why a runtime can't run the model in a folder on a device; None if it can."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionalRuntime:
    """The module to import, the file of requirements that installs it, and what it can't run.

    `is_faster` returns whether it was measured to be faster than torch on a CPU like this one.
    """

    module: str
    requirements: str
    objection: Objection
    is_faster: Callable[[], bool] = lambda: True


def _openvino_objection(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    if device not in ("", "cpu"):
        return Phrase("it runs on CPUs only")
    return Phrase("it does not use `quantize`") if spec.quantize != "none" else None


_RECURRENT = (".ssm.", ".wkv.", ".shortconv.")
"""Settings in a GGUF file of a model that can't forget its last tokens, as the scoring of words requires."""


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


def _llama_cpp_is_faster() -> bool:
    """With AMX, torch reads prompts nine times as fast, and writes sixteen texts faster: see docs/performance.md."""
    import torch

    return not torch.cpu.get_capabilities().get("amx_bf16", False)


OPTIONAL_RUNTIMES: Mapping[Runtime, OptionalRuntime] = {
    "openvino": OptionalRuntime(
        module="openvino", requirements="requirements-openvino.txt", objection=_openvino_objection
    ),
    "llama.cpp": OptionalRuntime(
        module="xllamacpp",
        requirements="requirements-llama-cpp.txt",
        objection=_llama_cpp_objection,
        is_faster=_llama_cpp_is_faster,
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
        return next(name for name in offered if not _objection(name, spec, folder, device) and _is_faster(name))
    if spec.runtime not in offered:
        raise _refusal(spec, Phrase("it can't run models of this kind"))
    if objection := _objection(spec.runtime, spec, folder, device):
        raise _refusal(spec, objection)
    return spec.runtime


def _objection(name: Runtime, spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
    runtime = OPTIONAL_RUNTIMES.get(name)
    if not runtime:
        return None
    if not find_spec(runtime.module):
        return Phrase(
            "it is not installed here (`pip install --no-deps -r {requirements}`)", requirements=runtime.requirements
        )
    return runtime.objection(spec, folder, device)


def _is_faster(name: Runtime) -> bool:
    runtime = OPTIONAL_RUNTIMES.get(name)
    return not runtime or runtime.is_faster()


def _refusal(spec: ModelSpec, reason: Phrase) -> ModelUnavailable:
    return ModelUnavailable(
        "{name} can't be run by {runtime}: {reason}. The bot's operator has to change `runtime` of it in config.yaml.",
        name=spec.name,
        runtime=spec.runtime,
        reason=reason,
    )
