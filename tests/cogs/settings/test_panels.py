"""/settings and /server-settings: the panels, used as a person would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simcord import ResponseMessage, SetupError

from cogs.settings.texts import of_server
from inference import TASK_NAMES, Config, Engine
from storage import PersonSettings, ServerSettings
from tests.cogs.settings.panels import manager, panel, private_text, store_of
from tests.cogs.stage import Stage, buttons
from tests.fakes import FakeBackend


async def test_a_person_chooses_a_language_a_model_and_private_answers(stage: Stage):
    opened = panel(await stage.alice.slash(stage.channel, "settings"))
    await stage.alice.select(opened, ["de"], custom_id="inkling:settings:mine:language")
    await stage.alice.select(opened, ["imagine"], custom_id="inkling:settings:mine:task")
    await stage.alice.select(opened, ["dalle-mini"], custom_id="inkling:settings:mine:model:imagine")
    await stage.alice.click(opened, custom_id="inkling:settings:mine:private")
    assert store_of(stage).settings.person(stage.alice.id) == PersonSettings({"imagine": "dalle-mini"}, "de", True)
    assert store_of(stage).settings.person(stage.bob.id) == PersonSettings()


async def test_the_panel_shows_what_is_chosen(stage: Stage):
    opened = panel(await stage.alice.slash(stage.channel, "settings"))
    assert "**Models**: what the server or the bot's operator has chosen" in opened.content
    await stage.alice.select(opened, ["imagine"], custom_id="inkling:settings:mine:task")
    await stage.alice.select(opened, ["dalle-mini"], custom_id="inkling:settings:mine:model:imagine")
    await stage.alice.click(opened, label="Answer me in private")
    assert "**Model for /imagine**: `dalle-mini`" in opened.content
    assert "**Answers**: only you see them" in opened.content
    assert buttons(opened)[-2:] == ["Answer me in public", "Reset all"]


async def test_the_panel_switches_to_the_chosen_language(stage: Stage):
    opened = panel(await stage.alice.slash(stage.channel, "settings"))
    for language, title in (("de", "**Deine Einstellungen**"), ("fr", "**Vos réglages**"), ("en", "**Your settings**")):
        await stage.alice.select(opened, [language], custom_id="inkling:settings:mine:language")
        assert opened.content.startswith(title)


async def test_one_choice_or_all_choices_can_be_reset(stage: Stage):
    people = store_of(stage).settings.people
    chosen = PersonSettings({"imagine": "dalle-mini", "complete": "gpt2-large"}, "", True)
    await people.change(stage.alice.id, lambda _: chosen)
    opened = panel(await stage.alice.slash(stage.channel, "settings"))
    await stage.alice.select(opened, ["imagine"], custom_id="inkling:settings:mine:task")
    await stage.alice.select(opened, ["*"], custom_id="inkling:settings:mine:model:imagine")
    assert people.get(stage.alice.id) == replace(chosen, models={"complete": "gpt2-large"})
    await stage.alice.click(opened, label="Reset all")
    assert people.get(stage.alice.id) == PersonSettings()


async def test_a_chosen_model_that_no_longer_exists_is_marked(stage: Stage):
    await store_of(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings({"imagine": "old"}))
    opened = panel(await stage.alice.slash(stage.channel, "settings"))
    assert "**Model for /imagine**: `old`, which no longer exists" in opened.content


async def test_settings_work_in_direct_messages(stage: Stage):
    result = await stage.alice.user.slash("settings")
    assert "**Your settings**" in panel(result).content


def test_the_longest_panel_fits_into_a_message(config: Config):
    models: dict[str, str] = dict.fromkeys(TASK_NAMES, "m" * 100)
    ids = tuple(range(10**19, 10**19 + 25))
    settings = ServerSettings(models, True, ids, ids, 10**8, 10**8, 10**8, 10**8, 10**19, 86399, 86399)
    text = of_server(settings, Engine(config, FakeBackend()))
    assert len(text) <= 1800, "other languages are longer, up to 2000"
    assert (text.count("<#"), text.count("<@&")) == (11, 10)


async def test_only_managers_of_a_server_get_its_panel(stage: Stage):
    with pytest.raises(SetupError, match="not visible to this user"):
        await stage.alice.slash(stage.channel, "server-settings")
    opened = panel(await manager(stage).slash(stage.channel, "server-settings"))
    assert opened.content.startswith("**Settings of this server**")


async def test_a_manager_chooses_channels_roles_models_and_limits(stage: Stage):
    carol, artists = manager(stage), stage.guild.create_role("artists")
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    await carol.select(opened, [stage.channel], custom_id="inkling:settings:server:channels")
    await carol.select(opened, [artists], custom_id="inkling:settings:server:roles")
    await carol.select(opened, ["imagine"], custom_id="inkling:settings:server:task")
    await carol.select(opened, ["dalle-mini"], custom_id="inkling:settings:server:model:imagine")
    await carol.click(opened, label="Answer in private")
    form = await carol.click(opened, label="Limits")
    await carol.submit_modal(form, {"pictures": "2", "new_tokens": " 100 ", "messages": "", "per_person": "1"})
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings(
        {"imagine": "dalle-mini"}, True, (stage.channel.id,), (artists.id,), 2, 100, None, 1
    )
    assert f"**Channels**: {stage.channel.mention}\n**Roles**: {artists.mention}" in opened.content
    assert "Pictures at once: 2 · Tokens of one text: 100 · Requests of one person at a time: 1" in opened.content


async def test_choosing_no_channel_allows_all_channels(stage: Stage):
    carol = manager(stage)
    await store_of(stage).settings.servers.change(stage.guild.id, lambda s: replace(s, channels=(stage.channel.id,)))
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    await carol.select(opened, [], custom_id="inkling:settings:server:channels")
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()
    assert "**Channels**: all" in opened.content


async def test_a_reset_clears_the_chosen_channels_and_roles(stage: Stage):
    carol, artists = manager(stage), stage.guild.create_role("artists")
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    await carol.select(opened, [stage.channel], custom_id="inkling:settings:server:channels")
    await carol.select(opened, [artists], custom_id="inkling:settings:server:roles")
    assert [len(chosen) for chosen in _chosen(opened)] == [1, 1]
    await carol.click(opened, label="Reset all")
    assert _chosen(opened) == [[], []]


def _chosen(opened: ResponseMessage) -> list[list[dict[str, str]]]:
    """Return the chosen values of the selects for channels and roles."""
    controls = [control for row in opened.components for control in row["components"]]
    names = ("inkling:settings:server:channels", "inkling:settings:server:roles")
    return [control.get("default_values", []) for control in controls if control.get("custom_id") in names]


@pytest.mark.parametrize("typed", ["5", "0", "many", "-1", "1.5", "²"])
async def test_limits_of_a_server_can_not_exceed_those_of_the_operator(stage: Stage, typed: str, config: Config):
    assert config.limits.pictures == 4
    carol = manager(stage)
    form = await carol.click(panel(await carol.slash(stage.channel, "server-settings")), label="Limits")
    refused = await carol.submit_modal(form, {"pictures": typed})
    assert private_text(refused) == (
        "Pictures at once: this must be a whole number from 1 to 4, or empty. Nothing was changed."
    )
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()


async def test_an_old_panel_of_a_server_changes_nothing_and_says_so(stage: Stage):
    carol = manager(stage)
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    await stage.env.advance_time(16 * 60)
    pressed = await carol.click(opened, label="Answer in private")
    assert private_text(pressed) == "This panel is from a while ago. Use /server-settings again for a new one."
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()


async def test_the_settings_of_a_server_are_deleted_when_it_removes_the_bot(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda s: replace(s, private=True))
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    await guild.leave()
    await stage.env.settle()
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()
