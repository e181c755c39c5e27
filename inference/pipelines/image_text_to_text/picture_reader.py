"""Captions and answers from one picture, by the model's own `generate`, so that they are those of transformers."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from jinja2 import TemplateError
from PIL import Image

from inference.images.decoding import open_picture
from inference.pipelines.causal_lm.detokenizer import IncrementalDetokenizer
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.picture_prompts import CAPTION_MESSAGE, IMAGE_TOKEN, MAX_CAPTION_TOKENS, PICTURE_PROMPTS
from inference.pipelines.pipeline import Batch, Job, is_out_of_memory, yield_to_others
from inference.pipelines.stopping_criteria import YieldPointCriteria
from inference.tasks import Answer, Caption, CaptionRequest, ChatAnswerRequest
from inference.types import Output, PartialText
from inference.types.errors import InvalidRequest, ModelUnavailable

log = logging.getLogger(__name__)

_MISFITS = (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)
"""What processors and models raise for inputs that they can't take. torch raises RuntimeError for other shapes."""


class PictureReader:
    """Describes pictures and answers questions about them with one model. `window` is its largest number of tokens."""

    def __init__(self, model: Any, processor: Any, tokenizer: Tokenizer, window: float = math.inf) -> None:
        self._model = model
        self._processor = processor
        self._tokenizer = tokenizer
        self._window = window
        self._prompt = PICTURE_PROMPTS.get(model.config.model_type)
        template = processor.chat_template or processor.tokenizer.chat_template
        # Without this, models that may think would write down their thoughts.
        self._template_options = {"enable_thinking": False} if "enable_thinking" in str(template) else {}
        if self._prompt is None and not template:
            raise ModelUnavailable(
                "This model has no chat template, so it is not known how to ask it about a picture. Its operator has "
                "to pick another one."
            )

    @torch.inference_mode()
    def read(self, batch: Batch, job: Job) -> Output:
        """Return the caption or the answer that `job` asks for. Its text is streamed."""
        match job.request:
            case CaptionRequest():
                message = CAPTION_MESSAGE if self._prompt is None else self._prompt.caption
                return Caption(self._generate(batch, job, job.request.image, message, MAX_CAPTION_TOKENS))
            case ChatAnswerRequest():
                text = self._generate(
                    batch, job, job.request.image, self._question(job.request), job.request.max_new_tokens
                )
                return Answer(text, 0.0, 0, 0, generated=True)
            case _:
                raise InvalidRequest("This model can't do {task}. Choose another one.", task=job.request.task)

    def _question(self, request: ChatAnswerRequest) -> str:
        question, context = self._escape(request.question), self._escape(request.context)
        text = f"Text:\n{context}\n\nQuestion: {question}" if context else question
        if self._prompt is None:
            return text
        if not self._prompt.question:
            raise InvalidRequest("This model only describes pictures. Choose one that answers questions.")
        return self._prompt.question.format(question=text)

    def _escape(self, text: str) -> str:
        """Break up special tokens, so that people can neither begin a new message nor add a place for a picture."""
        return self._tokenizer.escape(text).replace(IMAGE_TOKEN, "< image>")

    def _generate(self, batch: Batch, job: Job, file: bytes, message: str, max_new_tokens: int) -> str:
        picture = open_picture(file, max_megapixels=math.inf)  # the engine has checked the size
        size, inputs = picture.size, self._inputs(picture, message)
        del picture  # its memory is not needed while the model runs
        self._check_fits(inputs, max_new_tokens)
        stream = _Stream(self._tokenizer, lambda: yield_to_others(batch, job), lambda text: job.emit(PartialText(text)))
        with _misfits_explained(size):
            output = self._model.generate(
                **inputs, max_new_tokens=max_new_tokens, do_sample=False, stopping_criteria=[stream]
            )
        tokens = stream.tokens or output[0, stream.prompt_length :].tolist()
        return self._processor.tokenizer.decode(tokens, skip_special_tokens=True).strip()

    def _inputs(self, picture: Image.Image, message: str) -> dict[str, Any]:
        """Return the inputs of the model for a picture and a text."""
        with _misfits_explained(picture.size):
            if self._prompt is None:
                content = [{"type": "image", "image": picture}, {"type": "text", "text": message}]
                inputs = self._processor.apply_chat_template(
                    [{"role": "user", "content": content}],
                    add_generation_prompt=True,
                    tokenize=True,
                    return_dict=True,
                    return_tensors="pt",
                    **self._template_options,
                )
            else:
                inputs = self._processor(images=picture, text=message or None, return_tensors="pt")
            return dict(inputs.to(self._model.device, self._model.dtype))

    def _check_fits(self, inputs: dict[str, Any], max_new_tokens: int) -> None:
        tokens = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
        if tokens + max_new_tokens > self._window:
            raise InvalidRequest(
                "The picture and the question have {tokens:,} tokens together, and with {new:,} new ones this model "
                "takes {most:,}. Send a smaller picture, or ask for less.",
                tokens=tokens,
                new=max_new_tokens,
                most=self._window,
            )


class _Stream(YieldPointCriteria):
    """Emits the text so far after each token, and then calls `yield_point`. It follows one sequence, not beams."""

    def __init__(self, tokenizer: Tokenizer, yield_point: Callable[[], None], emit: Callable[[str], None]) -> None:
        super().__init__(yield_point)
        self.tokens: list[int] = []
        """The generated tokens; empty with several beams."""
        self.prompt_length = 0
        self._tokenizer = tokenizer
        self._detokenizer: IncrementalDetokenizer | None = None
        self._emit = emit

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **options: Any) -> torch.Tensor:  # type: ignore[override]
        if self._detokenizer is None:
            self.prompt_length = input_ids.shape[1] - 1
            self._detokenizer = IncrementalDetokenizer(self._tokenizer, input_ids[0, :-1].tolist())
        if len(input_ids) == 1:
            self.tokens.append(int(input_ids[0, -1]))
            before = self._detokenizer.text
            self._detokenizer.add(self.tokens[-1])
            if self._detokenizer.text != before:
                self._emit(self._detokenizer.text.lstrip())
        return super().__call__(input_ids, scores, **options)


@contextmanager
def _misfits_explained(size: tuple[int, int]) -> Generator[None]:
    """Convert errors of templates and processors, and of models whose files don't fit together."""
    try:
        yield
    except TemplateError as error:
        log.warning("a chat template refused a message with a picture", exc_info=error)
        raise ModelUnavailable(
            "This model's chat template refuses messages with a picture. Choose another model; the bot's operator "
            "finds the reason in the log."
        ) from error
    except _MISFITS as error:
        if isinstance(error, RuntimeError) and (type(error) is not RuntimeError or is_out_of_memory(error)):
            raise  # memory ran out, or the device failed
        log.warning("a picture of %s × %s pixels was refused", *size, exc_info=error)
        raise ModelUnavailable(
            "This model can't take this picture of {width:,} × {height:,} pixels. Send one of another size or shape, "
            "or choose another model; the bot's operator finds the reason in the log.",
            width=size[0],
            height=size[1],
        ) from error
