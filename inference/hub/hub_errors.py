"""Error messages with cause and next step for failures of the hub, the network and the disk."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    XetDownloadError,
)

from inference.hub.unreadable_weights import formats_found
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, OperatorStep
from inference.types.sizes import size_text

_MOST_FILES = 20
"""Most files of a repository that are named."""


def next_step(spec: ModelSpec) -> OperatorStep:
    return OperatorStep(
        "The bot's operator can fetch it: `.venv/bin/python -m inference download {repo}`", repo=spec.repo
    )


@contextmanager
def explain_errors(spec: ModelSpec) -> Generator[None]:
    """Convert errors of the hub, the network and the disk to ModelUnavailable."""
    try:
        yield
    except (OSError, httpx2.HTTPError, XetDownloadError) as error:
        raise explain(error, spec) from error


def explain(error: Exception, spec: ModelSpec) -> ModelUnavailable:
    """Return an error message with cause and next step."""
    values: dict[str, object] = {
        "name": spec.name,
        "repo": spec.repo,
        "revision": spec.revision,
        "step": next_step(spec),
    }
    match error:
        case GatedRepoError():
            return ModelUnavailable(
                "{repo} wants its licence accepted. The bot's operator has to accept it on "
                "https://huggingface.co/{repo} and set HF_TOKEN.",
                **values,
            )
        case RepositoryNotFoundError():
            return ModelUnavailable(
                "There is no model {repo} on the hub, or it is private. "
                "The bot's operator has to correct the name, or set HF_TOKEN to a token that may read it.",
                **values,
            )
        case RevisionNotFoundError():
            return ModelUnavailable(
                "{repo} has no revision {revision}. The bot's operator has to correct it in config.yaml.", **values
            )
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            return ModelUnavailable(
                "The hub refuses to hand out {repo}. The bot's operator has to check HF_TOKEN.", **values
            )
        case HfHubHTTPError():
            return ModelUnavailable(
                "The hub failed while {name} was fetched. What has arrived is kept. {step}", **values
            )
        case OSError(errno=errno.ENOSPC):
            return ModelUnavailable(
                "The bot's disk became full while {name} was fetched. The bot's operator has to make room.", **values
            )
        case OfflineModeIsEnabled():
            return ModelUnavailable(
                "{name} is not on this machine, and HF_HUB_OFFLINE=1 forbids to fetch it. "
                "The bot's operator can unset that and run `.venv/bin/python -m inference download {repo}`.",
                **values,
            )
        case LocalEntryNotFoundError() | ConnectionError() | httpx2.ConnectError() | httpx2.TimeoutException():
            return ModelUnavailable(
                "{name} is not on this machine, and the hub is out of reach. "
                "The bot's operator has to check the network and the name. {step}",
                **values,
            )
        case OSError() if error.errno is not None:
            return ModelUnavailable(
                "{name} could not be stored ({reason}). The bot's operator has to check the disk.",
                reason=error.strerror,
                **values,
            )
        case _:
            return ModelUnavailable("The download of {name} broke off. What has arrived is kept. {step}", **values)


def no_readable_weights(spec: ModelSpec, names: Iterable[str]) -> ModelUnavailable:
    """Return the error for a repository with these files: what it has, and what is needed."""
    names = set(names)
    if spec.file:
        return ModelUnavailable(
            "{repo} has no GGUF file {file} that can be read here. It has: {found}. The bot's operator has to correct "
            "`file` in config.yaml.",
            repo=spec.repo,
            file=spec.file,
            found=", ".join(sorted(name for name in names if name.endswith(".gguf"))[:_MOST_FILES]) or "–",
        )
    if found := formats_found(names):
        return ModelUnavailable(
            "{repo} has no weights that can be read here: it has only {found}. Needed are safetensors files or "
            "pytorch_model.bin, beside config.json or model_index.json, or a GGUF file. The bot's operator has to pick "
            "another version of the model.",
            repo=spec.repo,
            found=found,
        )
    return ModelUnavailable(
        "{repo} has no weights that can be read here (safetensors or pytorch_model.bin). "
        "The bot's operator has to pick another model.",
        repo=spec.repo,
    )


def require_disk_space(cache: Path, spec: ModelSpec, nbytes: int, total: int) -> None:
    """Raise ModelUnavailable if the disk has no room for `nbytes`; the sentence names the `total` of the model."""
    existing_folder = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing_folder).free
    if nbytes > free:
        raise ModelUnavailable(
            "{name} needs {needed} on the bot's disk, and {free} are free. "
            "The bot's operator has to make room, or point HF_HOME at a larger disk.",
            name=spec.name,
            needed=size_text(total),
            free=size_text(free),
        )
