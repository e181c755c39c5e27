"""The check that a classifier has labels to which the bot can object, by its config.json alone."""

from __future__ import annotations

from pathlib import Path

from inference.hub import CONFIG, read_settings
from inference.text.objected_labels import objected_labels
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable


def require_objected_labels(spec: ModelSpec, folder: Path) -> None:
    """Raise ModelUnavailable if no label of the model is objected to, or if the config names one that it lacks."""
    labels = _labels(spec, folder)
    try:
        found = objected_labels(labels, spec.labels)
    except KeyError as error:
        raise ModelUnavailable(
            "{name} has no label {label!r}. Its labels are: {labels}. The bot's operator has to correct `labels` of "
            "{key} in config.yaml.",
            name=spec.name,
            label=str(error.args[0]),
            labels=", ".join(labels),
            key=spec.task,
        ) from None
    if not found:
        raise ModelUnavailable(
            "It is not known to which labels of {name} the bot has to object. They are: {labels}. The bot's operator "
            "has to list those under `labels` of {key} in config.yaml.",
            name=spec.name,
            labels=", ".join(labels),
            key=spec.task,
        )


def _labels(spec: ModelSpec, folder: Path) -> list[str]:
    """Return the labels in config.json. Without any, transformers counts them from LABEL_0."""
    config = read_settings(spec, folder, CONFIG)
    named = config.get("id2label")
    if isinstance(named, dict):
        return [str(label) for label in named.values()]
    count = config.get("num_labels")
    return [f"LABEL_{i}" for i in range(count if isinstance(count, int) else 2)]
