"""What a request must satisfy before it may queue: the operator's limits, in words people understand."""

from __future__ import annotations

from inference.blanks import has_blank
from inference.config import Limits
from inference.errors import InvalidRequest
from inference.types import (
    AskRequest,
    CaptionRequest,
    CompleteRequest,
    FillRequest,
    ImagineRequest,
    Request,
    SentimentRequest,
    SummarizeRequest,
)


def check_request(request: Request, limits: Limits) -> None:
    """All that can be told from memory, in microseconds; raises InvalidRequest."""
    match request:
        case CompleteRequest():
            _text("prompt", request.prompt, limits.prompt_characters)
            _within("length", request.max_new_tokens, 1, limits.new_tokens)
            _within("temperature", request.temperature, 0, 5)
            _within("top-p", request.top_p, 0.01, 1)
            _seed(request.seed)
        case FillRequest():
            _text("text", request.text, limits.prompt_characters)
            if not has_blank(request.text):
                raise InvalidRequest("There is no blank to fill. Write [MASK] or ___ where a word is missing.")
        case SummarizeRequest():
            _text("text", request.text, limits.text_characters)
        case AskRequest():
            _text("question", request.question, limits.prompt_characters)
            _text("text to ask about", request.context, limits.text_characters)
        case CaptionRequest():
            if len(request.image) > limits.upload:
                raise InvalidRequest(f"This picture is larger than {megabytes(limits.upload)}. Send a smaller one.")
        case ImagineRequest():
            _imagine(request, limits)
        case SentimentRequest():
            _text("text", request.text, limits.prompt_characters)
        case _:
            raise TypeError(f"unknown request {type(request).__name__}")


def check_pictures(request: Request, limits: Limits) -> None:
    """Decode what pictures the request carries; slow, so call it off the loop. Raises InvalidRequest."""
    if isinstance(request, CaptionRequest):
        from inference.images import open_picture

        open_picture(request.image, limits.upload_megapixels)


def megabytes(size: int) -> str:
    return f"{size / 10**6:.0f} MB"


def _imagine(request: ImagineRequest, limits: Limits) -> None:
    _text("prompt", request.prompt, limits.prompt_characters)
    if len(request.negative_prompt) > limits.prompt_characters:
        raise InvalidRequest(f"The negative prompt is longer than {limits.prompt_characters:,} characters.")
    for name, side in (("width", request.width), ("height", request.height)):
        if side:
            _within(name, side, 64, limits.side)
            if side % 8:
                raise InvalidRequest(f"The {name} must be a multiple of 8, for example {side // 8 * 8}.")
    if request.steps:
        _within("steps", request.steps, 1, limits.steps)
    if request.guidance is not None:
        _within("guidance", request.guidance, 0, 30)
    _within("count", request.count, 1, limits.pictures)
    _seed(request.seed)


def _text(name: str, text: str, longest: int) -> None:
    if not text.strip():
        raise InvalidRequest(f"The {name} is empty. Write something first.")
    if len(text) > longest:
        raise InvalidRequest(
            f"The {name} has {len(text):,} characters; {longest:,} is the most that this bot takes. Shorten it."
        )


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # also refuses NaN
        raise InvalidRequest(f"The {name} must be between {_number(least)} and {_number(most)}, not {_number(value)}.")


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _seed(seed: int | None) -> None:
    if seed is not None and not 0 <= seed < 2**32:
        raise InvalidRequest("The seed must be a whole number from 0 to 4294967295.")
