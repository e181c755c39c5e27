"""`chat` on the command line."""

from __future__ import annotations

import argparse
from typing import Any

from inference.cli.commands.command import Shown, TaskCommand
from inference.cli.documents import Documents
from inference.tasks import ChatReply, ChatRequest, Message, Request


class ChatCommand(TaskCommand[ChatReply]):
    """Prints the reply to one message."""

    request = ChatRequest

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("message", metavar="MESSAGE")
        parser.add_argument("--system", metavar="TEXT", help="who the model is, instead of the settings' line")
        parser.add_argument("--max-new-tokens", type=int, metavar="N")
        parser.add_argument("--temperature", type=float, metavar="T", help="0 is greedy")
        parser.add_argument("--top-p", type=float, metavar="P")
        parser.add_argument("--seed", type=int, metavar="N")
        parser.add_argument(
            "--thinking", action="store_true", help="let a model that can think do so first; --json has its thoughts"
        )

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        return ChatRequest(messages=(Message("user", args.message),), **self.fields_of(vars(args)))

    def to_json(self, output: ChatReply, shown: Shown) -> dict[str, Any]:
        return {
            "text": output.text,
            "seed": output.seed,
            "finish_reason": output.finish_reason,
            "thoughts": output.thoughts,
        }

    def to_text(self, output: ChatReply, shown: Shown) -> str:
        return output.text


COMMAND = ChatCommand()
