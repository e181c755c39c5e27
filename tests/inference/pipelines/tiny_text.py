"""Tiny models with the files of real repositories, for the tests of the text pipelines.

Their weights are generated here from a seed, so that every version of transformers gets the same model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForQuestionAnswering,
)

from inference.pipelines import Pipeline, load
from inference.pipelines.devices import Placement
from inference.types import ModelSpec

WORDS = ["hello", "i", "am", "a", "role", "fashion", "model", "play", "##ing", "the", "good", "bad", "day", "."]
MERGES = ["Ġ t", "h e", "Ġt he", "Ġ a", "i n", "r e", "o n", "Ġ s", "a t", "n d", "e r"]
FLOAT32 = Placement(torch.device("cpu"), torch.float32)
BFLOAT16 = Placement(torch.device("cpu"), torch.bfloat16)


def load_pipeline(task: str, folder: Path, placement: Placement = FLOAT32) -> Pipeline:
    return load(ModelSpec(name="tiny", task=task, repo=str(folder)), folder, placement)


def bert_masked_lm(folder: Path, window: int = 64) -> Path:
    return _save(BertForMaskedLM(_bert(folder, window)), folder)


def roberta_masked_lm(folder: Path) -> Path:
    return _save(RobertaForMaskedLM(_roberta(folder)), folder)


def classifier(folder: Path, labels: dict[int, str] | None = None, **options: Any) -> Path:
    labels = labels or {0: "NEGATIVE", 1: "POSITIVE"}
    return _save(BertForSequenceClassification(_bert(folder, 64, id2label=labels, **options)), folder)


def reader(folder: Path, seed: int = 0) -> Path:
    """Save a RoBERTa that answers questions, with windows of 384 tokens like real models."""
    return _save(RobertaForQuestionAnswering(_roberta(folder)), folder, seed)


def summarizer(folder: Path, positions: int = 64) -> Path:
    """Save a BART that writes summaries of 6 to 24 tokens."""
    config = BartConfig(
        **_byte_level_bpe(folder), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=positions,
        decoder_start_token_id=2, forced_eos_token_id=2,
    )  # fmt: skip
    settings: dict[str, Any] = {
        "max_length": 24,
        "min_length": 6,
        "num_beams": 2,
        "no_repeat_ngram_size": 3,
        "length_penalty": 2.0,
    }
    model = BartForConditionalGeneration(config)
    settings |= {"forced_bos_token_id": 0, "early_stopping": True}
    model.generation_config.update(**settings)
    return _save(model, folder)


def _bert(folder: Path, window: int, **options: Any) -> BertConfig:
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS)]
    _write(folder, "vocab.txt", "\n".join(vocabulary) + "\n")
    _write(folder, "tokenizer_config.json", json.dumps({"do_lower_case": True, "model_max_length": window}))
    return BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=window, **options,
    )  # fmt: skip


def _roberta(folder: Path) -> RobertaConfig:
    """Return a config with 514 positions. As in real models, the first two are never used."""
    return RobertaConfig(
        **_byte_level_bpe(folder), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=514, type_vocab_size=1,
    )  # fmt: skip


def _byte_level_bpe(folder: Path) -> dict[str, Any]:
    """Save a BPE tokenizer with a token for every byte and a few merges. Return the options of its model config."""
    joined = [merge.replace(" ", "") for merge in MERGES]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), *joined, "<mask>"]
    _write(folder, "vocab.json", json.dumps({token: i for i, token in enumerate(tokens)}, ensure_ascii=False))
    _write(folder, "merges.txt", "\n".join(["#version: 0.2", *MERGES]) + "\n")
    mask = {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "special": True}
    _write(folder, "tokenizer_config.json", json.dumps({"mask_token": mask}))
    return {"vocab_size": len(tokens), "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}


def _save(model: PreTrainedModel, folder: Path, seed: int = 0) -> Path:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "norm" not in name.lower():
                weight.normal_(0, 0.4, generator=generator)
    model.save_pretrained(folder)
    return folder


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
