"""Whether a model can be loaded here, by its settings files alone: the same before a download and before loading."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.hub import require_settings
from inference.pipelines.chat_template_files import require_chat_template
from inference.pipelines.custom_code import require_library_code
from inference.pipelines.diffusion_memory import undivided_network
from inference.pipelines.gguf import gguf_summary
from inference.pipelines.number_formats import require_number_formats
from inference.pipelines.objected_labels import require_objected_labels
from inference.pipelines.pipeline import Pipeline, RuntimeUnsuitable
from inference.pipelines.registry import Family, family_of
from inference.pipelines.runtimes import choose_runtime, runtime_refusal
from inference.tasks import PICTURE_CLASSIFIER, TEXT_CLASSIFIER
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

log = logging.getLogger(__name__)


def compatible_family(spec: ModelSpec, folder: Path, device: str = "") -> Family:
    """Return the family that runs the model in `folder` on `device`, with the runtime to use.

    The weights may be missing. Without a device, what depends on it is not checked.

    Raise ModelUnavailable if the model needs code of its own, is of no kind for the spec's task, stores its weights in
    a number format that can't be read here, has a damaged settings file or no tokenizer, or can't be quantized as the
    spec says; if its runtime can't run it; if it is to chat and has no chat template; or if it is a classifier of which
    no label is known to be objectionable.
    """
    if gguf_summary(spec, folder):  # other files beside it describe other versions of the model
        family = family_of(spec, folder)
    else:
        require_library_code(spec, folder)
        family = family_of(spec, folder)
        require_number_formats(spec, folder)
        require_settings(spec, folder, tokenizer=family.reads_text)
        if spec.task in (PICTURE_CLASSIFIER, TEXT_CLASSIFIER):
            require_objected_labels(spec, folder)
    if spec.task == "chat":
        require_chat_template(spec, folder)
    if spec.task == "edit" and spec.file:
        raise ModelUnavailable(
            "{name} can't be loaded: `file` is not supported for models that edit. The bot's operator has to remove it "
            "from config.yaml.",
            name=spec.name,
        )
    if spec.quantize != "none" and not family.quantizes:
        raise ModelUnavailable(
            "{name} can't be loaded with `quantize`: only models that write texts and diffusion "
            "models can. The bot's operator has to remove `quantize` from it in config.yaml.",
            name=spec.name,
        )
    if spec.offload in ("model", "group"):
        _require_offload(spec, folder, family, device)
    return replace(family, runtime=choose_runtime(spec, folder, device, family.runtimes))


def _require_offload(spec: ModelSpec, folder: Path, family: Family, device: str) -> None:
    """Raise ModelUnavailable if the model can't be loaded with the `offload` of its spec, as far as that is known."""
    if not family.offloads:
        raise ModelUnavailable(
            "{name} can't be loaded with `offload`: only diffusion models can. The bot's operator has to remove "
            "`offload` from it in config.yaml.",
            name=spec.name,
        )
    if spec.offload == "group" and (network := undivided_network(spec, folder)):
        raise ModelUnavailable(
            "{name} can't be loaded with `offload: group`, which its {network} does not support. The bot's operator "
            "has to set `offload: model` in config.yaml, or to remove it.",
            name=spec.name,
            network=network,
        )
    if device in ("", "cuda"):
        return
    if spec.offload == "group":
        raise ModelUnavailable(
            "{name} can't be loaded with `offload: group`, which needs a GPU with CUDA. The bot's operator has to set "
            "`offload: model` in config.yaml, or to remove it.",
            name=spec.name,
        )
    if spec.quantize != "none":
        raise ModelUnavailable(
            "{name} can't be loaded with both `offload` and `quantize`, which needs a GPU with CUDA. The bot's "
            "operator has to remove one of them in config.yaml.",
            name=spec.name,
        )


def load_pipeline(family: Family, spec: ModelSpec, folder: Path, placement: Placement) -> Pipeline:
    """Load the model with the runtime of its `family`.

    If that turns out not to fit, load it with torch, unless the spec names the runtime: then raise ModelUnavailable.
    """
    try:
        return family.load_class().load(replace(spec, runtime=family.runtime), folder, placement)
    except RuntimeUnsuitable as error:
        if spec.runtime != "auto":
            raise runtime_refusal(spec, error.reason) from error
        log.info("%s is run by torch, not by %s: %s", spec.name, family.runtime, error)
    return replace(family, runtime="torch").load_class().load(replace(spec, runtime="torch"), folder, placement)
