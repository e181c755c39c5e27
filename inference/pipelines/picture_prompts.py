"""What each type of model is asked about a picture: in its chat template, or in the words that it was trained with."""

from __future__ import annotations

from dataclasses import dataclass

CAPTION_MESSAGE = "Describe this picture in one or two sentences."
"""What models with a chat template are asked for a caption."""

MAX_CAPTION_TOKENS = 64


@dataclass(frozen=True, slots=True)
class PicturePrompt:
    """The prompts of models without a chat template.

    `caption` is empty for models that get the picture alone. `question` has a place for {question}; it is empty for
    models that answer no questions.
    """

    caption: str
    question: str = ""


PICTURE_PROMPTS: dict[str, PicturePrompt] = {
    "blip-2": PicturePrompt("", "Question: {question} Answer:"),
    "florence2": PicturePrompt("<MORE_DETAILED_CAPTION>"),
    "git": PicturePrompt(""),
    "paligemma": PicturePrompt("<image>caption en", "<image>answer en {question}"),
}
"""The prompts by model type. Other types need a chat template. Processors add line breaks and other special tokens."""

IMAGE_TOKEN = "<image>"
"""PaliGemma's place for the picture. Without it the processor guesses the place, and warns each time."""
