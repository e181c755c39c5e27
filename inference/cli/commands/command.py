"""What the form of a task can say about itself; the defaults suit a task that takes plain options and gives a text."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from inference.cli.documents import NOTHING, Documents
from inference.tasks import Request
from inference.types import Output

OutputT = TypeVar("OutputT", bound=Output)

KINDS_OF_FILES = "text, Markdown, CSV, PDF, .docx, HTML"


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands beside a result: the files of its pictures, and the documents that were read for it."""

    images: Sequence[Path] = ()
    documents: Documents = NOTHING


class TaskCommand(ABC, Generic[OutputT]):
    """One task on the command line. The names of JSON fields are part of the command line's contract."""

    request: type[Request]
    """The kind of request that is built; an option is named like the field that it sets."""

    @abstractmethod
    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be typed, but for `--model`. Options that are not given keep the request's default."""

    def read_documents(self, args: argparse.Namespace) -> Documents:
        """Read the documents that are named; raise InvalidRequest for what can't be read."""
        return NOTHING

    def build_request(self, args: argparse.Namespace, documents: Documents) -> Request:
        """Return the request; raise InvalidRequest for a file that can't be read."""
        return self.request(**self.fields_of(vars(args)))

    def fields_of(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return those of the options that are fields of the request; a list becomes a tuple."""
        names = {field.name for field in fields(self.request)}
        given = {name: value for name, value in options.items() if name in names}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}

    def heading(self, request: Request) -> str:
        """Return the line above a text that is shown as it grows."""
        return ""

    def write_files(self, output: OutputT, args: argparse.Namespace) -> list[Path]:
        """Write the result's pictures, and return their paths."""
        return []

    @abstractmethod
    def to_json(self, output: OutputT, shown: Shown) -> dict[str, Any]:
        """Return the object that `--json` prints."""

    @abstractmethod
    def to_text(self, output: OutputT, shown: Shown) -> str:
        """Return the result as people read it."""

    def after_stream(self, output: OutputT, shown: Shown) -> str:
        """Return what is left to print where the text was shown as it grew."""
        return ""

    def is_generated(self, output: OutputT) -> bool:
        """Return whether stderr should say that a language model wrote this, in words that are not marked otherwise."""
        return False
