"""What became of a request: its answer, a sentence that is true, or a fault of the bot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.crash.people import CANCEL, TEXT_ACTIONS, Kills, SentRequest, Shown, action_of
from bench.crash.request_pool import PooledRequest
from bench.crash.world import SECONDS_TO_ACKNOWLEDGE, Message, World

State = Literal["open", "not accepted", "late", "answered", "explained", "no effect", "doubled", "wrong"]
"""`open` is progress, and at the end a request that is stuck. A request that was `not accepted` got no acknowledgement
since the bot was gone, a `late` one although it was there. A press has `no effect` if its message is as before."""

_WORKING = "Working on it…"
_VARIANT = re.compile(r"(\d+)/(\d+)")
_SEED = re.compile(r"\bseed \d+")
_STOPPED = re.compile(r"seed \d+ · stopped")
_SMALL_PRINT = "\n-# "
_SHOWN_IN_REPORTS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. `detail` is the sentence that explains, or what is wrong."""

    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that may end a request. `is_true` says whether it is true, after these kills since it was sent."""

    name: str
    pattern: str
    is_true: Callable[[SentRequest, Kills], bool]


SENTENCES = (
    Sentence("it was cancelled", r"Cancelled\.", lambda sent, kills: sent.cancelled),
    Sentence(
        "the bot ended twice while a model worked on it",
        r"I was ended 2 times while a model worked on this, .*",
        lambda sent, kills: kills.bot >= 2,
    ),
    Sentence(
        "its device was lost three times",
        r"The device that worked on this was lost 3 times\. Try something smaller\.\n-# Error \w+",
        lambda sent, kills: kills.parts >= 3,
    ),
    Sentence(
        "the bot ended before all was read",
        r"I was restarted before I had read everything .*",
        lambda sent, kills: kills.bot >= 1 and (sent.pooled is None or sent.pooled.reads_files),
    ),
    Sentence("too many requests of one person", r"You already have 4 requests here\. .*", lambda sent, kills: True),
)


class Accounting:
    """Judges requests by the answers that the same requests had without a kill."""

    def __init__(self, world: World, answers: Mapping[PooledRequest, Shown]) -> None:
        self._world = world
        self._answers = answers

    def outcome(self, sent: SentRequest, all_kills: Kills) -> Outcome:
        """Return what became of a request, after these kills in all."""
        kills = all_kills.since(sent.earlier_kills)
        if sent.interaction and not sent.interaction.acknowledged:
            return _not_acknowledged(sent, kills)
        if sent.action in TEXT_ACTIONS:
            return self._of_text_press(sent, kills)
        return self._judged(sent, sent.messages(self._world), kills)

    def _of_text_press(self, sent: SentRequest, kills: Kills) -> Outcome:
        """Judge a press whose answer is one more variant in the message of the button."""
        message = sent.interaction.pressed if sent.interaction else None
        assert message is not None, "it is a press"
        assert sent.before is not None, "it is a press"
        if shows_progress(message):
            return Outcome("open", message.content)
        after = Shown.of(message)
        if after == sent.before:
            explained = [self._explanation(sent, each, kills) for each in sent.messages(self._world)]
            return explained[0] if explained else Outcome("no effect")
        return Outcome("answered") if variants(after) == variants(sent.before) + 1 else _wrong(message)

    def _judged(self, sent: SentRequest, messages: list[Message], kills: Kills) -> Outcome:
        """Judge a request whose answer has its own messages."""
        messages = [message for message in messages if not is_notification(message, sent)]
        if not messages:
            return Outcome("no effect" if sent.action else "open")
        if unfinished := [message for message in messages if shows_progress(message)]:
            return Outcome("open", unfinished[0].content or "thinking")
        answers = [message for message in messages if self._is_answer(sent, message)]
        if len(answers) > 1:
            return Outcome("doubled", answers[0].content[:_SHOWN_IN_REPORTS])
        others = [self._explanation(sent, message, kills) for message in messages if message not in answers]
        if wrong := [each for each in others if each.state == "wrong"]:
            return wrong[0]
        if answers and others:
            return Outcome("wrong", f"an answer, and: {others[0].detail}")
        return Outcome("answered") if answers else others[0]

    def _is_answer(self, sent: SentRequest, message: Message) -> bool:
        if sent.pooled is None:
            return bool(message.files) and any(action_of(button) == "reroll" for button in message.buttons)
        return comparable(sent.pooled, Shown.of(message)) == self._answers[sent.pooled]

    def _explanation(self, sent: SentRequest, message: Message, kills: Kills) -> Outcome:
        """Return the outcome by a message that is not the answer: a true sentence, or something wrong."""
        said = self._below_the_beginning(sent, message) or message.content
        for sentence in SENTENCES:
            if re.fullmatch(sentence.pattern, said, re.DOTALL):
                return Outcome("explained", sentence.name) if sentence.is_true(sent, kills) else _wrong(message)
        if sent.cancelled and sent.pooled and _is_beginning(message.content, self._answers[sent.pooled].text):
            return Outcome("explained", "it was cancelled, and shows what was written")
        return _wrong(message)

    def _below_the_beginning(self, sent: SentRequest, message: Message) -> str:
        """Return what is below the beginning of the right answer; "" if the message does not show one."""
        begun, _, below = message.content.partition(_SMALL_PRINT)
        return below if sent.pooled and _begins(begun, self._answers[sent.pooled].text) else ""


def comparable(pooled: PooledRequest, shown: Shown) -> Shown:
    """Return the answer without what differs each time: the seed of a request that can't name one."""
    text = shown.text if pooled.kind == "command" else _SEED.sub("seed …", shown.text)
    return Shown(text, shown.files, shown.buttons)


def shows_progress(message: Message) -> bool:
    """Return whether the message says that the bot is still at work."""
    cancel = any(action_of(button) == CANCEL for button in message.buttons)
    return message.loading or cancel or message.content == _WORKING


def is_explanation(message: Message) -> bool:
    """Return whether the message says why there is no answer."""
    known = any(re.fullmatch(sentence.pattern, message.content, re.DOTALL) for sentence in SENTENCES)
    return known or message.content.rpartition("\n")[2].startswith("-# Error")


def _is_beginning(text: str, answer: str) -> bool:
    """Return whether a cancelled text says so, and is the beginning of the answer."""
    body, _, note = text.partition(_SMALL_PRINT)
    return (note == "Cancelled." or _STOPPED.fullmatch(note) is not None) and _begins(body, answer)


def _begins(text: str, answer: str) -> bool:
    """Return whether `answer` begins with `text`. Escapes are left out, since they depend on what follows."""
    return answer.replace("\\", "").startswith(text.replace("\\", "").rstrip())


def _not_acknowledged(sent: SentRequest, kills: Kills) -> Outcome:
    assert sent.interaction, "messages are not acknowledged"
    if not sent.interaction.delivered or kills.bot:
        return Outcome("not accepted")
    return Outcome("late") if sent.age > SECONDS_TO_ACKNOWLEDGE else Outcome("open", "not acknowledged")


def is_notification(message: Message, sent: SentRequest) -> bool:
    """Return whether the message only tells the person that the answer is there."""
    return message.content.startswith(f"{sent.person.mention} Your ")


def variants(shown: Shown) -> int:
    """Return how many variants of a text the message has, by the label of its buttons."""
    counts = (match for label, _ in shown.buttons if (match := _VARIANT.fullmatch(label)))
    return next((int(match[2]) for match in counts), 1)


def _wrong(message: Message) -> Outcome:
    return Outcome("wrong", message.content[:_SHOWN_IN_REPORTS])
