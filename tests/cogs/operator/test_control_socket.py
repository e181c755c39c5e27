"""The command line and the running bot, through the socket in the data folder."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

import bot
from cogs.operator import Operator
from cogs.operator.control_socket import NoBot, ask_running_bot
from cogs.operator.text_commands import USAGE
from inference import ModelSpec, Queued
from inference.types import LoadProgress
from tests.cogs.operator.operator_panel import bot_of, operator
from tests.cogs.stage import Stage, first


async def ask(stage: Stage, *words: str) -> tuple[bool, str]:
    shown: list[str] = []
    return await ask_running_bot(bot_of(stage).config.data, words, shown.append)


async def test_the_socket_is_for_the_bots_own_user_alone(stage: Stage):
    mode = (bot_of(stage).config.data / "operator.sock").stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)


async def test_the_state_of_the_devices_is_plain_text(stage: Stage):
    stage.backend.in_memory.add("gpt2")
    assert await ask(stage, "status") == (
        True,
        "cpu: 0 running, 0 waiting, 500 MB of 8.0 GB in use\nLoaded: gpt2 (500 MB)",
    )


async def test_progress_is_shown_before_the_answer(stage: Stage):
    shown: list[str] = []
    done = await ask_running_bot(bot_of(stage).config.data, ["download", "gpt2"], shown.append)
    assert (done, shown) == ((True, "The files of gpt2 are on this machine."), ["50%"])


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["load", "gpt2"], "gpt2 is loaded."),
        (["pause"], "Paused. Running requests go on, others wait until you resume."),
        (["drain"], "New requests are refused. Those that were accepted go on."),
        (["resume"], "Requests are taken and start again."),
        (["failures"], "No request has failed since the start."),
        (["blocks"], "Nobody is blocked everywhere."),
        (["help"], USAGE),
    ],
)
async def test_commands_answer_with_what_was_done(stage: Stage, words: list[str], answer: str):
    assert await ask(stage, *words) == (True, answer)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["load", "nothing"], "There is no model 'nothing'. There is: "),
        (["unload", "gpt2"], "gpt2 is in use, or was not loaded."),
        (["failure", "zz"], "No failure with the id zz is among the last ones."),
        (["leave", "1"], "I am on no server with the id 1."),
        (["leave", "home"], "'home' is no id of Discord, which is a number of 17 to 19 digits."),
        (["unblock", "person", "5"], "There is no such block."),
        (["unblock", "person", "9" * 25], f"'{'9' * 25}' is no id of Discord, which is a number of 17 to 19 digits."),
        (["block", "person", "0"], "'0' is no id of Discord"),
        (["block", "person", str(2**63)], f"'{2**63}' is no id of Discord"),
        (["block", "person", "5", "0"], "A block lasts for 1 to 3650 whole days, or for good, not for '0' days."),
        (["block", "person", "5", "3651"], "A block lasts for 1 to 3650 whole days"),
        (["block", "person", "5", "999999999999"], "A block lasts for 1 to 3650 whole days"),
        (
            ["block", "person", "5", "-3", "rude"],
            "A block lasts for 1 to 3650 whole days, or for good, not for '-3'",
        ),
        (["block", "person", "5", "1.5"], "A block lasts for 1 to 3650 whole days"),
        (["block", "server", "5", "x" * 201], "The reason has more than 200 characters."),
        (["block", "planet", "5"], "Say what to block: `person` or `server`, then the id."),
        (["dance"], "I don't know `dance`. The commands are:\nstatus "),
        ([], "I don't know ``. The commands are:\n"),
    ],
)
async def test_what_can_not_be_done_is_a_sentence(stage: Stage, words: list[str], answer: str):
    done, said = await ask(stage, *words)
    assert not done
    assert said.startswith(answer)
    assert bot_of(stage).store.blocks.active(0) == []


async def test_a_person_is_blocked_for_some_days_and_listed(stage: Stage):
    operator(stage)
    assert (await ask(stage, "block", "person", str(stage.alice.id), "2", "too", "loud"))[0]
    (block,) = bot_of(stage).store.blocks.active(0)
    assert (block.reason, block.by, block.until is not None) == ("too loud", 0, True)
    done, listed = await ask(stage, "blocks")
    assert done
    assert listed.startswith(f"person {stage.alice.id} · until ")
    assert listed.endswith(" · too loud")


async def test_a_block_of_the_most_days_is_listed(stage: Stage):
    assert (await ask(stage, "block", "server", str(2**63 - 1), "3650"))[0]
    done, listed = await ask(stage, "blocks")
    assert done
    assert listed.startswith(f"server {2**63 - 1} · until 20")
    assert await ask(stage, "unblock", "server", str(2**63 - 1)) == (True, f"{2**63 - 1} is unblocked.")


async def test_a_block_from_the_command_line_cancels_what_runs(stage: Stage):
    operator(stage)
    stage.backend.script = lambda spec, request: [Queued(1)]
    running = first(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert await ask(stage, "block", "person", str(stage.alice.id), "loud") == (
        True,
        f"{stage.alice.id} is blocked for good.",
    )
    assert running.content == "Cancelled, since the bot's operator has blocked you."


async def test_a_socket_left_over_by_a_kill_is_replaced(stage: Stage):
    socket = bot_of(stage).config.data / "operator.sock"
    await bot_of(stage).remove_cog("Operator")
    assert not socket.exists()
    socket.touch()
    await bot_of(stage).add_cog(Operator(bot_of(stage)))
    assert (await ask(stage, "status"))[0]


async def test_without_a_bot_there_is_a_sentence(tmp_path: Path):
    with pytest.raises(NoBot, match="No bot is running on"):
        await ask_running_bot(tmp_path, ["status"], print)


def test_the_command_line_says_that_no_bot_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "config.yaml").write_text("limits: {queue: 0}")  # the running bot is to report what is wrong
    assert bot.main(["--config", str(tmp_path / "config.yaml"), "--operator", "status"]) == 1
    assert capsys.readouterr().err.startswith(f"No bot is running on {tmp_path / 'data'}.")


async def test_a_command_that_is_still_at_work_does_not_keep_the_bot_from_closing(stage: Stage):
    begun, never = asyncio.Event(), asyncio.Event()

    async def download(spec: ModelSpec, on_progress: LoadProgress) -> None:
        begun.set()
        await never.wait()

    stage.backend.download = download
    call = asyncio.create_task(ask(stage, "download", "gpt2"))
    await begun.wait()
    await bot_of(stage).remove_cog("Operator")
    with pytest.raises(NoBot):
        await call
