"""Encoder models (BERT and similar) that OpenVINO computes, in the place of those of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig

from inference.pipelines.devices import Placement
from inference.pipelines.openvino_export import Export, read_networks
from inference.pipelines.openvino_network import OpenVinoNetwork
from inference.pipelines.weights import read_model
from inference.types import ModelSpec

_NETWORK = "encoder"
_INPUTS = ("input_ids", "token_type_ids")
_SHAPES = (2, 11), (1, 29)
"""Texts and tokens while tracing, and while comparing."""


class OpenVinoEncoder(torch.nn.Module):
    """An encoder model with the config, the inputs and the outputs of the one in transformers.

    Every text is computed alone, so that it does not depend on others. None is padded, so masks are not read.
    """

    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, network: OpenVinoNetwork, config: Any, num_positions: int | None) -> None:
        super().__init__()
        self.network = network
        self.config = config
        self.num_positions = num_positions

    def forward(self, input_ids: torch.Tensor, **others: torch.Tensor) -> Any:
        inputs = {"input_ids": input_ids, "token_type_ids": torch.zeros_like(input_ids), **others}
        rows = [self.network.compute(row) for row in _rows(inputs, self.network.input_names)]
        outputs = [torch.cat(parts) for parts in zip(*rows, strict=True)]
        names = ("start_logits", "end_logits") if len(outputs) == 2 else ("logits",)
        return SimpleNamespace(**dict(zip(names, outputs, strict=True)))


def read_openvino_encoder(
    kind: Any, spec: ModelSpec, folder: Path, placement: Placement, tokenizer: Any
) -> OpenVinoEncoder:
    """Return the model of this Auto class in `folder`. Raise RuntimeUnsuitable if OpenVINO can't compute it."""
    config: Any = AutoConfig.from_pretrained(folder, local_files_only=True)

    def exports() -> Iterator[tuple[str, Export]]:
        model: Any = read_model(kind, folder, Placement(placement.device, torch.float32))
        names = [name for name in _INPUTS if name in tokenizer.model_input_names]
        traced, compared = (_example(names, config.vocab_size, *shape) for shape in _SHAPES)
        yield _NETWORK, Export(_Logits(model), traced, compared)

    [network] = read_networks(spec, folder, placement, [_NETWORK], exports).values()
    with torch.device("meta"):
        num_positions = learned_positions(kind.from_config(config))
    return OpenVinoEncoder(network, config, num_positions)


def learned_positions(model: torch.nn.Module) -> int | None:
    """Return for how many tokens a model has learned positions; None if it learned none."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # RoBERTa and similar models count positions from one past the padding token's.
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            return module.num_embeddings - unused
    return None


class _Logits(torch.nn.Module):
    """A model with the inputs and outputs that are exported."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor | None = None) -> Any:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(input_ids=input_ids, **types)
        return output.logits if "logits" in output else (output.start_logits, output.end_logits)


def _example(names: list[str], vocab_size: int, count: int, length: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    inputs = {"input_ids": torch.randint(vocab_size, (count, length), generator=generator)}
    inputs["token_type_ids"] = torch.zeros_like(inputs["input_ids"])
    return {name: inputs[name] for name in names}


def _rows(inputs: Mapping[str, torch.Tensor], names: tuple[str, ...]) -> list[dict[str, torch.Tensor]]:
    return [{name: inputs[name][i : i + 1] for name in names} for i in range(len(inputs["input_ids"]))]
