"""Test that requests, events, results and errors survive a round trip through JSON and pickle."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any, Generic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.serialization import from_json, to_json
from inference.tasks import TASKS, CheckedRequest, CompleteRequest
from inference.types import GGUFSummary, Loading, ModelSpec, Output, PartialText, Progress, Queued, Result, Started
from inference.types.errors import InferenceError, InvalidRequest, OperatorStep, Overloaded, Phrase

_NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name not in ("retry_after", "self"))
_NUMBERS = st.integers() | st.floats(allow_nan=False)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def phrases(depth: int = 1) -> st.SearchStrategy[Phrase]:
    """Generate phrases with numbers, texts and other phrases as values."""
    values: st.SearchStrategy[Any] = _NUMBERS | _TEXTS
    if depth:
        values |= phrases(depth - 1)

    def build(kind: type[Phrase], values: dict[str, Any]) -> Phrase:
        return kind(" ".join(f"{{{name}}}" for name in values) or "nothing {here}", **values)

    return st.builds(build, st.sampled_from([Phrase, OperatorStep]), st.dictionaries(_NAMES, values, max_size=3))


def errors() -> Iterator[st.SearchStrategy[InferenceError]]:
    """Yield a strategy for each class of error, with the sentence and the values of a phrase."""

    def subclasses(kind: type[InferenceError]) -> Iterator[type[InferenceError]]:
        yield kind
        for subclass in kind.__subclasses__():
            yield from subclasses(subclass)

    for kind in subclasses(InferenceError):

        def build(phrase: Phrase, seconds: float, kind: type[Any] = kind) -> InferenceError:
            more: dict[str, Any] = {"retry_after": seconds} if kind is Overloaded else {}
            values: dict[str, Any] = more | phrase.values
            return kind(phrase.sentence, **values)

        yield st.builds(build, phrases(), st.floats(allow_nan=False))


st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(str, _TEXTS)
st.register_type_strategy(Phrase, phrases())
OUTPUTS = st.one_of(*(st.from_type(task.output) for task in TASKS))
REQUESTS = st.one_of(*(st.from_type(kind) for task in TASKS for kind in task.requests))
EVENTS = st.one_of(
    *(st.from_type(kind) for kind in (Queued, Loading, Started, Progress, PartialText)), st.builds(Result, OUTPUTS)
)
CHECKED = st.builds(CheckedRequest, REQUESTS, st.from_type(ModelSpec), st.frozensets(_TEXTS))


def state(value: object) -> Any:
    """Return the complete state of a phrase or an error, including what `==` ignores."""
    if isinstance(value, Phrase):
        return type(value), str(value), value.sentence, {name: state(each) for name, each in value.values.items()}
    if isinstance(value, InferenceError):
        return type(value), str(value), {name: state(each) for name, each in vars(value).items()}
    if isinstance(value, dict):
        return {name: state(each) for name, each in value.items()}
    return value


def test_a_request_for_a_gguf_file_survives_a_round_trip() -> None:
    spec = ModelSpec(name="a", task="complete", repo="a", gguf=GGUFSummary("llama", 7))
    checked = CheckedRequest(CompleteRequest(prompt="Once"), spec)
    assert from_json(to_json(checked), CheckedRequest) == checked


@given(st.one_of(REQUESTS, OUTPUTS, EVENTS, CHECKED))
def test_requests_results_and_events_survive_a_round_trip(value: Any) -> None:
    assert from_json(to_json(value), type(value)) == value
    assert pickle.loads(pickle.dumps(value)) == value


@given(phrases())
def test_a_phrase_survives_a_round_trip_with_its_sentence_and_values(phrase: Phrase) -> None:
    assert state(from_json(to_json(phrase), Phrase)) == state(phrase)
    assert state(pickle.loads(pickle.dumps(phrase))) == state(phrase)


@pytest.mark.parametrize("kind", errors())
def test_an_error_survives_a_round_trip_with_its_class_message_and_id(kind: st.SearchStrategy[InferenceError]) -> None:
    @given(kind)
    def check(error: InferenceError) -> None:
        assert state(from_json(to_json(error), InferenceError)) == state(error)
        assert state(pickle.loads(pickle.dumps(error))) == state(error)

    check()


@given(st.from_type(next(task.output for task in TASKS if task.name == "imagine")))
def test_the_note_of_an_image_result_survives_a_round_trip(result: Any) -> None:
    assert state(from_json(to_json(result), Output).note) == state(result.note)  # type: ignore[attr-defined]


def test_every_dataclass_of_a_task_is_in_the_registry() -> None:
    for task in TASKS:
        listed = {*task.requests, task.output, *task.parts}
        module = import_module(f"inference.tasks.{task.name}")
        shared = {task.output} if task.output.__module__ != module.__name__ else set[type]()  # with another task
        dataclasses_of_module = {
            kind
            for kind in vars(module).values()
            if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
        }
        assert dataclasses_of_module | shared == listed, task.name


def test_error_values_that_cannot_be_serialized_are_stored_as_text() -> None:
    error = InvalidRequest("{file} can't be read.", file=Generic)
    assert error.values == {"file": str(Generic)}


def test_a_value_of_an_unexpected_type_is_refused() -> None:
    with pytest.raises(TypeError, match="CompleteRequest is no Output"):
        from_json(to_json(CompleteRequest(prompt="x")), Output)
    with pytest.raises(TypeError, match="object can't be written"):
        to_json(object())
    with pytest.raises(ValueError, match="no type 'Nothing'"):
        from_json('{"type": "Nothing"}', Output)


@pytest.mark.parametrize(
    "text",
    ['{"type": "bytes"}', '{"type": "Progress"}', '{"type": "Phrase", "sentence": "{a}"}', "nothing"],
)
def test_damaged_data_raises_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text, Output)


def test_unknown_fields_are_ignored_and_missing_fields_get_their_default() -> None:
    older = '{"type": "CompleteRequest", "prompt": "x", "gone": 1}'
    assert from_json(older, CompleteRequest) == CompleteRequest(prompt="x")
