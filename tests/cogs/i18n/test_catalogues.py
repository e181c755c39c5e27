"""The catalogues contain all messages, and translations keep the placeholders and names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import discord
import pytest
from babel.messages.catalog import Catalog, Message
from discord import app_commands
from simcord.components import validate_modal

from cogs.ask.question_form import QuestionForm
from cogs.client import Inkling
from cogs.common.persistent_form import PersistentForm
from cogs.i18n import LANGUAGES, ntr, set_language, tr, word
from cogs.i18n.catalogue_update import template, untranslated
from cogs.i18n.catalogues import read
from cogs.i18n.sentence_extraction import Unreadable, in_source
from cogs.imagine.edit_form import EditForm
from cogs.imagine.image_form import ImageForm
from cogs.imagine.prompt_modal import PromptModal
from cogs.imagine.remix_form import RemixForm
from cogs.moderation.member_block_form import MemberBlockForm
from cogs.moderation.report_form import ReportForm
from cogs.operator.block_form import BlockForm
from cogs.settings.limits_form import LimitsForm
from cogs.settings.persona_form import PersonaForm
from cogs.settings.quotas_form import QuotasForm
from cogs.settings.server_form import ServerForm
from inference import GeneratedImage, ImageResult, ImagineRequest, Limits, QuotasSection
from storage import ServerSettings, StoredImage
from tests.cogs.stage import Stage

OTHERS = LANGUAGES[1:]

_PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)(?:![rs])?(?::[^{}]*)?\}")
_NAME = re.compile(
    r"(?<![\w/.])/[a-z][a-z-]+|`(?:[a-z][a-z0-9_-]*|@Inkling[^`]*|\.venv[^`]*)`|https://\S+[\w}]", re.ASCII
)
_SLASH_NAME = re.compile(r"[-_'\w]{1,32}")


@pytest.fixture(autouse=True)
def english_afterwards() -> Generator[None]:
    """Reset the language, since tests that are not coroutines share a context."""
    yield
    set_language("en")


def _messages(language: str) -> Iterator[tuple[Message, list[str], list[str]]]:
    """Yield each message, its English forms, and its translated forms."""
    for message in read(language):
        if message.id:
            yield message, _forms(message.id), _forms(message.string)


def _forms(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)


def _ids(catalog: Catalog) -> set[tuple[str, str]]:
    return {(message.context or "", _forms(message.id)[0]) for message in catalog if message.id}


def _tree(stage: Stage) -> app_commands.CommandTree[Any]:
    return cast(Inkling, stage.bot).tree


@pytest.mark.parametrize("language", OTHERS)
async def test_a_catalogue_has_exactly_the_messages_of_the_code_and_all_are_translated(stage: Stage, language: str):
    wanted = _ids(template(cast(Inkling, stage.bot)))
    there = read(language)
    assert wanted - _ids(there) == set(), "run python -m cogs.i18n, and translate what is new"
    assert _ids(there) - wanted == set(), "run python -m cogs.i18n"
    assert list(untranslated(there)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_placeholders(language: str):
    for message, english, forms in _messages(language):
        allowed = set(_PLACEHOLDER.findall(" ".join(english)))
        for form in forms:
            assert set(_PLACEHOLDER.findall(form)) <= allowed, message.id
        assert set(_PLACEHOLDER.findall(forms[-1])) == set(_PLACEHOLDER.findall(english[-1])), message.id


@pytest.mark.parametrize("language", OTHERS)
def test_translations_contain_the_english_names_of_commands_and_options(language: str):
    for message, english, forms in _messages(language):
        assert Counter(_NAME.findall(forms[-1])) == Counter(_NAME.findall(english[-1])), message.id


@pytest.mark.parametrize("language", OTHERS)
async def test_names_and_descriptions_keep_to_the_limits_of_discord(stage: Stage, language: str):
    set_language(language)
    for command in _tree(stage).walk_commands():
        _check_name(word(command.name, "command"))
        assert len(tr(command.description)) <= 100, tr(command.description)
        options = command.parameters if isinstance(command, app_commands.Command) else []
        for option in options:
            _check_name(word(option.display_name, "option"))
            assert len(tr(str(option.description))) <= 100, tr(str(option.description))
            assert all(len(word(choice.name, "choice")) <= 100 for choice in option.choices)
        names = [word(option.display_name, "option") for option in options]
        assert len(set(names)) == len(names)
    menus = [word(menu.name, "menu") for menu in _tree(stage).get_commands(type=discord.AppCommandType.message)]
    assert all(len(name) <= 32 for name in menus)
    commands = [word(command.name, "command") for command in _tree(stage).get_commands()]
    assert len({*menus}) == len(menus)
    assert len({*commands}) == len(commands)


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_keep_to_the_limits_of_discord(language: str):
    set_language(language)
    request = ImagineRequest(prompt="a fox", seed=1, image=b"start", strength=0.5)
    picture = GeneratedImage(b"", 1)
    stored = StoredImage("x", 1, 2, 3, 0.0, request, ImageResult((picture,), 512, 512, 25, 7.5, "DDIM"))
    forms: list[discord.ui.Modal] = [
        BlockForm(),
        EditForm("image", "x", in_words=True),
        EditForm("image", "x", in_words=False),
        LimitsForm(ServerSettings(), Limits()),
        MemberBlockForm(1),
        PersonaForm(ServerSettings(), 1),
        PromptModal(tr("Edit picture"), "a fox"),
        QuestionForm("x", own_words=True),
        QuotasForm(ServerSettings(), QuotasSection()),
        RemixForm(stored),
        ReportForm("x"),
    ]
    assert {type(form) for form in forms} == set(_subclasses(PersistentForm)) - {ImageForm, ServerForm}
    for form in forms:
        validate_modal(form.to_dict())


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for each in base.__subclasses__():
        yield each
        yield from _subclasses(each)


def _check_name(name: str) -> None:
    assert _SLASH_NAME.fullmatch(name), name
    assert name == name.lower()


async def test_commands_are_registered_in_all_languages_and_variants(stage: Stage):
    tree = _tree(stage)
    assert tree.translator is not None
    command = tree.get_command("summarize")
    assert isinstance(command, app_commands.Command)
    payload = await command.get_translated_payload(tree, tree.translator)
    assert payload["name"] == "summarize"
    assert payload["name_localizations"] == {
        "de": "zusammenfassen", "es-ES": "resumir", "es-419": "resumir", "fr": "résumer", "ja": "要約"
    }  # fmt: skip
    length = next(option for option in payload["options"] if option["name"] == "length")
    assert length["name_localizations"]["de"] == "länge"
    assert length["choices"][0]["name_localizations"]["de"] == "kurz"


def test_sentences_name_commands_and_options_in_the_language_of_the_discord_client():
    set_language("en", menus="de")
    assert tr("To draw from this picture, say what it should become as `prompt`.").endswith("as `beschreibung`.")
    set_language("de", menus="en")
    assert tr("Only the person who asked can use these buttons. Ask your own question with /ask.").endswith(
        "Stell mit /ask deine eigene Frage."
    )


def test_numbers_and_plurals_follow_the_language():
    set_language("de")
    assert tr("Give 1 to {most:,} texts, not {count:,}.", most=1000, count=2500).endswith(
        "1.000 Texte an, nicht 2.500."
    )
    size = tr("{size:,.1f} GB", size=1234.56)
    assert size == "1.234,6 GB"
    assert [ntr("{count} step", "{count} steps", count, count=count) for count in (0, 1, 2)] == [
        "0 Schritte", "1 Schritt", "2 Schritte"
    ]  # fmt: skip
    set_language("fr")
    assert ntr("{count} step", "{count} steps", 0, count=0) == "0 étape"
    set_language("ja")
    assert ntr("{count} step", "{count} steps", 1, count=1) == "1ステップ"


def test_an_untranslated_sentence_is_shown_in_english():
    set_language("de")
    assert tr("Nobody has translated this {word}.", word="yet") == "Nobody has translated this yet."


def test_extraction_finds_sentences_plurals_constants_and_errors(tmp_path: Path):
    source = tmp_path / "said.py"
    source.write_text(
        '_WHY = "Because."\n'
        'tr("One " "sentence.")\n'
        'ntr("{n} file", "{n} files", n, n=n)\n'
        "InvalidRequest(_WHY)\n"
        'tr("Yes" if yes else "No")\n'
        "tr(variable)\n"
    )
    found = [(sentence.one, sentence.many) for sentence in in_source(source, tmp_path)]
    assert found == [
        ("One sentence.", ""), ("{n} file", "{n} files"), ("Because.", ""), ("Yes", ""), ("No", "")
    ]  # fmt: skip


@pytest.mark.parametrize("call", ['tr(f"{n} files")', 'InvalidRequest("a" + b)', 'tr("{}".format(n))'])
def test_extraction_refuses_a_sentence_that_is_built_at_run_time(tmp_path: Path, call: str):
    source = tmp_path / "said.py"
    source.write_text(f"\n{call}\n")
    with pytest.raises(Unreadable, match=r"said\.py:2"):
        list(in_source(source, tmp_path))
