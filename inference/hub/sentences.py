"""What the hub, the network and the disk may do, in sentences with cause and next step."""

from __future__ import annotations

import errno

import httpx2
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from inference.errors import ModelUnavailable
from inference.types import ModelSpec


def next_step(spec: ModelSpec) -> str:
    return f"The bot's operator can fetch it: `.venv/bin/python -m inference download {spec.repo}`"


def explain(error: Exception, spec: ModelSpec) -> ModelUnavailable:
    """A sentence with cause and next step for whatever the hub, the network or the disk did."""
    match error:
        case GatedRepoError():
            cause = (
                f"{spec.repo} wants its licence accepted. The bot's operator has to accept it on "
                f"https://huggingface.co/{spec.repo} and set HF_TOKEN."
            )
        case RepositoryNotFoundError():
            cause = (
                f"There is no model {spec.repo} on the hub, or it is private. "
                "The bot's operator has to correct the name, or set HF_TOKEN to a token that may read it."
            )
        case RevisionNotFoundError():
            cause = f"{spec.repo} has no revision {spec.revision}. The bot's operator has to correct it in config.yaml."
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            cause = f"The hub refuses to hand out {spec.repo}. The bot's operator has to check HF_TOKEN."
        case HfHubHTTPError():
            cause = f"The hub failed while {spec.name} was fetched. What has arrived is kept. {next_step(spec)}"
        case OSError(errno=errno.ENOSPC):
            cause = f"The bot's disk became full while {spec.name} was fetched. The bot's operator has to make room."
        case OfflineModeIsEnabled():
            cause = (
                f"{spec.name} is not on this machine, and HF_HUB_OFFLINE=1 forbids to fetch it. "
                f"The bot's operator can unset that and run `.venv/bin/python -m inference download {spec.repo}`."
            )
        case LocalEntryNotFoundError() | ConnectionError() | httpx2.ConnectError() | httpx2.TimeoutException():
            cause = (
                f"{spec.name} is not on this machine, and the hub is out of reach. "
                "The bot's operator has to check the network and the name, then run "
                f"`.venv/bin/python -m inference download {spec.repo}`."
            )
        case OSError() if error.errno is not None:
            cause = f"{spec.name} could not be stored ({error.strerror}). The bot's operator has to check the disk."
        case _:
            cause = f"The download of {spec.name} broke off. What has arrived is kept. {next_step(spec)}"
    return ModelUnavailable(cause)
