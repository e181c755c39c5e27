"""Reading of YAML: keys given twice, and errors with line and column in one plain sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.config.loading import load_config
from inference.config.problems import ConfigError
from inference.config.schema import Config


def problems(folder: Path, text: str | bytes) -> list[str]:
    (folder / "config.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "config.yaml")
    return caught.value.problems


def test_every_key_given_twice_is_reported_with_all_its_lines(tmp_path: Path) -> None:
    text = """\
limits:
  queue: 3
  queue: 4
data: here
models:
  imagine:
    - repo: org/a
      name: x
      name: y
limits: {batch: 2}
data: there
data: nowhere
"""
    assert problems(tmp_path, text) == [
        "line 3, column 3: `limits.queue` is given twice, in line 2 and line 3",
        "line 9, column 7: `models.imagine[0].name` is given twice, in line 8 and line 9",
        "line 10, column 1: `limits` is given twice, in line 1 and line 10",
        "line 12, column 1: `data` is given 3 times, in line 4, line 11 and line 12",
    ]


def test_a_key_given_twice_in_one_line_names_the_line_once(tmp_path: Path) -> None:
    assert problems(tmp_path, "limits: {queue: 1, queue: 2}") == [
        "line 1, column 20: `limits.queue` is given twice, in line 1"
    ]


def test_a_key_may_override_a_merged_one(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("models: {fill: [&a {repo: org/a, dtype: float32}, {<<: *a, repo: org/b}]}")
    assert [(spec.repo, spec.dtype) for spec in load_config(path).specs("fill")] == [
        ("org/a", "float32"),
        ("org/b", "float32"),
    ]


@pytest.mark.parametrize("text", [b"", b"# nothing yet\n", b"---\n", b"\xef\xbb\xbf\n"])
def test_a_file_without_values_has_the_defaults(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(text)
    assert load_config(path).limits == Config().limits


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c", "line 1, column 5: this `:` does not fit. Check the indentation, and put text that contains `: ` "
         "in quotes"),
        ("limits:\n\tqueue: 3", "line 2, column 1: there is a tab. Indent with spaces only"),
        ("limits:\n  queue: 3\n\tbatch: 2", "line 3, column 1: there is a tab. Indent with spaces only"),
        ("limits:\n   queue: 3\n  batch: 2", "line 3, column 3: this line does not fit the lines above. Check its "
         "indentation, and quotes above it"),
        ("models: [", "line 1, column 10: the file ends too early: a `[` or `{` is not closed"),
        ("models:\n  fill: [a\nlimits: 3", "line 2, column 9: this is not closed: a `]` or a comma is missing"),
        ("system: 'abc\ndevice: cpu\n", "line 1, column 9: this quote is not closed"),
        ("a: 1\nlimits\nb: 2", "line 2, column 1: a `:` is missing after this key"),
        ("models\n  fill:\n    - a", "line 1, column 1: a `:` is missing after this key"),
        ("limits:\n  queue:3\n  batch: 2", "line 2, column 9: a space is missing after this `:`"),
        ("models:\n  fill:\n    - org/a\n    -org/b", "line 4, column 5: a space is missing after this `-`"),
        ("models:\n  fill:\n    -repo: a\n     name: b", "line 3, column 5: a space is missing after this `-`"),
        ("system: |\n  hello\nlimits: queue: 3", "line 3, column 14: this `:` does not fit. Check the indentation, and "
         "put text that contains `: ` in quotes"),
        ("  limits:\n    queue: 3\ndevice: cpu", "line 3, column 1: this line does not fit the lines above. Check its "
         "indentation, and quotes above it"),
        ("safety: {words: [*foo]}", "line 1, column 18: there is no anchor `&foo`. Put text that starts with `*` in "
         "quotes"),
        ("system: **bold**", "line 1, column 9: text that starts with `*`, `&` or `!` must be in quotes"),
        ("system: @me", "line 1, column 9: a value can't start with `@`. Put it in quotes"),
        ("system: !x 3", "line 1, column 9: the tag `!x` is not known. Put text that starts with `!` in quotes"),
        (r'data: "C:\data"', r"line 1, column 11: `\d` is no escape. Use single quotes for text with backslashes"),
        (r'data: "C:\Users"', "line 1, column 12: this is no whole `\\x` escape. Use single quotes for text with "
         "backslashes"),
        ("models:\n  fill: - b", "line 2, column 9: a list can't start here. Begin it on the line after its key"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document starts here (`---`). The file must have only one"),
        ("? [a]\n: b", "line 1, column 3: a key must be text. Put text that starts with `{` or `[` in quotes"),
        ("data: 2024-99-99", "line 1, column 7: `2024-99-99` can't be read. If it is text, put it in quotes"),
        ("data: |x\n y", "line 1, column 8: this is not YAML (expected chomping or indentation indicators, but found "
         "'x')"),
        ("a: b\nc: \x00", "line 2, column 4: there is a control character (number 0). Remove it"),
        (b"a: b\nsystem: caf\xe9\n", "line 2: a character is not UTF-8. Save the file again, with the encoding UTF-8"),
        ("[" * 3000, "line 1: the values are nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_one_plain_sentence(tmp_path: Path, text: str | bytes, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]
