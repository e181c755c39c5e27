"""The choice of the library that computes."""

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


def test_auto_takes_torch_where_another_runtime_is_slower(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runtime = OptionalRuntime(module="json", requirements="it.txt", objection=lambda *_: None, is_faster=lambda: False)
    monkeypatch.setattr(runtimes, "OPTIONAL_RUNTIMES", {"openvino": runtime})
    assert choose_runtime(spec("auto"), tmp_path, "cpu", OFFERED) == "torch"
    assert choose_runtime(spec("openvino"), tmp_path, "cpu", OFFERED) == "openvino"


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
