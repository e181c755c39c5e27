"""Fetches models ahead of their first use."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inference.cli.answer import print_json
from inference.cli.model_list import size
from inference.config.schema import Config
from inference.tasks import TASK_NAMES
from inference.types import ModelSpec
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from inference.hub import Hub


def create_hub(config: Config) -> Hub:
    """The hub of the environment; imported late, since `--help` should not wait for it."""
    from inference.hub import Hub

    return Hub(config)


def download(config: Config, hub: Hub, names: Sequence[str], *, as_json: bool) -> int:
    """Fetch the named models, or all; one that fails is told on stderr, and the others still come. The exit status."""
    fetched: list[dict[str, Any]] = []
    status = 0
    for spec in choose(config, names):
        try:
            fetched.append(_fetch(hub, spec))
        except ModelUnavailable as error:
            print(error.user_message, file=sys.stderr)
            status = 2
    if as_json:
        print_json({"models": fetched})
    elif fetched:
        print("\n".join(f"{model['name']}  {size(model['size'])}  {model['folder']}" for model in fetched))
    return status


def choose(config: Config, names: Sequence[str]) -> list[ModelSpec]:
    """Each listed repository once, or those that `names` name; a hub id need not be listed."""
    listed = [spec for task in TASK_NAMES for spec in config.specs(task)]
    chosen = listed if not names else [spec for name in names for spec in _named(config, listed, name)]
    return list({(spec.repo, spec.revision): spec for spec in chosen}.values())


def _named(config: Config, listed: list[ModelSpec], name: str) -> list[ModelSpec]:
    # The files of a model are the same for every task, so that an unlisted one may stand under any.
    found = [spec for spec in listed if name in (spec.name, spec.repo)]
    return found or [spec for spec in config.with_model("complete", name).specs("complete") if spec.name == name]


def _fetch(hub: Hub, spec: ModelSpec) -> dict[str, Any]:
    from tqdm import tqdm

    shape = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}"
    with tqdm(total=100, desc=spec.name, bar_format=shape, disable=None) as bar:  # None: only on a terminal

        def show(fraction: float | None) -> None:
            bar.n = round(100 * (fraction or 0))
            bar.refresh()

        folder = hub.download(spec, show)
        show(1.0)
    return {"name": spec.name, "repo": spec.repo, "folder": str(folder), "size": hub.state(spec)[1]}
