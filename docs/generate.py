"""Writes docs/configuration.md from the schema: `python -m docs.generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from inference.config.expected import expected, field_at
from inference.config.models import ModelEntry
from inference.config.origin import OriginSection
from inference.config.quotas import QuotasSection
from inference.config.schema import Config, DiscordSection
from inference.limits import SIZE, ClassifierEntry, Limits, SafetySection
from inference.tasks import TASK_NAMES

PAGE = Path(__file__).with_name("configuration.md")

_INTRO = """\
# Configuration

<!-- Written by `python -m docs.generate` from the schema in inference/config/. Edit there. -->

One YAML file, `config.yaml` unless `--config FILE` says otherwise. Every key has a default, so that an empty
file is a valid one that lists no models. Unknown keys, keys given twice, wrong values, folders without a model
and models that can't fit are all reported at start, each with its line in the file;
`.venv/bin/python bot.py --check-config` does only that. The running bot reads the file again when it changes;
`data`, `metrics`, `discord.guild_ids` and `discord.message_content` take effect after a restart.

```yaml
models:
  complete:
    - openai-community/gpt2-large            # the first of a list is the default
    - {repo: facebook/opt-1.3b, name: opt, dtype: float32}
memory: 12 GiB
limits:
  per_person: 2
```
"""

_ENVIRONMENT = """\
## Environment

Secrets and places are never in the file. The bot also reads a file `.env` in the folder it is started from.

| variable | meaning |
|---|---|
| `DISCORD_TOKEN` | The bot's token. Without it, `.venv/bin/python bot.py` starts the preview. |
| `HF_TOKEN` | A token of the model hub, for gated and private models. |
| the one that `api_key_env` names | The key of a [server that runs models](adding-a-model.md#models-on-a-server). |
| `HF_HOME` | Where downloaded models lie; by default `~/.cache/huggingface`. |
| `HF_HUB_OFFLINE` | `1` forbids every request to the hub. Models on disk never need one. |
"""

_MODELS = """\
The models of each task; the first is the default. A task without models is switched off, and says so.

Models that think before they answer (Qwen 3, DeepSeek R1, gpt-oss …) need no setting: they are asked not to think,
and if they think all the same, their thoughts are no part of the answer. Under `chat`, `thinking: yes` lets them
think. A GGUF file works like any other language model; see
[adding a model](adding-a-model.md#gguf-files)."""


_CLASSIFIERS = """\
`pictures` is any image classifier of transformers, such as `Falconsai/nsfw_image_detection`; `texts` any text
classifier, such as `unitary/toxic-bert`. Each is a hub id or a folder, or a section with these keys;
[Operations](operations.md#what-goes-in-and-out) says what is checked, and what people see before.

"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [
        _INTRO,
        _section("Top level", Config, "", skip={"models", "discord", "safety", "limits", "quotas", "origin"}),
        f"## `models`\n\n{_MODELS}\n\nTasks: {', '.join(f'`{task}`' for task in TASK_NAMES)}. "
        "Each takes a list. An entry is a hub id or a folder, or a map with these keys:\n\n" + _table(ModelEntry),
        _section("`discord`", DiscordSection, "discord."),
        _section("`safety`", SafetySection, "safety."),
        _CLASSIFIERS + _table(ClassifierEntry),
        _section("`limits`", Limits, "limits."),
        _section("`quotas`", QuotasSection, "quotas."),
        _section("`origin`", OriginSection, "origin."),
        _ENVIRONMENT,
    ]
    return "\n".join(parts)


def _section(title: str, section: type[BaseModel], prefix: str, skip: set[str] | None = None) -> str:
    intro = f"{_text(section)}\n\n" if prefix else ""
    return f"## {title}\n\n{intro}{_table(section, skip)}"


def _table(section: type[BaseModel], skip: set[str] | None = None) -> str:
    rows = [
        f"| `{name}` | {_expected(section, name)} | {_default(field)} | {field.description} |"
        for name, field in section.model_fields.items()
        if name not in (skip or set())
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def _text(section: type[BaseModel]) -> str:
    return " ".join((section.__doc__ or "").split())


def _expected(section: type[BaseModel], name: str) -> str:
    """What the field takes, in the words of the error messages."""
    return expected(field_at(section, [name])).replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if field.is_required():
        return "required"
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if any(item is SIZE for item in field.metadata):
        return f"`{value / 10**6:g} MB`"
    if isinstance(value, tuple):  # one of them may be written alone
        return f"`{', '.join(map(str, cast(tuple[Any, ...], value)))}`"
    return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
