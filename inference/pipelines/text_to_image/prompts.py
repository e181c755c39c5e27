"""Prompts on their way into a diffusion model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from transformers import CLIPTokenizer

from inference.pipelines.text_to_image.plan import Subject
from inference.types import ImagineRequest


class Prompts:
    """The text encoders of a pipeline."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def shape(self, subject: Subject) -> Hashable:
        """Subjects of equal shape can be encoded together."""
        return bool(subject.negative_prompt)

    def arguments(self, subjects: Sequence[Subject], guidance: float) -> dict[str, Any]:
        """What the pipeline's call takes for these prompts."""
        arguments = {"prompt": [subject.prompt for subject in subjects]}
        if subjects[0].negative_prompt:
            arguments["negative_prompt"] = [subject.negative_prompt for subject in subjects]
        return arguments

    def notes(self, request: ImagineRequest) -> list[str]:
        """Sentences about what the model did not read."""
        texts = {"prompt": request.prompt, "negative prompt": request.negative_prompt}
        return [note for name, text in texts.items() if (note := self._unread(name, text))]

    def _unread(self, name: str, text: str) -> str:
        """A sentence with the part of `text` beyond the text encoder's window, or nothing."""
        tokenizer = getattr(self._pipe, "tokenizer", None)
        if not isinstance(tokenizer, CLIPTokenizer) or not hasattr(self._pipe, "unet"):
            return ""  # newer models have a second encoder, with a longer window
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
        room = tokenizer.model_max_length - 2  # without the marks of start and end
        unread = encoded["offset_mapping"][room:]
        if not unread:
            return ""
        return f"The model reads only the start of a long {name}; it did not read “{text[unread[0][0] :]}”."
