"""Test the configuration file: its valid contents, and how mistakes are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.config.loading import load_config
from inference.config.problems import ConfigError
from inference.config.schema import Config
from inference.tasks import TASK_NAMES
from inference.types.errors import InvalidRequest

SHIPPED = Path(__file__).parents[3] / "config.yaml"


def load(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "config.yaml")


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return caught.value.problems


def test_the_default_config_file_has_a_model_for_every_task_but_edits_and_enlarging() -> None:
    config = load_config(SHIPPED)
    assert [task for task in TASK_NAMES if not config.specs(task)] == ["edit", "upscale"]
    assert config.specs("complete")[0].name == "gpt2-large"


def test_an_empty_file_gives_the_defaults_and_no_models(tmp_path: Path) -> None:
    config = load(tmp_path, "# nothing yet\n")
    assert config.limits == Config().limits
    assert config.specs("complete") == ()


def test_a_model_is_a_string_or_a_map_and_its_default_name_is_the_last_part_of_its_id(tmp_path: Path) -> None:
    first, second = load(
        tmp_path,
        """
        models:
          complete:
            - openai-community/gpt2
            - {repo: facebook/opt-350m, name: opt, revision: v1, dtype: float32, device: "cuda:1"}
        """,
    ).specs("complete")
    assert (first.name, first.repo, first.task) == ("gpt2", "openai-community/gpt2", "complete")
    assert (second.name, second.revision, second.dtype, second.device) == ("opt", "v1", "float32", "cuda:1")


def test_max_batch_size_is_left_to_the_device_unless_the_file_sets_it(tmp_path: Path) -> None:
    config = load(tmp_path, "models: {imagine: [org/a, {repo: org/b, max_batch_size: 4}]}")
    assert [spec.max_batch_size for spec in config.specs("imagine")] == [None, 4]
    assert "max_batch_size" in problems(tmp_path, "models: {imagine: [{repo: org/b, max_batch_size: 9}]}")[0]


def test_a_model_inherits_device_and_dtype_from_the_top_level(tmp_path: Path) -> None:
    (spec,) = load(tmp_path, "device: cpu\ndtype: bfloat16\nmodels: {fill: [org/a]}").specs("fill")
    assert (spec.device, spec.dtype) == ("cpu", "bfloat16")


def test_folders_are_relative_to_the_config_file(tmp_path: Path) -> None:
    config = load(tmp_path, "data: mine\nmodels: {fill: [./bert], mood: [/srv/mood/]}")
    assert config.data == tmp_path / "mine"
    assert config.specs("fill")[0].repo == str(tmp_path / "bert")
    assert (config.specs("mood")[0].repo, config.specs("mood")[0].name) == ("/srv/mood", "mood")


def test_a_path_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config.yaml").write_text("data: ~/mine\nloras: ~/styles\nmodels: {fill: [~/bert]}")
    config = load_config(Path("~/config.yaml"))
    assert (config.data, config.loras) == (tmp_path / "mine", tmp_path / "styles")
    assert config.specs("fill")[0].repo == str(tmp_path / "bert")


def test_sizes_have_a_unit(tmp_path: Path) -> None:
    config = load(tmp_path, "memory: 1.5 GiB\nlimits: {upload: 10MB}")
    assert (config.memory, config.limits.upload) == (3 * 2**29, 10**7)


@pytest.mark.parametrize("size", ["12", "'12'", "12.5", "12000000000"])
def test_a_size_without_a_unit_is_refused(tmp_path: Path, size: str) -> None:
    (problem,) = problems(tmp_path, f"memory: {size}")
    assert problem == (
        f"line 1, memory: must be auto, or a size like 500 MB or 12 GiB, not {size}. "
        "A number needs a unit: MB, GB, MiB or GiB"
    )


@pytest.mark.parametrize("size", ["lots", "1.2.3 GB", "-1 GB", "0 GB", "12 TB"])
def test_an_invalid_size_is_refused(tmp_path: Path, size: str) -> None:
    (problem,) = problems(tmp_path, f"memory: '{size}'")
    assert problem == f"line 1, memory: must be auto, or a size like 500 MB or 12 GiB, not {size!r}"


def test_all_problems_are_reported_together_with_their_keys(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        limits: {queue: many, stpes: 3, batch: 0}
        models:
          fill: [org/bert, not an id]
          paint: [org/sd]
        device: gpu
        typo: 1
        """,
    )
    assert sorted(line.split(", ")[1].split(":")[0] for line in found) == [
        "device",
        "limits.batch",
        "limits.queue",
        "limits.stpes",
        "models.fill[1].repo",
        "models.paint",
        "typo",
    ]


def test_two_models_of_a_task_with_the_same_name_are_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "models: {fill: [a/bert, b/bert]}")
    assert problem == "line 1, models.fill: several models are called bert. Give each another `name`"


def test_two_tasks_can_use_the_same_model(tmp_path: Path) -> None:
    config = load(tmp_path, "models: {complete: [org/lm], ask: [org/lm]}")
    assert config.specs("complete")[0].key == config.specs("ask")[0].key


@pytest.mark.parametrize("text", ["- a list", "just words", "3"])
def test_a_file_that_is_not_a_map_is_refused(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("line 1: the file must have lines like `key: value`, not ")


@pytest.mark.parametrize("text", ["models: [", "a: b: c", "\x00"])
def test_a_file_that_is_not_yaml_is_reported_in_one_line(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("line 1, column ")
    assert "\n" not in problem


def test_a_missing_file_a_folder_or_a_binary_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "config.yaml")
    with pytest.raises(ConfigError, match="it is a folder, and must be a file"):
        load_config(tmp_path)
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="line 1: a character is not UTF-8"):
        load_config(tmp_path / "config.yaml")


# --- models that are not in the file ---------------------------------------------------------


@pytest.mark.parametrize("listed", ["gpt2", "openai-community/gpt2"])
def test_adding_a_configured_model_changes_nothing(tmp_path: Path, listed: str) -> None:
    config = load(tmp_path, "models: {complete: [openai-community/gpt2]}")
    assert config.with_model("complete", listed) is config


def test_a_new_model_is_added_last_with_its_whole_id_as_its_name(tmp_path: Path) -> None:
    config = load(tmp_path, "models: {complete: [openai-community/gpt2], fill: [org/bert]}")
    added = config.with_model("complete", "someone/gpt2")
    assert [spec.name for spec in added.specs("complete")] == ["gpt2", "someone/gpt2"]
    assert added.specs("fill") == config.specs("fill")


def test_a_new_model_folder_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (spec,) = Config().with_model("fill", "./bert").specs("fill")
    assert (spec.name, spec.repo) == ("./bert", str(tmp_path / "bert"))


def test_a_model_that_is_neither_a_hub_id_nor_a_folder_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'a b' is neither a hub id like org/name nor a folder"):
        Config().with_model("fill", "a b")


def test_a_diffusion_model_has_steps_sampler_and_size_of_its_own(tmp_path: Path) -> None:
    entry = "{repo: org/a, steps: 6, sampler: Euler a, size: 768x512}"
    first, second = load(tmp_path, f"models: {{imagine: [{entry}, {{repo: org/b, size: 640}}]}}").specs("imagine")
    assert (first.steps, first.sampler, first.size) == (6, "Euler a", (768, 512))
    assert (second.steps, second.sampler, second.size) == (0, "", (640, 640))


@pytest.mark.parametrize("option", ["size: 500", "size: big", "size: 0x512", "sampler: Heun", "steps: 200"])
def test_a_diffusion_model_can_not_have_just_any_size_sampler_or_steps(tmp_path: Path, option: str) -> None:
    (problem,) = problems(tmp_path, f"models: {{imagine: [{{repo: org/b, {option}}}]}}")
    assert option.split(":")[0] in problem


def test_a_file_outside_of_the_repository_is_found_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    config = load(tmp_path, "models: {imagine: [{repo: org/a, file: ./b.gguf}, {repo: org/c, file: d.gguf}]}")
    assert [spec.file for spec in config.specs("imagine")] == [str(tmp_path / "b.gguf"), "d.gguf"]
