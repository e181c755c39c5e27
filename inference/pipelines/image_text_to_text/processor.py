"""Loading of processors: what turns a picture and a text into the inputs of a model.

Videos are left out: the part of a processor that reads them needs torchvision, and the bot reads none.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoImageProcessor, AutoTokenizer
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING, processor_class_from_name
from transformers.models.smolvlm import processing_smolvlm

from inference.types.errors import ModelUnavailable

log = logging.getLogger(__name__)

_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
"""The files that may name the class of the processor."""

_PARTS: dict[str, Any] = {"image_processor": AutoImageProcessor, "tokenizer": AutoTokenizer}
"""The parts of a processor, and what loads them."""


class _NoVideos(dict[str, Any]):
    """Takes the place of the part that reads videos. A dict, since processors are logged as JSON."""

    model_input_names = ()
    num_frames = None
    fps = None


def read_processor(folder: Path, class_name: str = "") -> Any:
    """Return the processor in `folder`; its class is named there if there is no `class_name`.

    Raise ModelUnavailable if there is none that reads pictures.
    """
    kind = processor_class_from_name(class_name) if class_name else _processor_class(folder)
    if kind is None or not {"image_processor", "tokenizer"} <= {*kind.get_attributes()} <= {*_PARTS, "video_processor"}:
        raise ModelUnavailable("This model has no processor that reads pictures. Its operator has to pick another one.")
    try:
        return _read(kind, folder)
    except (OSError, ValueError, TypeError, ImportError) as error:
        log.warning("the processor in %s can't be loaded", folder, exc_info=error)
        raise ModelUnavailable(
            "The files of this model's processor are missing or damaged, so it can't read pictures. Its operator finds "
            "the reason in the log."
        ) from error


def _read(kind: Any, folder: Path) -> Any:
    if "video_processor" not in kind.get_attributes():
        return kind.from_pretrained(folder, local_files_only=True)
    # SmolVLM's processor refuses to start without this package. It only writes the length of videos with it.
    processing_smolvlm.num2words = processing_smolvlm.num2words or str
    settings, _ = kind.get_processor_dict(folder, local_files_only=True)
    parts = [
        _NoVideos() if name == "video_processor" else _PARTS[name].from_pretrained(folder, local_files_only=True)
        for name in kind.get_attributes()
    ]
    return _without_videos(kind).from_args_and_dict(parts, settings)


def _without_videos(kind: Any) -> Any:
    """Return a subclass of the processor `kind` that accepts `_NoVideos`."""

    def check_argument(self: Any, name: str, argument: Any) -> Any:
        return None if isinstance(argument, _NoVideos) else kind.check_argument_for_proper_class(self, name, argument)

    # Under the name of the library's class, which diffusers writes down when it saves a pipeline.
    members = {"__module__": kind.__module__, "check_argument_for_proper_class": check_argument}
    return type(kind.__name__, (kind,), members)


def _processor_class(folder: Path) -> Any:
    """Return the class that the files name, or else the usual one of the model type; None if there is none."""
    for name in _FILES:
        file = folder / name
        settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if named := settings.get("processor_class"):
            return processor_class_from_name(named)
    return PROCESSOR_MAPPING.get(type(AutoConfig.from_pretrained(folder, local_files_only=True)), None)
