"""Test that a damaged or odd model ends in a sentence when it is loaded, and not in "try again"."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference.pipelines.pipeline import wrap_library_errors
from inference.tasks import CompleteRequest, Message
from inference.types.errors import InvalidRequest, ModelUnavailable
from tests.inference.pipelines.harness import run
from tests.inference.pipelines.tiny_causal import CHAT, load, save_causal


def refusal(folder: Path) -> str:
    """Return the sentence for a model that can't be loaded."""
    with pytest.raises(ModelUnavailable) as raised, wrap_library_errors(loading="tiny"):
        load(folder)
    return raised.value.user_message


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    assert "do not fit its config.json" in refusal(folder)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    save_causal(tmp_path / "gpt2", "gpt2")
    folder = save_causal(tmp_path / "llama", "llama")
    (tmp_path / "gpt2/model.safetensors").replace(folder / "model.safetensors")
    assert "lack a part that its config.json describes" in refusal(folder)


@pytest.mark.parametrize("size", [0, 4, 5000])
def test_weights_that_are_cut_off_are_named(tmp_path: Path, size: int) -> None:
    file = save_causal(tmp_path, "llama") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    assert "The file model.safetensors of this model is damaged" in refusal(file.parent)


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert "no tokenizer that can be read" in refusal(folder)


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    folder = save_causal(tmp_path, "llama")
    (folder / "tokenizer.json").write_text("{")
    assert "no tokenizer that can be read" in refusal(folder)


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('no') }}", "{% for %}", "{{ messages[0].content.nothing() }}"]
)
def test_a_template_that_never_works_is_refused_at_load(tmp_path: Path, template: str) -> None:
    assert "chat template of this model does not work" in refusal(save_causal(tmp_path, "llama", chat=template))


def test_a_conversation_that_the_template_refuses_is_not_the_bots_fault(tmp_path: Path) -> None:
    strict = "{% if messages | length > 2 %}{{ raise_exception('too many') }}{% endif %}" + CHAT
    model = load(save_causal(tmp_path, "llama", chat=strict))
    history = (Message("user", "the dog"), Message("assistant", "the cat"))
    (refused, fine) = run(model, CompleteRequest(prompt="a", messages=history), CompleteRequest(prompt="a"))
    assert isinstance(refused, InvalidRequest)
    assert "too many" in refused.user_message
    assert not isinstance(fine, Exception)


def test_a_template_that_wants_content_in_parts_gets_it(tmp_path: Path) -> None:
    parts = CHAT.replace("{{ m['content'] }}", "{% for p in m['content'] %}{{ p['text'] }}{% endfor %}")
    wants_parts, wants_text = (
        load(save_causal(tmp_path / "a", "llama", chat=parts)),
        load(save_causal(tmp_path / "b", "llama", chat=CHAT)),
    )
    request = CompleteRequest(prompt="the dog", max_new_tokens=5, temperature=0)
    assert run(wants_parts, request) == run(wants_text, request)


def test_a_template_that_leaves_out_what_people_write_is_refused(tmp_path: Path) -> None:
    assert "leaves out what people write" in refusal(save_causal(tmp_path, "llama", chat="assistant:"))
