"""The page of /models, which lists each model once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from cogs.common import MessageContent
from cogs.common.error_messages import in_current_language
from cogs.i18n import slash, tr
from inference import ModelStatus, size_text


def models_page(statuses: Sequence[ModelStatus]) -> MessageContent:
    """Return the models in the order of the configuration; the first one of each command is its default."""
    first: dict[str, ModelStatus] = {}
    for status in statuses:
        first.setdefault(status.spec.task, status)
    groups: dict[Hashable, list[ModelStatus]] = {}
    for status in statuses:
        spec = status.spec
        groups.setdefault((spec.repo, spec.revision, spec.file, spec.server and spec.server.url), []).append(status)
    blocks = ("\n".join(_model(group, list(first.values()))) for group in groups.values())
    return MessageContent("\n\n".join(blocks) or tr("No models are set up."))


def _model(group: Sequence[ModelStatus], defaults: Sequence[ModelStatus]) -> Iterator[str]:
    status = next((status for status in group if status.state == "loaded"), group[0])
    names = dict.fromkeys(f"`{each.spec.name}`" for each in group)
    facts = [_state(status), _licence(status)]
    yield f"{', '.join(names)}: {', '.join(filter(None, facts))}"
    yield "-# " + "; ".join(_served(group, defaults))
    if status.card.good_at:
        yield f"-# {in_current_language(status.card.good_at)}"


def _served(group: Sequence[ModelStatus], defaults: Sequence[ModelStatus]) -> Iterator[str]:
    """Yield the commands that use the model by default, and the others that can use it."""
    checks = {each.spec.task: _checked(each.spec.task) for each in group}
    yield from filter(None, checks.values())
    group = [each for each in group if not checks[each.spec.task]]
    if default := [slash(each.spec.task) for each in group if each in defaults]:
        yield tr("default of {commands}", commands=", ".join(default))
    if other := [slash(each.spec.task) for each in group if each not in defaults]:
        yield tr("for {commands}", commands=", ".join(other))


def _checked(task: str) -> str:
    """Return what a classifier under `safety` does; empty for the models of commands."""
    match task:
        case "safety.pictures":
            return tr("checks the pictures that go in and out")
        case "safety.texts":
            return tr("checks the texts that go in and out")
        case _:
            return ""


def _state(status: ModelStatus) -> str:
    match status.state:
        case "loaded":
            return tr("loaded, {size} of memory", size=_size(status.nbytes))
        case "on disk":
            return tr("{size} on disk", size=_size(status.nbytes))
        case "not downloaded":
            return tr("not downloaded")
        case "device away":
            return tr("not usable now: its device is away")
        case "on a server":
            return _on_server(status)


def _on_server(status: ModelStatus) -> str:
    """Say on which server the model is, to which everything goes that it gets, and whether it answers."""
    host = status.spec.server.host if status.spec.server else ""
    text = tr("runs on the server {host}, where what it gets goes", host=host)
    return f"{text} ({tr('not usable now')})" if status.problem else text


def _size(nbytes: int) -> str:
    return in_current_language(size_text(nbytes))


def _licence(status: ModelStatus) -> str:
    return tr("licence {name}", name=status.card.licence) if status.card.licence else ""
