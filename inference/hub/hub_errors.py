"""Error messages with cause and next step for failures of the hub, the network and the disk."""

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

from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable, OperatorStep


def next_step(spec: ModelSpec) -> OperatorStep:
    return OperatorStep(
        "The bot's operator can fetch it: `.venv/bin/python -m inference download {repo}`", repo=spec.repo
    )


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
