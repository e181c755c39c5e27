"""The choice of the library that computes."""

from dataclasses import replace
from pathlib import Path

import pytest

from inference.pipelines import runtimes
from inference.pipelines.runtimes import OptionalRuntime, choose_runtime
from inference.types import ModelSpec, Runtime
from inference.types.errors import ModelUnavailable, Phrase

OFFERED: tuple[Runtime, ...] = ("openvino", "torch")


def spec(runtime: Runtime) -> ModelSpec:
    return ModelSpec(name="it", task="imagine", repo="org/it", runtime=runtime)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a module that is always there stand for OpenVINO, which then refuses GPUs."""

    def objection(spec: ModelSpec, folder: Path, device: str) -> Phrase | None:
        return Phrase("it runs on CPUs only") if device == "cuda" else None

    runtime = OptionalRuntime(module="json", requirements="it.txt", objection=objection)
    monkeypatch.setattr(runtimes, "OPTIONAL_RUNTIMES", {"openvino": runtime})


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = OptionalRuntime(module="no_such_module", requirements="it.txt", objection=lambda *_: None)
    monkeypatch.setattr(runtimes, "OPTIONAL_RUNTIMES", {"openvino": runtime})


@pytest.mark.usefixtures("installed")
def test_auto_takes_the_fastest_runtime_that_can_run_the_model(tmp_path: Path) -> None:
    assert choose_runtime(spec("auto"), tmp_path, "cpu", OFFERED) == "openvino"
    assert choose_runtime(spec("auto"), tmp_path, "cuda", OFFERED) == "torch"


@pytest.mark.usefixtures("missing")
def test_auto_takes_torch_where_nothing_else_is_installed(tmp_path: Path) -> None:
    assert choose_runtime(spec("auto"), tmp_path, "cpu", OFFERED) == "torch"


@pytest.mark.usefixtures("installed")
def test_a_runtime_that_is_named_is_taken(tmp_path: Path) -> None:
    assert choose_runtime(spec("torch"), tmp_path, "cpu", OFFERED) == "torch"
    assert choose_runtime(spec("openvino"), tmp_path, "cpu", OFFERED) == "openvino"


@pytest.mark.usefixtures("installed")
def test_a_runtime_that_is_named_and_cannot_run_the_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="it can't be run by openvino: it runs on CPUs only"):
        choose_runtime(spec("openvino"), tmp_path, "cuda", OFFERED)
    with pytest.raises(ModelUnavailable, match="it can't run models of this kind"):
        choose_runtime(spec("openvino"), tmp_path, "cpu", ("torch",))


@pytest.mark.usefixtures("missing")
def test_the_refusal_of_a_runtime_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"pip install --no-deps -r it\.txt"):
        choose_runtime(spec("openvino"), tmp_path, "cpu", OFFERED)


@pytest.mark.usefixtures("installed")
def test_auto_does_not_take_a_runtime_that_has_a_reservation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slower = replace(runtimes.OPTIONAL_RUNTIMES["openvino"], reservation=lambda *_: Phrase("it is slower here"))
    monkeypatch.setattr(runtimes, "OPTIONAL_RUNTIMES", {"openvino": slower})
    assert choose_runtime(spec("auto"), tmp_path, "cpu", OFFERED) == "torch"
    assert choose_runtime(spec("openvino"), tmp_path, "cpu", OFFERED) == "openvino"


def test_auto_takes_openvino_for_models_of_the_hub_in_float32_without_loras(tmp_path: Path) -> None:
    reservation = runtimes.OPTIONAL_RUNTIMES["openvino"].reservation
    plain = replace(spec("auto"), device="cpu", dtype="float32", loras=str(tmp_path))
    assert reservation(plain, tmp_path, "cpu") is None
    assert reservation(replace(plain, dtype="bfloat16"), tmp_path, "cpu") == "it gains little in bfloat16"
    assert reservation(replace(plain, repo=str(tmp_path)), tmp_path, "cpu")
    (tmp_path / "ink.safetensors").touch()
    assert reservation(plain, tmp_path, "cpu") == "it takes no LoRA"
