"""Test what is chosen for a diffusion model that does not fit into the memory."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from inference.backends.memory_steps import chosen_options, first_that_fits, memory_steps
from inference.backends.model_check import expected_bytes, fitted
from inference.backends.model_manager import ModelManager
from inference.config.models import ModelEntry
from inference.config.schema import Config
from inference.hub import loaded_size
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.main_memory import main_memory_budget
from inference.pipelines.text_to_image.loading import models_of, read_pipeline
from inference.pipelines.weights import weight_bytes
from inference.types import ModelSpec, Offload
from inference.types.errors import ModelUnavailable
from inference.types.sizes import size_text
from tests.inference.pipelines.text_to_image.tiny_families import tiny_pipeline
from tests.inference.pipelines.text_to_image.tiny_pipeline import CPU

AUTO = ModelSpec(name="tiny", task="imagine", repo="org/tiny", device="cpu", dtype="float32")


def steps(device: str, **options: object) -> list[str]:
    spec = ModelSpec(name="tiny", task="imagine", repo="org/tiny", **options)  # type: ignore[arg-type]
    return [f"{step.offload} {step.quantize}" for step in memory_steps(spec, device)]


# --- the choice --------------------------------------------------------------------------------


def test_offload_comes_first_then_8_bits_then_4() -> None:
    assert steps("cpu") == ["none none", "model none", "none int8", "none int4"]
    assert steps("cuda") == [
        f"{offload} {quantize}" for quantize in ("none", "int8", "int4") for offload in ("none", "model", "group")
    ]


def test_what_the_operator_has_set_stays() -> None:
    assert steps("cpu", offload="none") == ["none none"]
    assert steps("cpu", offload="model") == ["model none"]
    assert steps("cpu", quantize="fp8") == ["none fp8"]
    assert steps("cuda", quantize="int4") == ["none int4", "model int4", "group int4"]
    assert steps("cpu", runtime="openvino") == ["auto none"]


def test_a_model_that_has_loras_is_quantized_only_if_the_operator_says_so(tmp_path: Path) -> None:
    assert steps("cpu", loras=str(tmp_path)) == steps("cpu"), "no file yet"
    (tmp_path / "style.safetensors").touch()
    assert steps("cpu", loras=str(tmp_path)) == ["none none", "model none"]
    assert steps("cuda", loras=str(tmp_path)) == ["none none", "model none", "group none"]
    assert steps("cpu", loras=str(tmp_path), quantize="int8") == ["none int8"]


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (100, "none none"),
        (99, "model none"),
        (70, "model none"),
        (69, "none int8"),
        (49, "none int4"),
        (1, "none int4"),
    ],
)
def test_the_first_that_fits_is_chosen_or_else_the_smallest(allowed: int, expected: str) -> None:
    sizes = {"none none": 100, "model none": 70, "none int8": 50, "none int4": 30}
    step, size = first_that_fits(memory_steps(AUTO, "cpu"), lambda s: sizes[f"{s.offload} {s.quantize}"], allowed)
    assert f"{step.offload} {step.quantize}" == expected
    assert size == sizes[expected]


def test_what_was_chosen_is_told_as_options() -> None:
    told = [chosen_options(AUTO, step) for step in memory_steps(AUTO, "cuda")]
    assert told[:3] == ["", "offload: model", "offload: group"]
    assert told[4] == "offload: model, quantize: int8"


# --- a model -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flux")
    tiny_pipeline("FLUX").save_pretrained(folder)
    return folder


def config_of(folder: Path, data: Path, memory: int, **options: object) -> Config:
    entry = ModelEntry(repo=str(folder), name="tiny", **options)  # type: ignore[arg-type]
    config = Config(models={"imagine": (entry,)}, device=("cpu",), dtype="float32", data=data)
    return config.model_copy(update={"memory": memory})  # to the byte, which no file can say


def sizes_of(folder: Path) -> dict[str, int]:
    """Return the expected size of each step."""
    nbytes = loaded_size(folder)
    return {
        f"{step.offload} {step.quantize}": expected_bytes(step, folder, nbytes, 4, "cpu")
        for step in memory_steps(AUTO, "cpu")
    }


def test_a_model_that_fits_is_loaded_as_it_is(folder: Path) -> None:
    step, size = fitted(AUTO, folder, loaded_size(folder), 4, "cpu", 10**12)
    assert (step.offload, step.quantize) == ("none", "none")
    assert size == sizes_of(folder)["none none"]


def test_a_model_that_would_not_fit_is_loaded_with_help_and_the_log_and_the_status_say_so(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(folder, tmp_path, sizes_of(folder)["none none"] - 1)
    (spec,) = config.specs("imagine")
    models = ModelManager("cpu", config, Hub(config))
    assert models.chosen_options(spec) == ""
    caplog.set_level(logging.INFO)
    with models.lease(spec, ignore_progress) as pipeline:
        assert pipeline.nbytes < weight_bytes(*models_of(read_pipeline(folder, CPU)))
    assert models.chosen_options(spec) == "offload: model"
    assert "tiny would not fit" in caplog.text
    assert "it is loaded with offload: model" in caplog.text


def test_a_model_that_nothing_helps_is_refused_with_the_sizes(folder: Path, tmp_path: Path) -> None:
    smallest = min(sizes_of(folder).values())
    config = config_of(folder, tmp_path, smallest - 1)
    (spec,) = config.specs("imagine")
    with pytest.raises(ModelUnavailable, match=r"needs about .* of memory, or .* with `offload: model`, and the"):
        ModelManager("cpu", config, Hub(config)).check(spec, config, probe=False)


def test_without_offload_such_a_model_is_refused_as_before(folder: Path, tmp_path: Path) -> None:
    config = config_of(folder, tmp_path, sizes_of(folder)["none none"] - 1, offload="none")
    (spec,) = config.specs("imagine")
    with pytest.raises(ModelUnavailable, match=r"needs about [^,]* of memory, and the bot may use"):
        ModelManager("cpu", config, Hub(config)).check(spec, config, probe=False)


# --- main memory beside a GPU ------------------------------------------------------------------

HUGE = 10**15  # more than the main memory of any machine


@pytest.fixture(scope="module")
def settings(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder without weights, as before the download."""
    settings = tmp_path_factory.mktemp("settings") / "flux"
    return copytree(folder, settings, ignore=ignore_patterns("*.safetensors"))


def huge(offload: Offload) -> ModelSpec:
    files = (("transformer/diffusion_pytorch_model.safetensors", HUGE),)
    return replace(AUTO, device="cuda", offload=offload, weight_files=files)


def test_offload_is_not_chosen_for_networks_that_main_memory_can_not_hold(settings: Path) -> None:
    in_groups = expected_bytes(huge("group"), settings, HUGE, 4, "cuda")
    allowed = HUGE // 5
    assert in_groups < allowed
    step, _ = fitted(huge("auto"), settings, HUGE, 4, "cuda", allowed)
    assert (step.offload, step.quantize) == ("none", "int4")


@pytest.mark.parametrize("offload", ["model", "group"])
def test_offload_to_a_main_memory_that_is_too_small_is_refused_with_the_sizes(offload: Offload, settings: Path) -> None:
    with pytest.raises(ModelUnavailable) as refused:
        fitted(huge(offload), settings, HUGE, 4, "cuda", 10 * HUGE)
    sizes = f"{size_text(HUGE)} of main memory with `offload`, and the bot may use {size_text(main_memory_budget())}"
    assert sizes in str(refused.value)


def test_offload_that_main_memory_can_hold_is_chosen(folder: Path) -> None:
    nbytes = loaded_size(folder)
    allowed = expected_bytes(AUTO, folder, nbytes, 4, "cuda") - 1
    step, _ = fitted(AUTO, folder, nbytes, 4, "cuda", allowed)
    assert step.offload == "model"


# --- networks whose layers can't be moved one after another --------------------------------------


@pytest.fixture(scope="module", params=["HunyuanDiT", "Kandinsky 3"])
def undivided(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undivided")
    tiny_pipeline(request.param).save_pretrained(folder)
    return folder


def test_group_is_not_chosen_for_a_model_that_can_not_do_it(undivided: Path) -> None:
    nbytes = loaded_size(undivided)
    whole, in_groups = (
        expected_bytes(replace(AUTO, offload=offload), undivided, nbytes, 4, "cuda") for offload in ("model", "group")
    )
    assert fitted(AUTO, undivided, nbytes, 4, "cuda", whole)[0].offload == "model"
    with pytest.raises(ModelUnavailable, match="needs about"):  # nothing else is as small
        fitted(AUTO, undivided, nbytes, 4, "cuda", in_groups)


def test_group_is_refused_for_a_model_that_can_not_do_it(undivided: Path) -> None:
    for device in ("", "cuda"):
        with pytest.raises(ModelUnavailable, match=r"`offload: group`, which its (HunyuanDiT2DModel|VQModel) does not"):
            compatible_family(replace(AUTO, offload="group"), undivided, device)
    compatible_family(replace(AUTO, offload="model"), undivided, "cuda")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"offload": "group"}, "`offload: group`, which needs a GPU with CUDA"),
        ({"offload": "model", "quantize": "int8"}, "both `offload` and `quantize`, which needs a GPU with CUDA"),
    ],
)
def test_what_only_a_gpu_can_do_is_refused_on_a_cpu(
    options: dict[str, object], sentence: str, folder: Path, tmp_path: Path
) -> None:
    config = config_of(folder, tmp_path, 10**12, **options)
    (spec,) = config.specs("imagine")
    with pytest.raises(ModelUnavailable, match=sentence):
        ModelManager("cpu", config, Hub(config)).check(spec, config, probe=False)
