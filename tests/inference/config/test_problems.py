"""The problems of a settings file: in plain words, with position and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from inference.config.expected import expected, field_at
from inference.config.loading import load_config
from inference.config.problems import ConfigError
from inference.config.schema import Config
from inference.config.yaml_file import Position

_SECTION = "a section (indented lines like `key: value`)"
_DEVICE = "one of: auto, cpu, mps, cuda, cuda:0 (or another number), cluster, pc2/cuda:0, or a list of them"
_DTYPE = "one of: auto, float32, bfloat16, float16"
_MEMORY = "auto, or a size like 500 MB or 12 GiB"
_MODEL = "a hub id, a folder, or a section with `repo` or `openai`"
_REPO = "a hub id like org/name, or a folder that starts with ., / or ~"


def problems(folder: Path, text: str) -> list[str]:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "config.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("data: 3", "line 1, data: must be the path of a folder, not 3"),
        ("loras: [a]", "line 1, loras: must be the path of a folder, not a list"),
        (
            "database: mysql://db/inkling",
            "line 1, database: must be the address of a Postgres database, like "
            "postgresql://inkling@db.example/inkling, not 'mysql://db/inkling'",
        ),
        (
            "database: postgresql://inkling:secret@db/inkling",
            "line 1, database: has a password in it. Put the password into the environment variable PGPASSWORD",
        ),
        (
            "database: postgresql://inkling@db/inkling?password=secret",
            "line 1, database: has a password in it. Put the password into the environment variable PGPASSWORD",
        ),
        ("device: gpu", f"line 1, device: must be {_DEVICE}, not 'gpu'"),
        ("device: 3", f"line 1, device: must be {_DEVICE}, not 3"),
        ("discord: [a]", f"line 1, discord: must be {_SECTION}, not a list"),
        (
            "discord:\n  guild_ids: 123",
            "line 2, discord.guild_ids: must be a list of whole numbers, not 123. Write [123]",
        ),
        ("discord:\n  guild_ids:\n    - 1\n    - x", "line 4, discord.guild_ids[1]: must be a whole number, not 'x'"),
        ("discord: {guild_ids: [yes]}", "line 1, discord.guild_ids[0]: must be a whole number, not yes"),
        ("discord: {guild_ids: [1.5]}", "line 1, discord.guild_ids[0]: must be a whole number, not 1.5"),
        ("download: maybe", "line 1, download: must be yes or no (true or false), not 'maybe'"),
        ("download: 2", "line 1, download: must be yes or no (true or false), not 2"),
        ("download: [a]", "line 1, download: must be yes or no (true or false), not a list"),
        ("dtype: int8", f"line 1, dtype: must be {_DTYPE}, not 'int8'"),
        ("dtype: [a]", f"line 1, dtype: must be {_DTYPE}, not a list"),
        ("limits:", f"line 1, limits: must be {_SECTION}, not empty"),
        ("limits: 3", f"line 1, limits: must be {_SECTION}, not 3"),
        ("limits: {queue: many}", "line 1, limits.queue: must be a whole number of at least 1, not 'many'"),
        ("limits: {queue: 1.5}", "line 1, limits.queue: must be a whole number of at least 1, not 1.5"),
        ("limits: {queue: .inf}", "line 1, limits.queue: must be a whole number of at least 1, not .inf"),
        ("limits: {queue: 0}", "line 1, limits.queue: must be a whole number of at least 1, not 0"),
        ("limits: {queue: }", "line 1, limits.queue: must be a whole number of at least 1, not empty"),
        ("limits: {queue: yes}", "line 1, limits.queue: must be a whole number of at least 1, not yes"),
        (
            f"limits: {{queue: '{'9' * 5000}'}}",
            f"line 1, limits.queue: must be a whole number of at least 1, not '{'9' * 60}…'",
        ),
        ("limits: {batch: 257}", "line 1, limits.batch: must be a whole number between 1 and 256, not 257"),
        ("limits: {upload: lots}", "line 1, limits.upload: must be a size like 500 MB or 12 GiB, not 'lots'"),
        ("limits: {upload: yes}", "line 1, limits.upload: must be a size like 500 MB or 12 GiB, not yes"),
        ("limits: {upload_megapixels: 0}", "line 1, limits.upload_megapixels: must be a number above 0, not 0"),
        ("limits: {upload_megapixels: x}", "line 1, limits.upload_megapixels: must be a number above 0, not 'x'"),
        (
            "limits: {upload_megapixels: {}}",
            "line 1, limits.upload_megapixels: must be a number above 0, not a section",
        ),
        ("memory: true", f"line 1, memory: must be {_MEMORY}, not true"),
        ("memory: 12 TB", f"line 1, memory: must be {_MEMORY}, not '12 TB'"),
        (f"memory: {'9' * 400} GB", f"line 1, memory: must be {_MEMORY}, not '{'9' * 60}…'"),
        ("models: []", f"line 1, models: must be {_SECTION}, not a list"),
        ("models: {fill: org/a}", "line 1, models.fill: must be a list, not 'org/a'. Write ['org/a']"),
        (
            "models:\n  fill:\n    -org/a",
            "line 2, models.fill: must be a list, not '-org/a'. Put a space after the `-`",
        ),
        (
            "models:\n  fill:\n    -repo: a",
            "line 2, models.fill: must be a list, not a section. Put a space after the `-`",
        ),
        (
            "discord:\n  guild_ids: 12, 34",
            "line 2, discord.guild_ids: must be a list of whole numbers, not '12, 34'. Write [12, 34]",
        ),
        (
            "models:\n  fill:\n    - org/a\n      - org/b",
            f"line 3, models.fill[0].repo: must be {_REPO}, not 'org/a - org/b'. "
            "Give all lines that begin with `-` the same indentation",
        ),
        ("models:\n  fill\n    - a", f"line 1, models: must be {_SECTION}, not 'fill - a'. Put a `:` after `fill`"),
        ("limits:\n  queue:3", f"line 1, limits: must be {_SECTION}, not 'queue:3'. Put a space after the `:`"),
        ("models:\n  fill:", "line 2, models.fill: must be a list, not empty"),
        ("models:\n  fill:\n    - 3", f"line 3, models.fill[0]: must be {_MODEL}, not 3"),
        ("models: {fill: [null]}", f"line 1, models.fill[0]: must be {_MODEL}, not empty"),
        (
            "models:\n  fill:\n    -\n      name: a",
            "line 4, models.fill[0]: must have either `repo` (a hub id or a folder), or `openai` (the address of a "
            "server), and not both",
        ),
        ("models: {fill: [not an id]}", f"line 1, models.fill[0].repo: must be {_REPO}, not 'not an id'"),
        ("models: {fill: [{repo: 3}]}", f"line 1, models.fill[0].repo: must be {_REPO}, not 3"),
        (
            "models: {fill: [{repo: a, revision: 1234567}]}",
            'line 1, models.fill[0].revision: must be text, not 1234567. Put it in quotes: "1234567"',
        ),
        (
            "models:\n  fill:\n    - repo: a\n      temperature: 6",
            "line 4, models.fill[0].temperature: must be a number between 0 and 5, not 6",
        ),
        (
            "models:\n  imagine:\n    - repo: a\n      guidance_scale: -1",
            "line 4, models.imagine[0].guidance_scale: must be a number between 0 and 30, not -1",
        ),
        (
            "models: {fill: [a/b, c/b]}",
            "line 1, models.fill: several models are called b. Give each another `name`",
        ),
        (
            "models: {edit: [{repo: a/b, sampler: DDIM}]}",
            "line 1, models: b under `edit` has the option `sampler`, which only models of `imagine` have. Remove it",
        ),
        ("safety: {flagged: [a]}", "line 1, safety.flagged: must be one of: spoiler, hide, not a list"),
        (
            "safety: {pictures: [a]}",
            "line 1, safety.pictures: must be a hub id, a folder, or a section with `repo`, not a list",
        ),
        (
            "safety:\n  texts: {repo: 'a b'}",
            "line 2, safety.texts.repo: must be a hub id like org/name, or a folder "
            "that starts with ., / or ~, not 'a b'",
        ),
        (
            "safety: {texts: {repo: a, threshold: 2}}",
            "line 1, safety.texts.threshold: must be a number above 0 of at most 1, not 2",
        ),
        ("safety: {words: a}", "line 1, safety.words: must be a list of texts, not 'a'. Write ['a']"),
        ("safety: {words: [3]}", 'line 1, safety.words[0]: must be text, not 3. Put it in quotes: "3"'),
        (
            "safety:\n  words: ['']",
            "line 2, safety.words: has an empty word, which would refuse every prompt. Remove it",
        ),
        ("system: {a: b}", "line 1, system: must be text, not a section"),
        (f"system: {'x' * 2001}", "line 1, system: must have at most 2,000 characters, not 2,001"),
        ("- a", "line 1: the file must have lines like `key: value`, not a list"),
        ("[]", "line 1: the file must have lines like `key: value`, not a list"),
        ("just words", "line 1: the file must have lines like `key: value`, not 'just words'"),
        ("false", "line 1: the file must have lines like `key: value`, not false"),
    ],
)
def test_a_wrong_value_is_explained_in_plain_words(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("limit: {}", "line 1, limit: unknown key. Did you mean `limits`?"),
        ("limits:\n  stpes: 3", "line 2, limits.stpes: unknown key. Did you mean `steps`?"),
        (
            "models:\n  imagine:\n    - repo: a\n      guidance: 3",
            "line 4, models.imagine[0].guidance: unknown key. Did you mean `guidance_scale`?",
        ),
        ("models: {imagin: []}", "line 1, models.imagin: unknown key. Did you mean `imagine`?"),
        (
            "models: {paint: []}",
            "line 1, models.paint: unknown key. "
            "The keys here are: chat, complete, fill, summarize, ask, caption, imagine, edit, upscale, mood",
        ),
        (
            "discord: {xyz: 1}",
            "line 1, discord.xyz: unknown key. The keys here are: guild_ids, servers, direct_messages, message_content",
        ),
        (
            "discord: {7: 1}",
            "line 1, discord.7: unknown key. The keys here are: guild_ids, servers, direct_messages, message_content",
        ),
    ],
)
def test_an_unknown_key_comes_with_the_one_that_was_meant(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_a_number_as_a_task_is_an_unknown_key(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "models: {1: []}")
    assert problem.startswith("line 1, models.1: unknown key. The keys here are: chat, complete,")


def test_all_problems_are_reported_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = "system: []\nlimits:\n  queue: many\ndevice: gpu\nlimits:\n  batch: 0\nmodels:\n  complete:\n    - b: 1\n"
    assert [problem.split(":")[0] for problem in problems(tmp_path, text)] == [
        "line 1, system",
        "line 4, device",
        "line 5, column 1",
        "line 6, limits.batch",
        "line 9, models.complete[0].b",
    ]


def test_the_value_of_a_merged_key_has_its_own_line(tmp_path: Path) -> None:
    text = """\
models:
  imagine:
    - &base
      repo: a
      upscale: 9
    - <<: *base
      name: b
      upscale: 2
"""
    assert problems(tmp_path, text) == [
        "line 5, models.imagine[0].upscale: must be a whole number between 1 and 8, not 9"
    ]
    assert problems(tmp_path, text.replace("upscale: 2", "max_batch_size: 9"))[1:] == [
        "line 5, models.imagine[1].upscale: must be a whole number between 1 and 8, not 9",
        "line 8, models.imagine[1].max_batch_size: must be a whole number between 1 and 8, not 9",
    ]


@pytest.mark.parametrize(("text", "count"), [("a: 1", "1 problem"), ("a: 1\nb: 2", "2 problems")])
def test_the_number_of_problems_has_its_plural(tmp_path: Path, text: str, count: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "config.yaml")
    assert str(caught.value).splitlines()[0] == f"{tmp_path / 'config.yaml'}: {count}"


def _fields(section: type[BaseModel], above: Position = ()) -> Iterator[Position]:
    """Every field of the schema, and the items of its lists."""
    for name in section.model_fields:
        position = (*above, name)
        yield position
        kind: Any = field_at(section, [name])
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, position)
        elif get_origin(kind) is tuple or (get_args(kind) and get_origin(get_args(kind)[0]) is tuple):
            yield (*position, 0)


def test_every_field_of_the_schema_has_words_for_what_it_takes() -> None:
    entry = ("models", "fill", 0)
    positions = [*_fields(Config), entry, *((*entry, name) for name in ("repo", "name", "revision", "temperature"))]
    assert ("discord", "guild_ids", 0) in positions
    for position in positions:
        words = expected(field_at(Config, position))
        assert not {"tuple", "dictionary", "instance", "Input", "integer", "string", "None"} & set(words.split())
