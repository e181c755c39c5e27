"""Causal language models in GGUF files, run by llama.cpp with their weights as they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch

from inference.hub import gguf_in
from inference.pipelines.causal_lm.pipeline import CausalPipeline
from inference.pipelines.causal_lm.tokenizer import Tokenizer
from inference.pipelines.devices import Placement
from inference.pipelines.llama_cpp.library import Model
from inference.pipelines.llama_cpp.probe import check_numbers
from inference.pipelines.llama_cpp.runner import LlamaRunner
from inference.pipelines.pipeline import RuntimeUnsuitable
from inference.types import ModelSpec
from inference.types.errors import Phrase


class LlamaCpp(CausalPipeline):
    """A causal language model in a GGUF file, and the tokenizer inside it."""

    def __init__(self, model: Model, tokenizer: Tokenizer, spec: ModelSpec) -> None:
        runner = LlamaRunner(model, self.max_num_seqs, torch.get_num_threads())
        check_numbers(runner, spec, model.vocabulary_size)
        self.nbytes = model.nbytes
        end_tokens = model.end_tokens | {token for token in (tokenizer.eos_token_id,) if token is not None}
        super().__init__(runner, tokenizer, min(model.window, tokenizer.model_max_length), end_tokens)

    @classmethod
    def load(cls, spec: ModelSpec, folder: Path, placement: Placement) -> Self:
        file = gguf_in(spec, folder)
        assert file, "the runtime reads GGUF files only"
        try:
            model = Model(folder / file)
        except ValueError as error:
            raise RuntimeUnsuitable(Phrase("it can't read the file ({reason})", reason=str(error))) from error
        return cls(model, Tokenizer(folder, gguf_file=file), spec)
