"""Quotas as people meet them: refusals, /quota, what a server sets, midnight, restarts."""

from __future__ import annotations

from typing import cast

import pytest
from discord.ext import commands
from simcord import MemberActor

from bot import create_bot
from cogs.client import Inkling
from inference import Config, Loading, Queued, QuotasSection
from storage import ServerSettings, Shards
from tests.cogs.imagine.images import restart
from tests.cogs.settings.panels import manager, panel, private_text, store_of
from tests.cogs.stage import PatientEngine, Stage, first, refusal
from tests.waiting import until

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@pytest.fixture
def quotas() -> QuotasSection:
    """Return the quotas of the operator; a test class or a test may have others."""
    return QuotasSection.model_validate({"person": "10 min"})


@pytest.fixture
def config(config: Config, quotas: QuotasSection) -> Config:
    return config.model_copy(update={"quotas": quotas})


@pytest.fixture
def simcord_bot(config: Config, engine: PatientEngine) -> commands.AutoShardedBot:
    return create_bot(engine, Shards(0, 0, 1))


def with_quotas(**quotas: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("quotas", [QuotasSection.model_validate(quotas)])


def bot_of(stage: Stage) -> Inkling:
    return cast(Inkling, stage.bot)


def use(stage: Stage, who: MemberActor, seconds: float, guild: int | None = None) -> None:
    """Report that a request of this person used the device."""
    stage.backend.use(who.id, stage.guild.id if guild is None else guild or "", seconds)


async def mood(stage: Stage, who: MemberActor) -> str:
    """Ask for the mood of a text, which is work of one unit and a little more; return what the person sees."""
    return first(await who.slash(stage.channel, "mood", text="fine")).content


async def quota(stage: Stage, who: MemberActor) -> str:
    return panel(await who.slash(stage.channel, "quota")).content


async def test_a_person_who_has_used_up_the_quota_is_refused_until_the_day_ends(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    returns = bot_of(stage).quotas.returns
    assert said == (
        f"You have used all of your 10 min of computing time for today. It returns <t:{returns:.0f}:R>. /quota shows "
        "more."
    )
    assert returns % _DAY == 0
    assert not stage.backend.requests
    await mood(stage, stage.bob)
    assert len(stage.backend.requests) == 1


async def test_what_requests_use_is_counted(stage: Stage):
    stage.backend.seconds_used = 4 * _MINUTE
    for count in (1, 2, 3):
        await mood(stage, stage.alice)
        assert len(stage.backend.requests) == count
    assert "used all of your 10 min" in await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 3


@pytest.mark.usefixtures("german")
async def test_a_refusal_is_in_german(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert said.startswith("Du hast deine 10 min Rechenzeit für heute ganz verbraucht. Sie kommt <t:")


async def test_a_request_that_takes_more_than_is_left_is_refused_at_once(stage: Stage):
    use(stage, stage.alice, 9 * _MINUTE)
    stage.backend.seconds_per_work = 1.0
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300))
    assert said.startswith(
        "This takes about 5 min, but you have 1 min of your 10 min of computing time left today. Ask for less"
    )
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=50)
    assert len(stage.backend.requests) == 1


async def test_the_length_of_a_text_that_is_fetched_after_the_acknowledgement_counts_too(stage: Stage):
    use(stage, stage.alice, 9 * _MINUTE)
    stage.backend.seconds_per_work = 30.0
    refused = await stage.alice.slash(stage.channel, "summarize", text="word " * 1190)
    assert private_text(refused).startswith("This takes about 75 s, but you have 1 min of your 10 min")
    assert not stage.backend.requests


async def test_several_requests_at_once_can_not_overdraw(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(1)]
    stage.backend.seconds_per_work = 1.0
    results = [await stage.alice.slash(stage.channel, "complete", prompt="Once", length=250) for _ in range(4)]
    assert len(stage.backend.requests) == 2
    for refused in results[2:]:
        assert refusal(refused).startswith("This takes about 4 min, but you have 1 min 40 s of your 10 min")
    await stage.alice.click(first(results[0]), label="Stop")
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=250)
    assert len(stage.backend.requests) == 3, "a cancelled request is not open any more"


async def test_open_requests_that_take_all_of_the_rest_are_named_as_the_reason(stage: Stage):
    stage.backend.script = lambda spec, request: [Queued(1)]
    stage.backend.seconds_per_work = 2.0
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=300)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once", length=1))
    assert said.startswith("The requests that are open will take the rest of today's computing time.")


async def test_several_drawings_of_one_prompt_are_refused_together_before_any_begins(stage: Stage):
    stage.backend.seconds_per_work = 10.0  # four minutes for a picture of 25 steps
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue,green} fox"))
    assert "This takes about 12 min, but you have 10 min of your 10 min" in private_text(
        await stage.alice.click(asked, label="Draw 3")
    )
    assert not stage.backend.requests
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox"))
    await stage.alice.click(asked, label="Draw 2")
    assert len(stage.backend.requests) == 2


async def test_a_large_request_says_what_it_takes_before_work_begins(stage: Stage):
    use(stage, stage.alice, 4 * _MINUTE)
    stage.backend.script = lambda spec, request: [Queued(2, 40.0)]
    stage.backend.seconds_per_work = 1.0
    large = await stage.alice.slash(stage.channel, "complete", prompt="Once", length=120)
    assert first(large).content == (
        "Number 2 in line, about 40 s\n-# Takes about 2 min of the 6 min that you have left today."
    )
    await stage.event(Loading(0.5))
    await stage.env.advance_time(10)
    assert "-# Takes about 2 min" in first(large).content
    small = await stage.alice.slash(stage.channel, "complete", prompt="Once", length=40)
    assert first(small).content == "Number 2 in line, about 40 s"


async def test_people_with_a_role_may_use_more_and_their_largest_role_counts(stage: Stage):
    roles = [stage.guild.create_role(name) for name in ("supporters", "artists", "newcomers")]
    minutes = zip(roles, ("30 min", "20 min", "1 min"), strict=True)
    raised = {"person": "10 min", "roles": {role.id: quota for role, quota in minutes}}
    engine = bot_of(stage).engine
    engine.config = engine.config.model_copy(update={"quotas": QuotasSection.model_validate(raised)})
    carol = stage.guild.add_member(stage.env.create_user("carol"), roles=roles)
    for who in (stage.alice, carol):
        use(stage, who, 29 * _MINUTE)
        await mood(stage, who)
    assert len(stage.backend.requests) == 1
    said = await quota(stage, carol)
    assert "**You**: 29 min of 30 min used, 1 min left" in said
    assert f"{roles[0].mention} gives you 30 min a day." in said
    assert roles[2].mention not in said
    use(stage, carol, 2 * _MINUTE)
    assert "used all of your 30 min" in await mood(stage, carol)


async def test_direct_messages_know_no_roles_and_count_for_the_same_quota(stage: Stage):
    use(stage, stage.alice, 5 * _MINUTE, guild=0)
    use(stage, stage.alice, 5 * _MINUTE)
    assert "used all of your 10 min" in first(await stage.alice.user.slash("mood", text="fine")).content
    assert "used all of your 10 min" in await mood(stage, stage.alice)


async def test_the_quota_of_a_server_counts_only_what_was_used_there(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(computing_time=60))
    use(stage, stage.alice, 5 * _MINUTE, guild=0)
    await mood(stage, stage.alice)
    use(stage, stage.alice, 60)
    said = await mood(stage, stage.alice)
    assert said.startswith("You have used all of the 1 min of computing time that this server gives each person")
    await stage.alice.user.slash("mood", text="fine")
    assert len(stage.backend.requests) == 2
    assert "**You, on this server**: 1 min of 1 min used, 0 s left" in await quota(stage, stage.alice)


@with_quotas(server="1 h")
async def test_all_people_on_a_server_share_its_quota(stage: Stage):
    use(stage, stage.bob, _HOUR)
    assert (await mood(stage, stage.alice)).startswith("This server has used all of its 1 h of computing time")
    await stage.alice.user.slash("mood", text="fine")
    assert len(stage.backend.requests) == 1


async def test_the_quota_is_fresh_after_midnight(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    assert "used all" in await mood(stage, stage.alice)
    quotas = bot_of(stage).quotas
    midnight = quotas.returns
    quotas.clock = lambda: midnight - 1
    assert "used all" in await mood(stage, stage.alice)
    quotas.clock = lambda: midnight
    await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 1
    assert "**You**: 0 s of 10 min used, 10 min left" in await quota(stage, stage.alice)


async def test_what_was_used_is_known_after_a_restart(stage: Stage, config: Config):
    use(stage, stage.alice, 10 * _MINUTE)
    await restart(stage, config)
    assert "used all of your 10 min" in await mood(stage, stage.alice)


async def test_what_was_used_is_on_disk_after_three_seconds(stage: Stage):
    use(stage, stage.alice, 10)
    use(stage, stage.alice, 15)
    await stage.env.settle()
    await stage.env.advance_time(4)

    async def is_written() -> bool:
        rows = await store_of(stage).database.read("SELECT owner, server, seconds FROM device_use")
        return [tuple(row) for row in rows] == [(stage.alice.id, stage.guild.id, 25.0)]

    await until(is_written, "the use of the device is not on disk")


async def test_a_request_that_was_accepted_before_a_restart_is_not_refused(stage: Stage, config: Config):
    stage.backend.script = lambda spec, request: [Queued(1)]
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    use(stage, stage.alice, 10 * _MINUTE)
    await restart(stage, config)
    assert len(stage.backend.requests) == 2


@with_quotas(cooldown="5 s")
async def test_a_pause_is_kept_between_two_accepted_requests(stage: Stage):
    await mood(stage, stage.alice)
    assert await mood(stage, stage.alice) == "Between two of your requests there must be 5 s. Ask again in 5 s."
    await stage.env.advance_time(3)
    assert await mood(stage, stage.alice) == "Between two of your requests there must be 5 s. Ask again in 2 s."
    await mood(stage, stage.bob)
    await stage.env.advance_time(2)
    await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 3
    assert "Between two of your requests there must be 5 s." in await quota(stage, stage.alice)


@with_quotas(cooldown="5 s")
async def test_a_pause_begins_with_a_request_in_a_direct_message_too(stage: Stage):
    await stage.alice.user.slash("mood", text="fine")
    assert await mood(stage, stage.alice) == "Between two of your requests there must be 5 s. Ask again in 5 s."
    assert len(stage.backend.requests) == 1


@with_quotas(cooldown="5 s")
async def test_a_refused_request_begins_no_pause(stage: Stage):
    refusal(await stage.alice.slash(stage.channel, "imagine", prompt="a fox", model="oil"))
    await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 1


@with_quotas(cooldown="5 s")
async def test_the_second_step_of_an_answer_needs_no_pause(stage: Stage):
    options = {"question": "Who?", "text": "Ann did.", "own-words": True}
    await stage.alice.slash(stage.channel, "ask", **options)
    assert len(stage.backend.requests) == 2


@with_quotas(cooldown="5 s")
async def test_a_server_can_ask_for_a_longer_pause_for_itself(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(cooldown=60))
    await stage.alice.user.slash("mood", text="fine")
    await stage.env.advance_time(6)
    await mood(stage, stage.alice)
    await stage.env.advance_time(6)
    assert "Ask again in 54 s." in await mood(stage, stage.alice)
    await stage.alice.user.slash("mood", text="fine")
    assert len(stage.backend.requests) == 3


async def test_the_page_says_what_is_used_and_left(stage: Stage):
    use(stage, stage.alice, 4 * _MINUTE)
    stage.backend.script = lambda spec, request: [Queued(1)]
    stage.backend.seconds_per_work = 1.0
    await stage.alice.slash(stage.channel, "complete", prompt="Once", length=60)
    assert await quota(stage, stage.alice) == (
        "**Your computing time today**\n"
        "**You**: 4 min of 10 min used, 5 min left\n"
        "Your open requests will take about 1 min; that is already subtracted.\n"
        f"All of it returns <t:{bot_of(stage).quotas.returns:.0f}:R>.\n"
        "-# Computing time is how long models work on requests; waiting does not count. A day ends at midnight UTC."
    )


@with_quotas()
async def test_without_quotas_the_page_says_so_and_nothing_is_refused(stage: Stage):
    use(stage, stage.alice, 3 * _HOUR)
    await mood(stage, stage.alice)
    assert len(stage.backend.requests) == 1
    said = await quota(stage, stage.alice)
    assert said.splitlines()[1:3] == ["**You**: 3 h used", "There is no quota here."]


@with_quotas(server="1 h")
async def test_the_page_shows_what_everybody_used_to_managers_only(stage: Stage):
    use(stage, stage.bob, 30 * _MINUTE)
    assert "**Everybody on this server**: 30 min of 1 h used, 30 min left" in await quota(stage, manager(stage))
    assert "**Everybody on this server**: 1 h a day, together" in await quota(stage, stage.alice)


async def test_the_page_works_where_the_server_does_not_allow_the_bot(stage: Stage):
    await store_of(stage).settings.servers.change(stage.guild.id, lambda _: ServerSettings(channels=(1,)))
    assert "**Your computing time today**" in await quota(stage, stage.alice)


@with_quotas(person="10 min", cooldown="5 s")
async def test_a_manager_sets_lower_quotas_for_the_server(stage: Stage):
    carol = manager(stage)
    opened = panel(await carol.slash(stage.channel, "server-settings"))
    form = await carol.click(opened, label="Quotas")
    await carol.submit_modal(form, {"computing_time": " 5 min", "cooldown": "1 min"})
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings(computing_time=300, cooldown=60)
    assert (
        "Computing time of one person a day: 5 min · Pause between two requests of one person: 1 min" in opened.content
    )
    form = await carol.click(opened, label="Quotas")
    await carol.submit_modal(form, {"computing_time": "", "cooldown": ""})
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()


@with_quotas(person="10 min", cooldown="5 s")
@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        (
            "computing_time",
            "11 min",
            "Computing time of one person a day: write a duration such as 90 s, 10 min or 2 h, ",
        ),
        ("computing_time", "0 min", "Computing time of one person a day: "),
        ("computing_time", "5", "Computing time of one person a day: "),
        ("computing_time", "-5 min", "Computing time of one person a day: "),
        ("cooldown", "4 s", "Pause between two requests of one person: write a duration such as 90 s, 10 min or 2 h, "),
        ("cooldown", "25 h", "Pause between two requests of one person: "),
    ],
)
async def test_a_server_can_not_be_more_generous_than_the_operator(stage: Stage, field: str, typed: str, said: str):
    carol = manager(stage)
    form = await carol.click(panel(await carol.slash(stage.channel, "server-settings")), label="Quotas")
    fields = {"computing_time": "", "cooldown": ""} | {field: typed}
    refused = private_text(await carol.submit_modal(form, fields))
    assert refused.startswith(said)
    assert refused.endswith("or nothing. Nothing was changed.")
    assert store_of(stage).settings.server(stage.guild.id) == ServerSettings()


async def test_todays_use_is_shown_to_the_person_and_stays_until_the_day_ends(stage: Stage):
    use(stage, stage.alice, 10 * _MINUTE)
    line = "How long models have worked for you today, 10 min, by server, for the quotas; "
    line += f"it is deleted <t:{_end(stage)}:R>"
    answer = panel(await stage.alice.slash(stage.channel, "privacy"))
    assert line in answer.content
    await stage.alice.click(answer, label="Delete all of it")
    await stage.alice.click(answer, label="Delete for good")
    assert answer.content.startswith("Done. Only this stays for now:\n- How long")
    assert "used all" in await mood(stage, stage.alice)


def _end(stage: Stage) -> int:
    return round(bot_of(stage).quotas.returns)
