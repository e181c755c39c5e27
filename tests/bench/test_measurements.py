"""Test what each measurement compares, with tiny models. Their speeds mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import captions, complete, diffusion, machine, reading, summaries
from bench.result_table import Row, TableRow
from tests.bench import peers
from tests.inference.pipelines.tiny_causal import save_causal
from tests.inference.pipelines.tiny_images import save_stable_diffusion, save_vit_gpt2
from tests.inference.pipelines.tiny_text import bert_masked_lm, classifier, reader, summarizer

PEER_SECONDS = 0.5


@pytest.fixture(autouse=True)
def _only_float32(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Measure as on an older CPU, with peers that take half a second."""
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    peers.answer(monkeypatch, tmp_path, PEER_SECONDS)


def figures(measured: Sequence[TableRow]) -> list[Row]:
    """Return the rows with figures, each with ours, stock and a limit."""
    rows = [row for row in measured if isinstance(row, Row)]
    assert all(row.ours > 0 and row.stock and row.aims for row in rows)
    return rows


@pytest.fixture
def language_model(tmp_path: Path) -> str:
    return str(save_causal(tmp_path / "tiny", "gpt2"))


def test_a_lone_text_is_compared_in_the_same_number_format(language_model: str) -> None:
    (row,) = figures(complete.one_stream(language_model))
    assert row.work == "tiny, 1 stream, float32"
    assert row.peer == pytest.approx(complete.TOKENS / PEER_SECONDS)
    assert row.cost[0].nbytes > 0


def test_sixteen_texts_have_a_row_for_their_speed_and_one_for_the_first_tokens(language_model: str) -> None:
    speed, first = figures(complete.many_streams(language_model))
    assert (speed.unit, first.unit) == ("tokens/s", "s")
    assert speed.peer == pytest.approx(16 * complete.TOKENS / PEER_SECONDS)


def test_smaller_weights_have_a_row_for_each_way_beside_llama_cpp(language_model: str) -> None:
    rows = figures(complete.quantized(language_model))
    assert [row.peer_name for row in rows][:2] == ["llama.cpp Q8_0", "llama.cpp Q4_0"]
    assert all(row.aims[0].of == "peer" for row in rows)


def test_a_question_is_read_in_the_windows_of_the_model(tmp_path: Path) -> None:
    (row,) = figures(reading.ask(str(reader(tmp_path / "reader"))))
    assert row.peer_name == "OpenVINO float32"
    assert row.cost[0].flops > 0


def test_a_blank_and_moods_are_compared(tmp_path: Path) -> None:
    assert figures(reading.fill(str(bert_masked_lm(tmp_path / "bert"))))
    assert figures(reading.mood(str(classifier(tmp_path / "classifier"))))


def test_a_summary_is_compared_in_time_and_in_words(tmp_path: Path) -> None:
    row, equality = summaries.measure(str(summarizer(tmp_path / "summarizer", positions=4096)))
    assert figures([row])
    assert equality.cells()[0] == "met"


def test_a_caption_is_compared(tmp_path: Path) -> None:
    save_vit_gpt2(tmp_path / "captioner")
    assert figures(captions.measure(str(tmp_path / "captioner")))


def test_a_picture_has_rows_for_a_step_the_rest_and_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "SIDE", 64)
    save_stable_diffusion(tmp_path / "painter")
    step, rest, picture = figures(diffusion.measure(str(tmp_path / "painter")))
    assert picture.ours > step.ours + rest.ours
    assert step.peer == PEER_SECONDS
    assert len(picture.cost) == diffusion.STEPS + 1
    assert step.aims[0].bound == 0.75
    assert not machine.has_amx()
