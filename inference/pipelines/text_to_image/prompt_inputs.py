"""Prompts as arguments of a diffusers pipeline: as hidden states for CLIP encoders, else as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer, T5Tokenizer

from inference.pipelines.image_job import truncation_note
from inference.pipelines.text_to_image.generation_settings import ImageSpec
from inference.pipelines.text_to_image.prompt_encoder import ChunkEncoder
from inference.pipelines.text_to_image.prompt_weighting import parse_weights, without_weights
from inference.tasks import ImagineRequest
from inference.types.errors import Phrase


class PromptInputs(Protocol):
    """Converts prompts to arguments of one pipeline."""

    def arguments(self, specs: Sequence[ImageSpec]) -> dict[str, Any]:
        """Return the prompt arguments of the pipeline's call. All specs must be of one request."""
        ...

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        """Return notes for the user about truncated prompts."""
        ...


def prompt_inputs_for(pipe: Any) -> PromptInputs:
    """Return the implementation that fits the pipeline's text encoders."""
    pairs = [(getattr(pipe, f"tokenizer{n}", None), getattr(pipe, f"text_encoder{n}", None)) for n in ("", "_2", "_3")]
    encoder_types = [type(encoder) for _, encoder in pairs if encoder is not None]
    takes_embeddings = hasattr(pipe, "unet") and "prompt_embeds" in inspect.signature(pipe.__call__).parameters
    if takes_embeddings and encoder_types == [CLIPTextModel]:
        return EncodedPromptInputs([ChunkEncoder(*pairs[0])])
    if takes_embeddings and encoder_types == [CLIPTextModel, CLIPTextModelWithProjection]:
        zero_negative = pipe.config.get("force_zeros_for_empty_prompt", False)
        encoders = [ChunkEncoder(*pair, penultimate=True) for pair in pairs[:2]]
        return EncodedPromptInputs(encoders, zero_negative=zero_negative)
    return PlainPromptInputs(pipe)


class EncodedPromptInputs:
    """Long and weighted prompts for Stable Diffusion (one CLIP encoder) and Stable Diffusion XL (two).

    Each prompt is encoded alone, so other prompts in a batch do not affect it. With `zero_negative`, an empty negative
    prompt becomes zeros instead of the states of an empty text.
    """

    def __init__(self, encoders: Sequence[ChunkEncoder], *, zero_negative: bool = False) -> None:
        self._encoders = encoders
        self._zero_negative = zero_negative

    def _num_chunks(self, spec: ImageSpec) -> int:
        """Return the number of chunks of the longer one of the two prompts."""
        texts = (spec.prompt, spec.negative_prompt)
        return max(len(encoder.chunks(parse_weights(text))) for encoder in self._encoders for text in texts)

    @torch.no_grad()
    def arguments(self, specs: Sequence[ImageSpec]) -> dict[str, Any]:
        rows = [self._embeddings(spec) for spec in specs]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        return _truncation_notes(request, lambda text: self._encoders[0].truncated_text(parse_weights(text)))

    def _embeddings(self, spec: ImageSpec) -> dict[str, torch.Tensor]:
        count = self._num_chunks(spec)
        positive = self._encode(spec.prompt, count)
        negative = self._encode(spec.negative_prompt, count)
        if self._zero_negative and not spec.negative_prompt:
            negative = {name: torch.zeros_like(states) for name, states in negative.items()}
        return positive | {f"negative_{name}": states for name, states in negative.items()}

    def _encode(self, prompt: str, count: int) -> dict[str, torch.Tensor]:
        """Return hidden states [tokens, features of all encoders], and with two encoders the second's pooled state."""
        parts = parse_weights(prompt)
        encoded = [encoder.encode(parts, count) for encoder in self._encoders]
        states = {"prompt_embeds": torch.cat([hidden for hidden, _ in encoded], dim=-1)}
        pooled = encoded[-1][1]
        return states if pooled is None else states | {"pooled_prompt_embeds": pooled}


class PlainPromptInputs:
    """Prompts as text, without weights, for pipelines with other encoders."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def arguments(self, specs: Sequence[ImageSpec]) -> dict[str, Any]:
        arguments = {"prompt": [without_weights(spec.prompt) for spec in specs]}
        if specs[0].negative_prompt:
            arguments["negative_prompt"] = [without_weights(spec.negative_prompt) for spec in specs]
        return arguments

    def notes(self, request: ImagineRequest) -> list[Phrase]:
        return _truncation_notes(request, lambda text: self._truncated_text(without_weights(text)))

    def _truncated_text(self, text: str) -> str:
        """Return the part of `text` beyond the window of the encoder that reads most."""
        tokenizers = [getattr(self._pipe, f"tokenizer{n}", None) for n in ("_3", "_2", "")]
        tokenizer = next((one for one in tokenizers if isinstance(one, CLIPTokenizer | T5Tokenizer)), None)
        if tokenizer is None:
            return ""
        window = inspect.signature(self._pipe.__call__).parameters.get("max_sequence_length")
        room = (window.default if window else tokenizer.model_max_length) - tokenizer.num_special_tokens_to_add()
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
        truncated = encoded["offset_mapping"][room:]
        return text[truncated[0][0] :] if truncated else ""


def _truncation_notes(request: ImagineRequest, truncated_text: Callable[[str], str]) -> list[Phrase]:
    texts = {Phrase("prompt"): request.prompt, Phrase("negative prompt"): request.negative_prompt}
    return [note for name, text in texts.items() if (note := truncation_note(name, truncated_text(text)))]
