"""Downloads models before their first use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inference.cli.answer import print_json
from inference.cli.model_list import size_text
from inference.config.schema import Config
from inference.tasks import TASK_NAMES
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from inference.hub import Hub


def create_hub(config: Config) -> Hub:
    """Return the hub. Imported late, so that `--help` is fast."""
    from inference.hub import Hub

    return Hub(config)


def download(config: Config, hub: Hub, names: Sequence[str], *, as_json: bool) -> int:
    """Download the named models, or all. Print errors on stderr and go on. Return the exit status."""
    downloaded: list[dict[str, Any]] = []
    status = 0
    for spec in choose(config, names):
        try:
            downloaded.append(_download(hub, spec))
        except ModelUnavailable as error:
            print(error.user_message, file=sys.stderr)
            status = 2
    if as_json:
        print_json({"models": downloaded})
    elif downloaded:
        print("\n".join(f"{model['name']}  {size_text(model['size'])}  {model['folder']}" for model in downloaded))
    return status


def choose(config: Config, names: Sequence[str]) -> list[ModelSpec]:
    """Return each listed repository once, or those with the given names. A hub id need not be listed."""
    listed = [spec for task in TASK_NAMES for spec in config.specs(task)]
    specs = listed if not names else [spec for name in names for spec in _find_specs(config, listed, name)]
    return list({(spec.repo, spec.revision): spec for spec in specs}.values())


def _find_specs(config: Config, listed: list[ModelSpec], name: str) -> list[ModelSpec]:
    # The files of a model are the same for every task, so an unlisted model can be added to any task.
    matches = [spec for spec in listed if name in (spec.name, spec.repo)]
    return matches or [spec for spec in config.with_model("complete", name).specs("complete") if spec.name == name]


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
