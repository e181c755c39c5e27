"""Test what is known about models, from their model card or from the bot's own table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inference.hub.model_card import ModelCard, model_card


def _with_card(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text)
    return folder


def test_well_known_models_need_no_model_card(tmp_path: Path):
    for folder in (None, tmp_path):
        card = model_card("openai-community/gpt2-large", folder)
        assert card.licence == "MIT"
        assert "English text" in card.good_at


def test_the_model_card_gives_licence_and_tags(tmp_path: Path):
    folder = _with_card(tmp_path, "---\nlicense: apache-2.0\ntags:\n- chat\n- poems\n---\n# A model\n")
    assert model_card("someone/poet", folder) == ModelCard("apache-2.0", "chat, poems")


def test_the_concepts_that_a_small_model_knows_are_read_from_its_names_file(tmp_path: Path):
    (tmp_path / "inkling-names.txt").write_text("fruit: red apple, pear\ntoys: ball\n")
    knows = {"fruit": ("red apple", "pear"), "toys": ("ball",)}
    assert model_card("someone/child", tmp_path) == ModelCard(knows=knows)
    assert model_card("someone/child", _with_card(tmp_path, "---\nlicense: mit\n---\n")) == ModelCard(
        "mit", knows=knows
    )
    assert model_card("openai-community/gpt2", None).knows == {}


def test_a_custom_licence_is_shown_by_its_name(tmp_path: Path):
    folder = _with_card(tmp_path, "---\nlicense: other\nlicense_name: poet-1.0\n---\n")
    assert model_card("someone/poet", folder).licence == "poet-1.0"


def test_the_licence_other_is_replaced_by_the_known_licence_name(tmp_path: Path):
    folder = _with_card(tmp_path, "---\nlicense: other\n---\n")
    assert model_card("facebook/opt-350m", folder).licence == "OPT-175B"
    assert model_card("someone/poet", folder).licence == "other"


@pytest.mark.parametrize(
    "text", ["", "# A model", "---\n: [\n---\n", "---\njust words\n---\n", "---\ntags: poems\n---"]
)
def test_an_empty_or_broken_model_card_is_ignored(tmp_path: Path, text: str):
    assert model_card("someone/poet", _with_card(tmp_path, text)) == ModelCard()


def test_the_known_licences_match_the_readme():
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| \[([\w.-]+/[\w.-]+)\].*\| ([^|]+) \|$", readme, re.MULTILINE)
    assert len(rows) == 15
    for repo, licence in rows:
        assert licence.startswith(model_card(repo, None).licence or "?"), repo
