"""Prompts on their way into a diffusion model: as hidden states where it reads them by CLIP, else as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, T5Tokenizer

from inference.pipelines.text_to_image.generation_settings import ImageSpec
from inference.pipelines.text_to_image.prompt_encoder import ChunkEncoder
from inference.pipelines.text_to_image.prompt_weighting import parse_weights, without_weights
from inference.pipelines.truncation import unread_note
from inference.tasks import ImagineRequest
from inference.types.errors import Phrase


class PromptInputs(Protocol):
    """How one pipeline takes its prompts."""

    def shape(self, subject: ImageSpec) -> Hashable:
        """Subjects of equal shape can be drawn together."""
        ...

    def arguments(self, subjects: Sequence[ImageSpec]) -> dict[str, Any]:
        """What the pipeline's call takes for these prompts, all of one shape."""
        ...

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        """Sentences about what the model does not read."""
        ...


def prompt_inputs_for(pipe: Any) -> PromptInputs:
    """The way that fits the pipeline's text encoders."""
    pairs = [(getattr(pipe, f"tokenizer{n}", None), getattr(pipe, f"text_encoder{n}", None)) for n in ("", "_2", "_3")]
    kinds = [type(encoder) for _, encoder in pairs if encoder is not None]
    takes_states = hasattr(pipe, "unet") and "prompt_embeds" in inspect.signature(pipe.__call__).parameters
    if takes_states and kinds == [CLIPTextModel]:
        return EncodedPromptInputs([ChunkEncoder(*pairs[0])])
    if takes_states and kinds == [CLIPTextModel, CLIPTextModelWithProjection]:
        zeros = pipe.config.get("force_zeros_for_empty_prompt", False)
        return EncodedPromptInputs([ChunkEncoder(*pair, penultimate=True) for pair in pairs[:2]], zeros=zeros)
    return PlainPromptInputs(pipe)


class EncodedPromptInputs:
    """Long prompts too, with emphasis, for Stable Diffusion (one CLIP encoder) and Stable Diffusion XL (two).

    Each is encoded alone, so that company changes nothing. `zeros`: no negative prompt is no states at all, instead of
    those of an empty text.
    """

    def __init__(self, encoders: Sequence[ChunkEncoder], *, zeros: bool = False) -> None:
        self._encoders = encoders
        self._zeros = zeros

    def shape(self, subject: ImageSpec) -> int:
        """The number of chunks that the longer one of both prompts fills."""
        texts = (subject.prompt, subject.negative_prompt)
        return max(len(encoder.chunks(parse_weights(text))) for encoder in self._encoders for text in texts)

    @torch.no_grad()
    def arguments(self, subjects: Sequence[ImageSpec]) -> dict[str, Any]:
        rows = [self._row(subject) for subject in subjects]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        return _unread_notes(request, lambda text: self._encoders[0].unread(parse_weights(text)))

    def _row(self, subject: ImageSpec) -> dict[str, torch.Tensor]:
        count = self.shape(subject)
        positive = self._encode(subject.prompt, count)
        negative = self._encode(subject.negative_prompt, count)
        if self._zeros and not subject.negative_prompt:
            negative = {name: torch.zeros_like(states) for name, states in negative.items()}
        return positive | {f"negative_{name}": states for name, states in negative.items()}

    def _encode(self, prompt: str, count: int) -> dict[str, torch.Tensor]:
        """Hidden states [tokens, features of all encoders], and with two encoders the second's pooled ones."""
        pieces = parse_weights(prompt)
        read = [encoder.encode(pieces, count) for encoder in self._encoders]
        states = {"prompt_embeds": torch.cat([hidden for hidden, _ in read], dim=-1)}
        pooled = read[-1][1]
        return states if pooled is None else states | {"pooled_prompt_embeds": pooled}


class PlainPromptInputs:
    """Prompts as text, without emphasis, for pipelines that read them in ways of their own."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def shape(self, subject: ImageSpec) -> bool:
        return bool(subject.negative_prompt)

    def arguments(self, subjects: Sequence[ImageSpec]) -> dict[str, Any]:
        arguments = {"prompt": [without_weights(subject.prompt) for subject in subjects]}
        if subjects[0].negative_prompt:
            arguments["negative_prompt"] = [without_weights(subject.negative_prompt) for subject in subjects]
        return arguments

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        return _unread_notes(request, lambda text: self._unread(without_weights(text)))

    def _unread(self, text: str) -> str:
        """The part of `text` beyond the window of the encoder that reads most."""
        tokenizers = [getattr(self._pipe, f"tokenizer{n}", None) for n in ("_3", "_2", "")]
        tokenizer = next((one for one in tokenizers if isinstance(one, CLIPTokenizer | T5Tokenizer)), None)
        if tokenizer is None:
            return ""
        window = inspect.signature(self._pipe.__call__).parameters.get("max_sequence_length")
        room = (window.default if window else tokenizer.model_max_length) - tokenizer.num_special_tokens_to_add()
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
        unread = encoded["offset_mapping"][room:]
        return text[unread[0][0] :] if unread else ""


def _unread_notes(request: ImagineRequest, unread: Callable[[str], str]) -> list[Phrase]:
    texts = {Phrase("prompt"): request.prompt, Phrase("negative prompt"): request.negative_prompt}
    return [note for name, text in texts.items() if (note := unread_note(name, unread(text)))]
