"""The section `quotas` of config.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import ConfigError, QuotasSection, load_config

_DURATION = "must be a duration like 90 s, 10 min or 2 h, not "
_NONE = ". Leave the line out for no limit; to switch a task off, list no models for it"
_UNIT = ". A number needs a unit: s, min or h"


def load(folder: Path, text: str) -> QuotasSection:
    (folder / "config.yaml").write_text(f"quotas: {text}", encoding="utf-8")
    return load_config(folder / "config.yaml").quotas


def test_quotas_are_off_by_default(tmp_path: Path) -> None:
    assert load(tmp_path, "{}") == QuotasSection(person=None, roles={}, server=None, cooldown=None)


def test_quotas_are_durations_and_roles_are_ids(tmp_path: Path) -> None:
    quotas = load(tmp_path, "{person: 10 min, server: 2 h, roles: {123456789: 30 min}, cooldown: 5 s}")
    assert (quotas.person, quotas.server, quotas.roles, quotas.cooldown) == (600, 7200, {123456789: 1800}, 5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{person: 0 min}", f"quotas.person: {_DURATION}'0 min'{_NONE}"),
        ("{cooldown: 0}", f"quotas.cooldown: {_DURATION}0{_NONE}"),
        ("{person: 600}", f"quotas.person: {_DURATION}600{_UNIT}"),
        ("{person: 1:30}", f"quotas.person: {_DURATION}1:30{_UNIT}"),
        ("{person: -5 min}", f"quotas.person: {_DURATION}'-5 min'"),
        ("{server: 1:30 h}", f"quotas.server: {_DURATION}'1:30 h'"),
        ("{server: [2 h]}", f"quotas.server: {_DURATION}a list"),
        ("{cooldown: yes}", f"quotas.cooldown: {_DURATION}yes"),
        ("{person: 1 h, roles: {1: 0 s}}", f"quotas.roles[1]: {_DURATION}'0 s'{_NONE}"),
        ("{person: 1 h, roles: 2 h}", "quotas.roles: must be a section (indented lines like `key: value`), not '2 h'"),
        (
            "{person: 1 h, roles: {mods: 2 h}}",
            "quotas.roles.mods: is no role. Write the id of a role, a long number: right-click the role, Copy Role ID",
        ),
        ("{roles: {1: 2 h}}", "quotas: `roles` needs `person`: without it, everybody may use as much as they like"),
        ("{persn: 1 h}", "quotas.persn: unknown key. Did you mean `person`?"),
    ],
)
def test_a_mistake_is_explained_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.problems == [f"line 1, {problem}"]
