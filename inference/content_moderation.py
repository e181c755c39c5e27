"""Checks by the operator's classifiers: of what people send, before a model gets it, and of what models make.

A check is a short request to the same backend. Without a verdict, nothing goes in or out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.backends.backend import Backend, Listener, Ticket
from inference.config.schema import Config
from inference.limits import ClassifierEntry
from inference.tasks import (
    Classification,
    ClassifyPicturesRequest,
    ClassifyTextsRequest,
    GeneratedImage,
    ImageResult,
    ImagineRequest,
    Request,
)
from inference.text.objected_labels import objected_labels
from inference.text.sentences import sentences
from inference.types import Event, Loading, ModelSpec, PartialText, Progress, Result
from inference.types.errors import (
    GenerationFailed,
    InferenceError,
    InvalidRequest,
    ModelUnavailable,
    OutputWithheld,
    Phrase,
)

_CONTEXT = 2000
"""While a text grows, what is new is checked with so many characters before it; when it has ended, all of it."""


@dataclass(frozen=True, slots=True)
class _Classifier:
    """A classifier and the probability from which it objects."""

    spec: ModelSpec
    threshold: float

    def objections(self, found: Classification) -> tuple[bool, ...]:
        """Return for each text or picture whether the classifier objects to it."""
        objected = objected_labels(found.labels, self.spec.labels)
        assert objected, "a model without such labels is not loaded"
        return tuple(probability >= self.threshold for probability in found.objections(objected))


def _classifier(spec: ModelSpec | None, entry: ClassifierEntry | None) -> _Classifier | None:
    return _Classifier(spec, entry.threshold) if spec and entry else None


class ContentModeration:
    """Schedules requests on a backend, with checks of what goes in and out."""

    def __init__(self, config: Config, backend: Backend) -> None:
        self._backend = backend
        self._pictures = _classifier(config.picture_classifier, config.safety.pictures)
        self._texts = _classifier(config.text_classifier, config.safety.texts)

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str) -> Ticket:
        """Like `Backend.schedule`. Errors may also reach the listener: InvalidRequest, OutputWithheld, Overloaded."""
        if self._pictures is None and self._texts is None:
            return self._backend.schedule(spec, request, listener, request_id)
        moderated = _ModeratedRequest(self, spec, request, listener, request_id)
        moderated.start()
        return moderated

    def run(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str) -> Ticket:
        """Queue a request without checks."""
        if self._pictures and isinstance(request, ImagineRequest):
            request = replace(request, has_classifier=True)
        return self._backend.schedule(spec, request, listener, request_id)

    def classify_texts(self, texts: Sequence[str], check: _Check) -> Ticket | None:
        """Classify the texts. Return None if there are none to classify."""
        found = tuple(text for text in texts if text.strip())
        if self._texts is None or not found:
            return None
        return self._classify(self._texts, ClassifyTextsRequest(texts=found), check)

    def classify_pictures(self, pictures: Sequence[bytes], check: _Check) -> Ticket | None:
        """Classify the pictures. Return None if there are none to classify."""
        if self._pictures is None or not pictures:
            return None
        return self._classify(self._pictures, ClassifyPicturesRequest(pictures=tuple(pictures)), check)

    def _classify(self, classifier: _Classifier, request: Request, check: _Check) -> Ticket:
        def listen(event: Event | InferenceError) -> None:
            match event:
                case Result(output=Classification() as found):
                    check.on_verdict(classifier.objections(found))
                case InferenceError():
                    check.on_error(_without_verdict(event))
                case Loading():
                    check.on_loading(event)
                case _:
                    pass

        return self._backend.schedule(classifier.spec, request, listen, check.request_id)


@dataclass(frozen=True, slots=True)
class _Check:
    """What to do with the verdict of a classifier: for each text or picture whether it objects.

    `request_id` names the request that is checked.
    """

    request_id: str
    on_verdict: Callable[[tuple[bool, ...]], None]
    on_error: Callable[[InferenceError], None]
    on_loading: Callable[[Loading], None]


class _ModeratedRequest:
    """Implements `Ticket` for a request with its checks. At most one check and the request itself are running.

    What people send is checked first; then the request is queued. A growing text is passed on up to the last sentence
    that was checked, and a preview once it was checked. The result comes last.
    """

    def __init__(
        self, moderation: ContentModeration, spec: ModelSpec, request: Request, listener: Listener, request_id: str
    ) -> None:
        self._moderation = moderation
        self._spec = spec
        self._request = request
        self._listener = listener
        self._id = request_id
        self._ended = False
        self._running: Ticket | None = None
        self._check: Ticket | None = None
        self._checks = 0
        """The number of checks that were started. Verdicts of earlier ones no longer count."""
        self._text = PartialText("")
        """The newest state of the growing text."""
        self._passed_on = PartialText("")
        """What was passed on of it."""
        self._progress: Progress | None = None
        self._result: Result | None = None

    def start(self) -> None:
        """Check what people send, first the texts."""
        texts = self._request.given_texts()
        self._start_check(
            lambda check: self._moderation.classify_texts(texts, check),
            lambda objections: self._refuse_text() if any(objections) else self._check_given_pictures(),
        )

    @property
    def units(self) -> int:
        return self._running.units if self._running else 0

    @property
    def device(self) -> str:
        return self._running.device if self._running else ""

    def cancel(self) -> None:
        self._ended = True
        for ticket in (self._check, self._running):
            if ticket:
                ticket.cancel()

    def _check_given_pictures(self) -> None:
        pictures = self._request.given_pictures()
        self._start_check(
            lambda check: self._moderation.classify_pictures(pictures, check),
            lambda objections: self._refuse_picture() if any(objections) else self._queue(),
        )

    def _queue(self) -> None:
        try:
            self._running = self._moderation.run(self._spec, self._request, self._receive, self._id)
        except InferenceError as error:
            self._end(error)

    def _receive(self, event: Event | InferenceError) -> None:
        """Take an event of the request."""
        match event:
            case _ if self._ended:
                pass
            case Result():
                self._result = event
                self._check_written_texts(event)
            case InferenceError():
                self._end(event)
            case PartialText():
                self._text = event
                self._check_growing_text()
            case Progress(preview=bytes() as preview):
                self._progress = replace(event, preview=None)
                self._listener(self._progress)
                self._check_preview(preview)
            case Progress():
                self._progress = event
                self._listener(event)
            case _:
                self._listener(event)

    def _check_growing_text(self) -> None:
        """Check the text, or the thoughts before it, up to the last complete sentence.

        Another check waits until this one has ended.
        """
        if self._check or self._result:
            return
        text = _up_to_complete_sentence(self._text)
        unchecked = [
            new for new in (_new(text.thoughts, self._passed_on.thoughts), _new(text.text, self._passed_on.text)) if new
        ]
        if not unchecked:
            return

        def pass_on(objections: tuple[bool, ...]) -> None:
            if any(objections):
                self._withhold()
                return
            self._passed_on = text
            self._listener(text)
            self._check_growing_text()

        self._start_check(lambda check: self._moderation.classify_texts(unchecked, check), pass_on)

    def _check_preview(self, preview: bytes) -> None:
        """Check a preview, and pass it on with the newest progress. While a check is running, others are left out."""
        if self._check or self._result:
            return

        def pass_on(objections: tuple[bool, ...]) -> None:
            if not any(objections) and self._progress:
                self._listener(replace(self._progress, preview=preview))

        self._start_check(lambda check: self._moderation.classify_pictures([preview], check), pass_on)

    def _check_written_texts(self, result: Result) -> None:
        texts = result.output.written_texts()
        self._start_check(
            lambda check: self._moderation.classify_texts(texts, check),
            lambda objections: self._withhold() if any(objections) else self._check_drawn_pictures(result),
        )

    def _check_drawn_pictures(self, result: Result) -> None:
        output = result.output
        if not isinstance(output, ImageResult):
            self._end(result)
            return
        drawn = [picture for picture in output.pictures if picture.png and not picture.flagged]

        def pass_on(objections: tuple[bool, ...]) -> None:
            flagged = {id(picture) for picture, objects in zip(drawn, objections, strict=False) if objects}
            pictures = tuple(self._flag(each) if id(each) in flagged else each for each in output.pictures)
            self._end(Result(replace(output, pictures=pictures)))

        self._start_check(
            lambda check: self._moderation.classify_pictures([picture.png for picture in drawn], check), pass_on
        )

    def _flag(self, picture: GeneratedImage) -> GeneratedImage:
        """Treat the picture as if the safety checker of its model had flagged it."""
        shown = isinstance(self._request, ImagineRequest) and self._request.show_flagged
        return replace(picture, flagged=True, png=picture.png if shown else b"")

    def _start_check(
        self, classify: Callable[[_Check], Ticket | None], on_verdict: Callable[[tuple[bool, ...]], None]
    ) -> None:
        """Start a check in place of the one that is running, and pass its verdict on.

        If there is nothing to check, or no classifier for it, it objects to nothing.
        """
        if self._check:
            self._check.cancel()
        self._checks += 1
        number = self._checks

        def is_newest() -> bool:
            return number == self._checks and not self._ended

        def receive(objections: tuple[bool, ...]) -> None:
            if is_newest():
                self._check = None
                on_verdict(objections)

        def fail(error: InferenceError) -> None:
            if is_newest():
                self._end(error)

        def show(event: Loading) -> None:
            if is_newest() and not self._running:
                self._listener(event)

        try:
            self._check = classify(_Check(self._id, receive, fail, show))
        except InferenceError as error:
            self._end(_without_verdict(error))
            return
        if self._check is None:
            receive(())

    def _refuse_text(self) -> None:
        self._end(
            InvalidRequest("The bot's classifier objects to this text, so no model gets it. Write it in other words.")
        )

    def _refuse_picture(self) -> None:
        self._end(
            InvalidRequest("The bot's classifier objects to this picture, so no model gets it. Choose another picture.")
        )

    def _withhold(self) -> None:
        self._end(
            OutputWithheld(
                "The bot's classifier objects to what the model wrote, so it is not shown. Try again, or write it in "
                "other words."
            )
        )

    def _end(self, event: Result | InferenceError) -> None:
        if not self._ended:
            self.cancel()
            self._listener(event)


def _up_to_complete_sentence(partial: PartialText) -> PartialText:
    """Return what can be checked of a growing text: without the last sentence. Thoughts have ended once it begins."""
    thoughts = partial.thoughts if partial.text else _complete_sentences(partial.thoughts)
    return replace(partial, text=_complete_sentences(partial.text), thoughts=thoughts)


def _new(text: str, passed_on: str) -> str:
    """Return the end of `text` that was not passed on yet, with some characters before it; empty if there is none."""
    return text[max(0, len(passed_on) - _CONTEXT) :] if len(text) > len(passed_on) else ""


def _complete_sentences(text: str) -> str:
    """Return the text without its last sentence, which may go on."""
    return "".join(sentences(text)[:-1])


def _without_verdict(error: InferenceError) -> InferenceError:
    """Return the error of a request that could not be checked. Errors of the model say what they stop."""
    if not isinstance(error, ModelUnavailable | GenerationFailed):
        return error
    wrapped = ModelUnavailable(
        "What goes in and out here is checked by a classifier, which can't be used now. {reason}",
        reason=Phrase(error.sentence, **error.values),
    )
    wrapped.error_id, wrapped.__cause__ = error.error_id, error.__cause__
    return wrapped
