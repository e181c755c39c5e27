"""What a request must satisfy before it may queue: the operator's limits, in words people understand."""

from __future__ import annotations

import re
import unicodedata

from inference.blanks import has_blank
from inference.config import Config, Limits
from inference.errors import InvalidRequest, Phrase
from inference.regions import check_region
from inference.types import (
    AskRequest,
    CaptionRequest,
    CompleteRequest,
    ExplainRequest,
    FillRequest,
    ImagineRequest,
    Request,
    SentimentRequest,
    SummarizeRequest,
)
from inference.wording import readings

_VARIATIONS = 16
"""Turns of one picture's noise; each costs as much as drawing the noise anew."""


_STOPS = 4
_STOP_CHARACTERS = 64


def check_request(request: Request, config: Config) -> None:
    """All that can be told from memory, in microseconds; raises InvalidRequest."""
    limits = config.limits
    match request:
        case CompleteRequest():
            _text(Phrase("prompt"), request.prompt, limits.prompt_characters)
            _within(Phrase("length"), request.max_new_tokens, 1, limits.new_tokens)
            if request.temperature is not None:
                _within(Phrase("temperature"), request.temperature, 0, 5)
            _within(Phrase("top-p"), request.top_p, 0.01, 1)
            _within(Phrase("repetition penalty"), request.repetition_penalty, 1, 2)
            _within(Phrase("number of texts"), request.n, 1, limits.alternatives)
            _stops(request.stop)
            _seed(request.seed)
        case ExplainRequest():
            _text(Phrase("question"), request.question, limits.prompt_characters)
            if request.context:
                _text(Phrase("text to ask about"), request.context, limits.text_characters)
            _within(Phrase("length"), request.max_new_tokens, 1, limits.new_tokens)
        case FillRequest():
            _text(Phrase("text"), request.text, limits.prompt_characters)
            if not has_blank(request.text):
                raise InvalidRequest("There is no blank to fill. Write [MASK] or ___ where a word is missing.")
            _within(Phrase("number of words a blank"), request.top_k, 1, 100)
        case SummarizeRequest():
            _text(Phrase("text"), request.text, limits.text_characters)
        case AskRequest():
            _text(Phrase("question"), request.question, limits.prompt_characters)
            _text(Phrase("text to ask about"), request.context, limits.text_characters)
            _within(Phrase("number of alternatives"), request.alternatives, 0, 10)
        case CaptionRequest():
            _upload(request.image, limits)
        case ImagineRequest():
            _imagine(request, limits)
            _refuse_words(request.prompt, config.safety.words)
        case SentimentRequest():
            _texts(request.texts, limits)
        case _:
            raise TypeError(f"unknown request {type(request).__name__}")


def check_pictures(request: Request, limits: Limits) -> None:
    """Decode what pictures the request carries; slow, so call it off the loop. Raises InvalidRequest."""
    from inference.images import open_picture

    if isinstance(request, CaptionRequest):
        open_picture(request.image, limits.upload_megapixels)
    elif isinstance(request, ImagineRequest):
        for picture in filter(None, (request.image, request.mask)):
            open_picture(picture, limits.upload_megapixels)


def megabytes(size: int) -> str:
    return f"{size / 10**6:.0f} MB"


def _imagine(request: ImagineRequest, limits: Limits) -> None:
    _text(Phrase("prompt"), request.prompt, limits.prompt_characters)
    if len(request.negative_prompt) > limits.prompt_characters:
        raise InvalidRequest("The negative prompt is longer than {most:,} characters.", most=limits.prompt_characters)
    for name, side in ((Phrase("width"), request.width), (Phrase("height"), request.height)):
        if side:
            _within(name, side, 8, limits.side)
            if side % 8:
                raise InvalidRequest(
                    "The {name} must be a multiple of 8, for example {example}.", name=name, example=side // 8 * 8
                )
    if request.steps:
        _within(Phrase("steps"), request.steps, 1, limits.steps)
    if request.guidance is not None:
        _within(Phrase("guidance"), request.guidance, 0, 30)
    _within(Phrase("count"), request.count, 1, limits.pictures)
    _within(Phrase("temperature"), request.temperature, 0, 5)
    _within(Phrase("top-k"), request.top_k, 0, 100_000)
    _seed(request.seed)
    if len(request.variations) > _VARIATIONS:
        raise InvalidRequest(
            "A picture can be varied {most} times in a row at most. Vary an earlier one, or write a new prompt.",
            most=_VARIATIONS,
        )
    for variation in request.variations:
        _within(Phrase("strength of a variation"), variation.strength, 0, 1)
        _seed(variation.seed)
    _source(request, limits)


def _source(request: ImagineRequest, limits: Limits) -> None:
    """The picture to start from, and what belongs to it."""
    if not request.image and (request.mask or request.region or request.strength is not None):
        raise InvalidRequest("A mask, a region and a strength belong to a picture to start from. Add that picture.")
    if request.mask and request.region:
        raise InvalidRequest("Give a mask or a region, not both.")
    if request.strength is not None:
        _within(Phrase("strength"), request.strength, 0.01, 1)
    _upload(request.image, limits)
    _upload(request.mask, limits)
    if request.region:
        check_region(request.region)


def _stops(stops: tuple[str, ...]) -> None:
    if len(stops) > _STOPS or any(not 1 <= len(stop) <= _STOP_CHARACTERS for stop in stops):
        raise InvalidRequest(
            "A text can have up to {most} stop sequences of 1 to {characters} characters each.",
            most=_STOPS,
            characters=_STOP_CHARACTERS,
        )


def _upload(picture: bytes, limits: Limits) -> None:
    if len(picture) > limits.upload:
        raise InvalidRequest("This picture is larger than {most}. Send a smaller one.", most=megabytes(limits.upload))


def _refuse_words(prompt: str, words: tuple[str, ...]) -> None:
    """Whole words only, as models read them: a rule against "ass" says nothing of grass."""
    texts = readings(prompt)
    for word in words:
        phrase = r"\s+".join(map(re.escape, unicodedata.normalize("NFKC", word).split()))
        if any(re.search(rf"(?<!\w){phrase}(?!\w)", text, re.IGNORECASE) for text in texts):
            raise InvalidRequest("This bot's operator does not allow a word of this prompt. Write it in other words.")


def _text(name: Phrase, text: str, longest: int) -> None:
    if not text.strip():
        raise InvalidRequest("The {name} is empty. Write something first.", name=name)
    if len(text) > longest:
        raise InvalidRequest(
            "The {name} has {count:,} characters; {most:,} is the most that this bot takes. Shorten it.",
            name=name,
            count=len(text),
            most=longest,
        )


def _texts(texts: tuple[str, ...], limits: Limits) -> None:
    if not 1 <= len(texts) <= limits.messages:
        raise InvalidRequest("Give 1 to {most:,} texts, not {count:,}.", most=limits.messages, count=len(texts))
    for text in texts:
        _text(Phrase("text"), text, limits.prompt_characters)


def _within(name: Phrase, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # also refuses NaN
        raise InvalidRequest(
            "The {name} must be between {least:,.10g} and {most:,.10g}, not {value:,.10g}.",
            name=name,
            least=least,
            most=most,
            value=value,
        )


def _seed(seed: int | None) -> None:
    if seed is not None and not 0 <= seed < 2**32:
        raise InvalidRequest("The seed must be a whole number from 0 to 4294967295.")
