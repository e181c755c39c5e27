"""The operator's commands as words, such as `load gpt2`: `bot.py --operator load gpt2`."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from cogs.common.blocking import FOR_GOOD, block_end, discord_id
from cogs.operator.actions import OnProgress, OperatorActions, block_line
from inference import InvalidRequest
from storage import BlockKind

USAGE = """\
status                                  devices, queues and loaded models
reload                                  read config.yaml again
load MODEL, unload MODEL                move a model into the memory, or out of it
download MODEL                          download the files of a model
pause, drain, resume                    start nothing; refuse new requests; end both
failures, failure ID                    the last errors; one with its traceback
servers, leave ID                       servers with what they used today; leave one
blocks                                  who is blocked everywhere
block person|server ID [DAYS] [REASON]  block for some days, or for good
unblock person|server ID                end a block"""


_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
"""What somebody means as a number of days, also where it can't be one."""


async def run_command(actions: OperatorActions, words: Sequence[str], progress: OnProgress) -> str:
    """Do what the words say and return the answer. Raise InferenceError with a sentence if that can't be done."""
    match [word.strip() for word in words]:
        case ["help"]:
            return USAGE
        case ["status"]:
            return _plain(actions.status())
        case ["reload"]:
            return _plain(await actions.reload())
        case ["load", model]:
            return _plain(await actions.load(model, progress))
        case ["unload", model]:
            return _plain(await actions.unload(model))
        case ["download", model]:
            return _plain(await actions.download(model, progress))
        case ["pause"]:
            return _plain(actions.pause(True))
        case ["drain"]:
            return _plain(actions.drain(True))
        case ["resume"]:
            return _plain(actions.resume())
        case ["failures"]:
            lines = [f"{_clock(failure.created)} {failure.message}" for failure in actions.failures()]
            return "\n".join(lines) or "No request has failed since the start."
        case ["failure", request_id]:
            return actions.failure(request_id).text
        case ["servers"]:
            return _plain("\n".join(actions.servers())) or "The bot is on no server."
        case ["leave", server]:
            return _plain(await actions.leave(discord_id(server)))
        case ["blocks"]:
            return _plain("\n".join(map(block_line, actions.blocks()))) or "Nobody is blocked everywhere."
        case ["block", kind, number, *rest]:
            until = block_end(rest.pop(0) if rest and _NUMBER.fullmatch(rest[0]) else FOR_GOOD)
            return _plain(await actions.block(_kind(kind), discord_id(number), " ".join(rest), until, by=0))
        case ["unblock", kind, number]:
            return _plain(await actions.unblock(_kind(kind), discord_id(number)))
        case _:
            raise InvalidRequest(
                "I don't know `{words}`. The commands are:\n{usage}", words=" ".join(words), usage=USAGE
            )


def _plain(text: str) -> str:
    """Return an answer without Discord's markup, for a terminal."""
    text = re.sub(r"<t:(\d+):R>", lambda match: _clock(float(match[1])), text)
    return re.sub(r"\*\*|`|^-# ", "", text, flags=re.MULTILINE)


def _kind(word: str) -> BlockKind:
    if word == "person" or word == "server":
        return word
    raise InvalidRequest("Say what to block: `person` or `server`, then the id.")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
