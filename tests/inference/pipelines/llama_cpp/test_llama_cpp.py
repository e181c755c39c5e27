"""GGUF files run by llama.cpp: held against torch's reading of the same files, alone and in company."""

from __future__ import annotations

import gc
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType

from inference.backends.model_check import expected_bytes
from inference.pipelines.causal_lm.batched_runner import BatchedRunner
from inference.pipelines.causal_lm.causal_lm import CausalLM
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.devices import Placement
from inference.pipelines.gguf_weights import read_gguf_model
from inference.pipelines.llama_cpp import LlamaCpp, library
from inference.pipelines.llama_cpp.library import Model
from inference.pipelines.llama_cpp.probe import check_numbers
from inference.pipelines.llama_cpp.runner import LlamaCache, LlamaRunner
from inference.pipelines.pipeline import RuntimeUnsuitable
from inference.tasks import (
    AskRequest,
    ChatRequest,
    CompleteRequest,
    Completion,
    FillMaskResult,
    FillRequest,
    Message,
    SentimentRequest,
    SentimentResult,
    SummarizeRequest,
)
from inference.types import ModelSpec, PartialText
from inference.types.errors import InvalidRequest, ModelUnavailable
from tests.inference.pipelines.harness import MemoryBatch, MemoryJob, run
from tests.inference.pipelines.tiny_causal import CHAT, save_causal
from tests.inference.pipelines.tiny_gguf import save_gguf

pytestmark = pytest.mark.skipif(bool(library.library_objection()), reason=str(library.library_objection()))

CPU = Placement(torch.device("cpu"), torch.float32)
TEXT = "the quick brown fox jumps over the lazy dog. "
GREEDY = CompleteRequest(prompt="the quick brown", max_new_tokens=24, temperature=0, seed=0)
SAMPLED = CompleteRequest(prompt="once upon", max_new_tokens=20, temperature=1.0, top_p=0.95, seed=1)


def spec_of(file: Path) -> ModelSpec:
    return ModelSpec(name="tiny", task="complete", repo=str(file.parent), file=file.name)


def load(file: Path) -> LlamaCpp:
    return LlamaCpp.load(spec_of(file), file.parent, CPU)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    return save_gguf(save_causal(folder / "original", "llama", chat=CHAT), folder / "gguf" / "tiny.gguf")


@pytest.fixture(scope="module")
def model(file: Path) -> LlamaCpp:
    return load(file)


@pytest.fixture(scope="module")
def torch_model(file: Path) -> CausalLM:
    return CausalLM.load(spec_of(file), file.parent, CPU)


@pytest.fixture
def runner(file: Path) -> LlamaRunner:
    return LlamaRunner(Model(file), 16, 1)


def num_places() -> int:
    """Return how many sequences have a place in a context."""
    return sum(cache.nbytes > 0 for cache in gc.get_objects() if isinstance(cache, LlamaCache))


@pytest.mark.parametrize("prompt", ["the quick brown", "once upon a time there was", TEXT * 6])
def test_greedy_text_equals_that_of_torch(model: LlamaCpp, torch_model: CausalLM, prompt: str) -> None:
    request = replace(GREEDY, prompt=prompt)
    assert run(model, request) == run(torch_model, request)


def test_sampled_texts_penalties_and_stop_words_equal_those_of_torch(model: LlamaCpp, torch_model: CausalLM) -> None:
    (text,) = run(torch_model, SAMPLED)
    assert isinstance(text, Completion)
    stop = text.text.split()[3]
    for request in (SAMPLED, replace(SAMPLED, repetition_penalty=1.5), replace(SAMPLED, stop=(stop,))):
        assert run(model, request) == run(torch_model, request)


def test_other_tasks_give_what_torch_gives(model: LlamaCpp, torch_model: CausalLM) -> None:
    for request in (
        AskRequest(question="who jumps?", context=TEXT),
        ChatRequest(messages=(Message("user", TEXT),), system="a cat", max_new_tokens=20, temperature=0),
        SummarizeRequest(text=TEXT * 40),
        FillRequest(text="the quick [MASK] fox jumps over the [MASK] dog"),
        SentimentRequest(texts=("the lazy dog", "the quick fox")),
    ):
        (ours,), (theirs,) = run(model, request), run(torch_model, request)
        if isinstance(ours, FillMaskResult) and isinstance(theirs, FillMaskResult):
            assert _words(ours) == _words(theirs)
        elif isinstance(ours, SentimentResult) and isinstance(theirs, SentimentResult):
            for one, other in zip(ours.moods, theirs.moods, strict=True):
                assert one.valence == pytest.approx(other.valence, abs=0.01)
        else:
            assert ours == theirs


def _words(result: FillMaskResult) -> list[list[str]]:
    return [[prediction.word for prediction in blank] for blank in result.blanks]


@pytest.mark.parametrize(
    "quantization", [GGMLQuantizationType.F32, GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_0]
)
@pytest.mark.parametrize("count", [4, 16])
def test_a_text_is_the_same_alone_and_in_company(
    file: Path, tmp_path: Path, quantization: GGMLQuantizationType, count: int
) -> None:
    model = load(save_gguf(file.parent.parent / "original", tmp_path / "tiny.gguf", quantization))
    requests = [
        replace(SAMPLED, prompt=(TEXT * 9)[: 5 + 23 * index], max_new_tokens=4 + 3 * index, seed=index)
        for index in range(count)
    ]
    alone = [run(model, request)[0] for request in requests]
    assert run(model, *requests) == alone


def test_several_texts_share_their_prompt_and_differ_by_seed(model: LlamaCpp) -> None:
    (several,) = run(model, replace(SAMPLED, n=3))
    (again,) = run(model, replace(SAMPLED, n=3))
    (other,) = run(model, replace(SAMPLED, n=3, seed=2))
    assert several == again != other


def test_texts_are_streamed_and_stop_when_their_callers_leave(model: LlamaCpp) -> None:
    batch = MemoryBatch.of(replace(SAMPLED, max_new_tokens=60), SAMPLED)
    leaving, staying = batch.jobs

    def leave() -> None:
        if leaving.tokens >= 5:
            leaving.cancel()

    batch.on_yield = leave
    batch.run(model)
    assert leaving.outcome is None
    assert leaving.tokens <= 6
    assert any(isinstance(event, PartialText) for event in staying.events)
    assert staying.outcome == run(model, SAMPLED)[0]


def test_a_long_prompt_is_read_in_pieces_between_which_others_go_on(file: Path) -> None:
    model = load(file)
    long = MemoryJob(replace(SAMPLED, prompt="a " * 50, max_new_tokens=2))
    batch = MemoryBatch([long, MemoryJob(SAMPLED)])
    batch.run(model)
    assert batch.yield_points > SAMPLED.max_new_tokens
    assert batch.jobs[1].outcome == run(model, SAMPLED)[0]


def test_memory_is_counted_and_freed(file: Path) -> None:
    model = load(file)
    assert 0 < model.nbytes <= file.stat().st_size
    batch = MemoryBatch.of(SAMPLED, SAMPLED, SAMPLED)
    places: list[int] = []
    batch.on_yield = lambda: places.append(num_places())
    batch.run(model)
    keys_and_values = 2 * 2 * 16 * 2 * 2  # keys and values of 2 layers with 2 heads of 16, in 2 bytes
    assert max(batch.reserved) > 2048 * keys_and_values
    assert max(places) == 3
    run(model, SentimentRequest(texts=("the fox",)))
    assert num_places() == 0


def test_a_text_too_long_for_the_memory_is_refused(model: LlamaCpp) -> None:
    batch = MemoryBatch.of(SAMPLED)
    batch.memory = 1000
    (outcome,) = batch.run(model)
    assert isinstance(outcome, InvalidRequest)
    assert "too long for the bot's memory" in outcome.user_message


def test_logits_are_those_of_torch(file: Path, runner: LlamaRunner) -> None:
    theirs = BatchedRunner(read_gguf_model(spec_of(file), file.parent, CPU), 16)
    tokens = list(range(3, 60))
    ours, reference = runner.new_cache(64), theirs.new_cache(64)
    runner.prefill([ours], [tokens[:10]])
    theirs.prefill([reference], [tokens[:10]])
    expected = theirs.score(reference, tokens[10:])
    differences = (runner.score(ours, tokens[10:]) - expected).norm(dim=1) / expected.std(dim=1)
    assert differences.max() < 0.3, "keys and values have 16 bits here"
    assert torch.equal(runner.decode([ours], [5]).argmax(), theirs.decode([reference], [5]).argmax())


def test_a_sequence_keeps_its_numbers_when_it_moves_to_the_place_of_another(runner: LlamaRunner) -> None:
    alone = runner.new_cache(40)
    runner.prefill([alone], [[5, 6, 7]])
    expected = runner.decode([alone], [8])
    alone.clear()
    caches = [runner.new_cache(40) for _ in range(5)]
    for index, cache in enumerate(caches):
        runner.prefill([cache], [[5, 6, 7] if index == 4 else [index]])
    for cache in caches[:4]:
        cache.clear()
        assert torch.equal(runner.score(caches[4], [8]), expected)


@pytest.mark.parametrize("quantization", [GGMLQuantizationType.F32, GGMLQuantizationType.Q8_0])
def test_a_sequence_has_the_same_numbers_alone_and_beside_others(
    file: Path, tmp_path: Path, quantization: GGMLQuantizationType
) -> None:
    spec = spec_of(save_gguf(file.parent.parent / "original", tmp_path / "tiny.gguf", quantization))
    runner = LlamaRunner(Model(tmp_path / "tiny.gguf"), 16, 1)
    check_numbers(runner, spec, 200)
    caches = [runner.new_cache(40) for _ in range(7)]
    for index, cache in enumerate(caches):
        runner.prefill([cache], [[3 + index, 4, 5]])
    expected = runner.score(caches[0], [8])
    size = runner.max_decode_seqs
    logits = [runner.decode(caches[at : at + size], [8] * len(caches[at : at + size])) for at in range(0, 7, size)]
    assert torch.equal(logits[0][:1], expected)


def test_a_file_that_llama_cpp_does_not_know_is_refused_with_its_reason(file: Path, tmp_path: Path) -> None:
    unknown = save_gguf(file.parent.parent / "original", tmp_path / "tiny.gguf", architecture="plamo9")
    with pytest.raises(RuntimeUnsuitable, match=r"it can't read the file \(unknown model architecture: 'plamo9'\)"):
        load(unknown)


def test_auto_takes_llama_cpp_for_gguf_files_on_a_cpu_where_it_is_faster(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, folder = spec_of(file), file.parent
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert compatible_family(spec, folder, "cpu").load_class() is CausalLM
    assert compatible_family(replace(spec, runtime="llama.cpp"), folder, "cpu").load_class() is LlamaCpp
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert compatible_family(spec, folder, "cpu").load_class() is LlamaCpp
    assert compatible_family(spec, folder, "cuda").load_class() is CausalLM
    assert compatible_family(replace(spec, runtime="torch"), folder, "cpu").load_class() is CausalLM
    assert compatible_family(replace(spec, quantize="int8"), folder, "cpu").load_class() is CausalLM


def test_what_it_cannot_run_is_refused_with_the_reason(file: Path, tmp_path: Path) -> None:
    spec = replace(spec_of(file), runtime="llama.cpp")
    with pytest.raises(ModelUnavailable, match=r"can't be run by llama\.cpp: it runs on CPUs only"):
        compatible_family(spec, file.parent, "cuda")
    original = file.parent.parent / "original"
    recurrent = save_gguf(original, tmp_path / "tiny.gguf", metadata={"llama.ssm.conv_kernel": 4.0})
    with pytest.raises(ModelUnavailable, match="the model is recurrent"):
        compatible_family(replace(spec, repo=str(tmp_path), file=recurrent.name), tmp_path, "cpu")


def test_the_forecast_of_its_memory_is_the_size_of_the_file(file: Path) -> None:
    for runtime, expected in (("llama.cpp", 1234), ("torch", 4 * 40_000)):
        spec = replace(spec_of(file), runtime=runtime)
        assert expected_bytes(spec, file.parent, 1234, 4, "cpu") == pytest.approx(expected, rel=0.5)


def test_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "VERSION", "2099.1")
    assert str(library.library_objection()).endswith("and it needs 2099.1")


def test_the_parameters_are_where_the_structures_expect_them() -> None:
    """A version of llama.cpp with other structures would have its defaults elsewhere."""
    loaded = library._library()  # pyright: ignore[reportPrivateUsage]
    params = loaded.llama_context_default_params()
    assert (params.n_batch, params.n_ubatch, params.n_seq_max, params.n_threads) == (2048, 512, 1, 4)
    assert (params.rope_scaling_type, params.flash_attn_type, params.defrag_thold) == (-1, -1, -1)
    assert (params.type_k, params.type_v, params.offload_kqv, params.kv_unified) == (1, 1, True, False)
    params = loaded.llama_model_default_params()
    assert (params.n_gpu_layers, params.split_mode, params.load_mode, params.main_gpu) == (-1, 1, -1, 0)
    assert (params.vocab_only, params.check_tensors, params.use_extra_bufts, params.no_alloc) == (
        False, False, True, False,
    )  # fmt: skip


def test_its_log_is_silent(file: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.INFO):
        run(load(file), SAMPLED)
    assert not [record for record in caplog.records if record.name == library.__name__]
    assert capfd.readouterr().err == ""
