"""Downloads models before their first use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inference.cli.error_messages import download_message
from inference.cli.output import print_json
from inference.config.schema import Config
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable
from inference.types.sizes import size_text

if TYPE_CHECKING:
    from inference.hub.hub import Hub


def create_hub(config: Config) -> Hub:
    """Return the hub, which downloads only what can run here. Imported late, so that `--help` is fast."""
    from inference.backends.model_check import ModelCheck
    from inference.hub.hub import Hub

    return Hub(config, check=ModelCheck(config))


def download(config: Config, hub: Hub, names: Sequence[str], *, as_json: bool) -> int:
    """Download the named models, or all. Print errors on stderr and go on. Return the exit status."""
    downloaded: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    refusals: dict[str, None] = {}
    for spec in choose(config, names):
        try:
            downloaded[spec.repo, spec.revision, spec.file] = _download(hub, spec)
        except ModelUnavailable as error:
            if (message := download_message(error)) not in refusals:
                print(message, file=sys.stderr)
            refusals[message] = None
    models = list(downloaded.values())
    if as_json:
        print_json({"models": models})
    elif models:
        print("\n".join(f"{model['name']}  {size_text(model['size'])}  {model['folder']}" for model in models))
    return 2 if refusals else 0


def choose(config: Config, names: Sequence[str]) -> list[ModelSpec]:
    """Return all listed models, or those with the given names. A hub id need not be listed.

    Those on servers are left out. A repository that is listed for several tasks is returned for each of them, since it
    may fit some tasks only.
    """
    listed = [spec for _, spec in config.listed()]
    specs = listed if not names else [spec for name in names for spec in _find_specs(config, listed, name)]
    return [spec for spec in dict.fromkeys(specs) if not spec.server]


def _find_specs(config: Config, listed: list[ModelSpec], name: str) -> list[ModelSpec]:
    """Return the listed models with this name or id. A model that is not listed may be of any task."""
    if matches := [spec for spec in listed if name in (spec.name, spec.repo)]:
        return matches
    added = config.with_model("complete", name).specs("complete")
    return [replace(spec, task="") for spec in added if spec.name == name]


def _download(hub: Hub, spec: ModelSpec) -> dict[str, Any]:
    from tqdm import tqdm

    bar_format = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}"
    with tqdm(total=100, desc=spec.name, bar_format=bar_format, disable=None) as bar:  # None: only on a terminal

        def show_progress(fraction: float | None) -> None:
            bar.n = round(100 * (fraction or 0))
            bar.refresh()

        folder = hub.download(spec, show_progress)
        show_progress(1.0)
    return {"name": spec.name, "repo": spec.repo, "folder": str(folder), "size": hub.state(spec)[1]}
